# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.arrivals import MIN_DISTANCE_M
from sim_bridge.acoustics.bands import air_gain
from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import build_navigation_graph


def _finder(enclosure, source, height_m=1.25):
    return AcousticScene(enclosure).arrival_finder(np.array(source), height_m=height_m)


def _level_db(arrivals):
    """Level of the first paths, (n, 6)."""
    return 10 * np.log10(np.sum(arrivals.band_gain[:, :2] ** 2, axis=1))


def test_level_falls_6_db_per_doubling_of_distance(shoebox):
    finder = _finder(shoebox(40, 40), [1.0, 20.0, 1.25])
    distances_m = np.array([1.0, 2.0, 4.0, 8.0])
    arrivals = finder.at(np.column_stack([1.0 + distances_m, np.full(4, 20.0)]))
    gain = arrivals.band_gain[:, 0] / air_gain(distances_m)
    np.testing.assert_allclose(gain[:, 0], 1 / distances_m)
    np.testing.assert_allclose(np.diff(20 * np.log10(gain[:, 3])), -6.02, atol=0.01)


def test_delay_and_direction_are_exact_in_three_dimensions(shoebox):
    arrivals = _finder(shoebox(6, 6), [1.0, 2.0, 2.0]).at(np.array([[4.0, 5.0]]))
    assert arrivals.delay_s[0, 0] == pytest.approx(np.sqrt(18 + 0.75 ** 2) / 343)
    assert arrivals.azimuth_world_rad[0, 0] == pytest.approx(np.radians(-135))
    assert arrivals.elevation_rad[0, 0] == pytest.approx(np.arctan2(0.75, np.sqrt(18)))


def test_sound_bends_around_the_jamb_and_comes_from_it(two_rooms):
    source, listener = np.array([1.0, 0.5, 1.25]), np.array([5.0, 0.5])
    arrivals = _finder(two_rooms, source).at(listener)
    jamb = np.array([4.0, 1.0])
    assert arrivals.length_m[0, 0] == pytest.approx(
        np.hypot(*(jamb - source[:2])) + np.hypot(*(jamb - listener)), abs=0.01)
    assert arrivals.azimuth_world_rad[0, 0] == pytest.approx(np.arctan2(0.5, -1.0), abs=0.01)
    assert (np.diff(_level_db(arrivals)[0]) < 0).all()  # high bands bend less


def test_level_and_direction_are_continuous_into_the_shadow(two_rooms):
    finder = _finder(two_rooms, [1.0, 0.6, 1.25])
    line = np.column_stack([np.full(1000, 6.0), np.linspace(2.9, 0.1, 1000)])  # 2.8 mm steps
    arrivals = finder.at(line)
    assert np.abs(np.diff(_level_db(arrivals), axis=0)).max() < 0.7
    assert np.abs(np.diff(np.exp(1j * arrivals.azimuth_world_rad[:, 0]))).max() < 0.01
    assert np.abs(np.diff(arrivals.length_m[:, 0])).max() < 0.003


def test_paths_through_a_house_are_as_long_as_the_string_pulled_tight():
    house = generate_house(2)
    graph = build_navigation_graph(house)
    scene = AcousticScene(house)
    source, goal = graph.nodes[0], 0
    length_m = scene.arrival_finder([*source, 1.25], height_m=1.25).at(graph.nodes).length_m[:, 0]
    straight_m = np.hypot(*(graph.nodes - source).T)
    walked_m = graph.distances_m()[goal]
    assert (length_m >= straight_m - 1e-9).all()
    assert (length_m <= walked_m + 0.05).all()
    assert (length_m > straight_m + 0.1).any()


def test_nothing_arrives_in_a_sealed_room(extrude):
    inner = extrude([[0, 0], [4, 0], [4, 3], [0, 3]])
    arrivals = _finder(inner, [2.0, 1.5, 1.25]).at(np.array([[6.0, 1.4]]))
    assert np.isinf(arrivals.length_m).all()
    assert (arrivals.band_gain == 0).all()


def test_level_stops_rising_close_to_the_source(shoebox):
    arrivals = _finder(shoebox(6, 6), [3.0, 3.0, 1.25]).at(np.array([[3.0, 3.0], [3.1, 3.0]]))
    np.testing.assert_allclose(arrivals.band_gain[:, 0], 1 / MIN_DISTANCE_M, rtol=0.01)
