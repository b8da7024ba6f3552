# SPDX-License-Identifier: Apache-2.0
"""pyroomacoustics, another implementation, as the oracle.

Its energies carry another scale, so that levels are compared against those at the first listener.
Order 3 and ray tracing keep it from rendering the direct path of a hidden source.
"""

import numpy as np
import pytest

from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.acoustics.tracer import BIN_S

pyroomacoustics = pytest.importorskip('pyroomacoustics')

RATE_HZ = 8000
SOURCE = [1.2, 1.1, 1.2]


def _simulate(room, listeners, rays):
    pyroomacoustics.seed(0, 0)
    room.set_ray_tracing(n_rays=rays, receiver_radius=0.3, energy_thres=1e-6, time_thres=1.0)
    room.add_source(SOURCE)
    room.add_microphone_array(np.column_stack([listeners, np.full(len(listeners), 1.25)]).T)
    room.compute_rir()
    return [responses[0] for responses in room.rir]


@pytest.mark.parametrize('size_m, absorption, scattering', [
    ((5, 4, 2.5), 0.2, 0.3), ((8, 6, 3), 0.3, 0.3), ((4, 3, 2.5), 0.1, 0.5)])
def test_reverberation_time_of_a_shoebox(shoebox, reverberation_time_s, size_m, absorption,
                                         scattering):
    material = pyroomacoustics.Material(absorption, scattering)
    oracle = pyroomacoustics.ShoeBox(size_m, fs=RATE_HZ, materials=material, max_order=3,
                                     ray_tracing=True, air_absorption=False)
    listeners = np.array([[0.8, 0.75], [0.5, 0.3], [0.75, 0.25], [0.3, 0.8]]) * size_m[:2]
    responses = _simulate(oracle, listeners, 5000)
    samples = min(len(response) for response in responses)
    energy = sum(np.square(response[:samples]) for response in responses)
    expected_s = reverberation_time_s(energy, 1 / RATE_HZ)
    box = shoebox(*size_m[:2], height_m=size_m[2], absorption=absorption, scattering=scattering)
    field = AcousticScene(box).sound_field(SOURCE, listeners, height_m=1.25, duration_s=0.8,
                                           rays=5000, rng=np.random.default_rng(0))
    time_s = reverberation_time_s(field.late_energy[..., 0].sum(axis=(0, 1)), BIN_S)
    assert time_s == pytest.approx(expected_s, rel=0.2)


def test_level_through_one_and_two_doors(extrude):
    # Three rooms in a row; walls 0.1 m thick; doors at y 0.5-1.5 and 1.6-2.6.
    plan = np.array([
        [0, 0], [4, 0], [4, 0.5], [4.1, 0.5], [4.1, 0], [8.1, 0], [8.1, 1.6], [8.2, 1.6],
        [8.2, 0], [12.2, 0], [12.2, 3], [8.2, 3], [8.2, 2.6], [8.1, 2.6], [8.1, 3], [4.1, 3],
        [4.1, 1.5], [4, 1.5], [4, 3], [0, 3]])
    listeners = np.array([[2.5, 1.2], [5.5, 2.4], [7.4, 0.7], [9.5, 0.6], [11.5, 2.5]])
    material = pyroomacoustics.Material(0.3, 0.4)
    oracle = pyroomacoustics.Room.from_corners(
        plan.T, fs=RATE_HZ, materials=material, max_order=3, ray_tracing=True,
        air_absorption=False)
    oracle.extrude(2.5, materials=material)
    energy = np.array([np.sum(response ** 2)
                       for response in _simulate(oracle, listeners, 10000)])
    expected_db = 10 * np.log10(energy / energy[0])
    rooms = extrude(plan, absorption=0.3, scattering=0.4)
    field = AcousticScene(rooms).sound_field(SOURCE, listeners, height_m=1.25, duration_s=0.8,
                                             rays=10000, rng=np.random.default_rng(0))
    energy = (np.sum(field.arrivals.band_gain ** 2, axis=1).mean(axis=1)
              + field.late_energy.sum(axis=(1, 2)).mean(axis=1))
    level_db = 10 * np.log10(energy / energy[0])
    np.testing.assert_allclose(level_db, expected_db, atol=3.0)
    assert level_db[1:3].mean() < -5 and level_db[3:].mean() < level_db[1:3].mean() - 5
