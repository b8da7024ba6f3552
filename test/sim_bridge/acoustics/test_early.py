# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.early import reflections
from sim_bridge.acoustics.scene import AcousticScene

SOURCE, LISTENER = np.array([1.0, 1.5, 1.2]), np.array([3.0, 2.0, 1.25])


def _reflections(enclosure, source=SOURCE, listener=LISTENER):
    offset_m, gain = reflections(enclosure.walls, enclosure.floor, enclosure.ceiling,
                                 enclosure.height_m, source, listener)
    used = gain.sum(axis=1) > 0
    return offset_m[used], gain[used]


def test_a_shoebox_has_the_six_mirror_sources_of_theory(shoebox):
    offset_m, gain = _reflections(shoebox(4, 3, absorption=0.2, scattering=0.3))
    x, y, z = SOURCE
    expected = np.array([[-x, y, z], [8 - x, y, z], [x, -y, z], [x, 6 - y, z], [x, y, -z],
                         [x, y, 5 - z]]) - LISTENER
    np.testing.assert_allclose(offset_m[np.lexsort(offset_m.T)],
                               expected[np.lexsort(expected.T)], atol=1e-9)
    np.testing.assert_allclose(gain, np.sqrt(0.8 * 0.7))


def test_a_wall_in_between_takes_reflections_away(two_rooms):
    offset_m, _ = _reflections(two_rooms, np.array([1.0, 0.5, 1.25]), np.array([7.0, 0.5, 1.25]))
    assert len(offset_m) == 0


def test_floor_and_walls_reflect_through_an_open_door(two_rooms):
    offset_m, _ = _reflections(two_rooms, np.array([2.0, 1.5, 1.2]), np.array([6.0, 1.5, 1.2]))
    assert np.isclose(offset_m, [-4, 0, -2.4]).all(axis=1).any()  # floor
    assert not np.isclose(offset_m, [-4, 0, 2.6]).all(axis=1).any()  # the lintel hides the ceiling


def test_reflections_change_little_when_the_listener_moves_a_little(two_rooms):
    finder = AcousticScene(two_rooms).arrival_finder([1.0, 0.7, 1.25], height_m=1.25)
    line = np.column_stack([np.linspace(1.2, 7.8, 2000), np.full(2000, 1.6)])  # 3.3 mm steps
    energy = np.sum(finder.at(line).band_gain[:, 2:, 2] ** 2, axis=1)
    step = np.abs(np.diff(np.sqrt(energy)))
    assert step.max() < 0.1 * np.sqrt(energy.max())


def test_total_reflection_energy_does_not_exceed_that_of_mirrors(shoebox):
    _, gain = _reflections(shoebox(4, 3, absorption=0.0, scattering=0.0))
    assert gain.max() == pytest.approx(1.0)
