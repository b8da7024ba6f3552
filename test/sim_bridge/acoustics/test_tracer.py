# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.bands import air_gain
from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.acoustics.tracer import AZIMUTH_BINS
from sim_bridge.acoustics.tracer import BIN_S
from sim_bridge.acoustics.tracer import trace
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import build_navigation_graph


def _trace(enclosure, source, listeners, *, duration_s=0.4, rays=4000, seed=0):
    return trace(enclosure, np.array(source), listeners=np.array(listeners, np.float64),
                 height_m=1.25, duration_s=duration_s, rays=rays,
                 rng=np.random.default_rng(seed))


def test_energy_is_conserved_between_hard_walls(shoebox):
    box = shoebox(5, 4, absorption=0.0, scattering=0.5)
    listeners = np.random.default_rng(0).uniform(0.3, [4.7, 3.7], (30, 2))
    energy = _trace(box, [1.0, 1.0, 1.2], listeners, duration_s=0.3).sum(axis=1).mean(axis=0)
    times_s = (np.arange(60) + 0.5) * BIN_S
    energy /= air_gain(times_s * 343) ** 2
    expected = 4 * np.pi * 343 * BIN_S / (5 * 4 * 2.5)  # by energy density, a source of 1 at 1 m
    np.testing.assert_allclose(energy[20:].mean(axis=0), expected, rtol=0.05)
    np.testing.assert_allclose(energy[50:].mean(), energy[20:30].mean(), rtol=0.05)


def test_energy_is_conserved_through_doors_and_lintels(two_rooms):
    hard = Enclosure(two_rooms.walls._replace(reflectance=np.ones((10, 6))),
                     two_rooms.floor._replace(reflectance=np.ones((1, 6))),
                     two_rooms.ceiling._replace(reflectance=np.ones((1, 6))), 2.5)
    listeners = np.random.default_rng(0).uniform(0.2, [7.8, 2.8], (60, 2))
    energy = _trace(hard, [1.0, 1.0, 1.2], listeners).sum(axis=1)[..., 0]
    energy /= air_gain((np.arange(80) + 0.5) * BIN_S * 343)[:, 0] ** 2
    expected = 4 * np.pi * 343 * BIN_S / (8 * 3 * 2.5)
    assert energy[:, 60:].mean() == pytest.approx(expected, rel=0.05)


def test_level_in_a_diffuse_room_is_that_of_sabine(shoebox):
    box = shoebox(5, 4, absorption=0.2, scattering=0.3)
    listeners = np.random.default_rng(1).uniform(0.5, [4.5, 3.5], (30, 2))
    energy = _trace(box, [1.2, 1.1, 1.2], listeners).sum(axis=(1, 2))[:, 0].mean()
    surface_m2 = 2 * (5 * 4 + 5 * 2.5 + 4 * 2.5)
    expected = 16 * np.pi * (1 - 0.2) / (0.2 * surface_m2)
    assert 10 * np.log10(energy / expected) == pytest.approx(0.0, abs=1.0)


def test_nothing_passes_a_wall_even_for_a_listener_close_to_it(two_rooms):
    sealed = two_rooms.walls.geometry.copy()
    sealed[8:, 5] = -np.inf  # the lintels now reach the floor
    enclosure = Enclosure(two_rooms.walls._replace(geometry=sealed), two_rooms.floor,
                          two_rooms.ceiling, 2.5)
    energy = _trace(enclosure, [1.0, 1.0, 1.2], [[4.15, 0.5], [3.85, 0.5]])
    assert energy[0].sum() == 0.0
    assert energy[1].sum() > 0.0


def test_a_listener_close_to_a_wall_hears_as_much_as_others(shoebox):
    box = shoebox(6, 5, absorption=0.1, scattering=0.5)
    energy = _trace(box, [2.0, 2.0, 1.2], [[0.1, 2.5], [3.5, 3.5]]).sum(axis=(1, 2, 3))
    assert 10 * np.log10(energy[0] / energy[1]) == pytest.approx(0.0, abs=1.0)


def test_late_sound_comes_out_of_the_door(two_rooms):
    by_azimuth = _trace(two_rooms, [1.0, 1.0, 1.2], [[6.5, 1.5]])[0].sum(axis=(1, 2))
    assert by_azimuth.argmax() == AZIMUTH_BINS // 2


def test_sharp_sound_is_left_to_the_arrivals(shoebox):
    mirrors = shoebox(5, 4, absorption=0.2, scattering=0.0)
    energy = _trace(mirrors, [2.0, 2.0, 1.2], [[2.5, 2.0]])
    first_second_order_m = 4.0  # to and fro between the walls at least
    assert energy[:, :, :int(first_second_order_m / 343 / BIN_S)].sum() == 0.0


def test_every_node_of_a_house_hears_a_late_field():
    house = generate_house(0)
    nodes = build_navigation_graph(house).nodes
    energy = _trace(Enclosure.from_house(house), [*nodes[0], 1.25], nodes)
    assert (energy.sum(axis=(1, 2, 3)) > 0).all()


def test_the_same_seed_traces_the_same_field(shoebox):
    runs = [_trace(shoebox(4, 3), [1.0, 1.0, 1.2], [[3.0, 2.0]], seed=seed, rays=500)
            for seed in (5, 5, 6)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
