# SPDX-License-Identifier: Apache-2.0
import numpy as np

from asgf_nav_ros.inference.likely_stops import LIKELY
from asgf_nav_ros.inference.likely_stops import LikelyStops
from asgf_nav_ros.inference.likely_stops import PATIENCE


def seeing(*decisions, heard=True):
    stops = LikelyStops()
    for node, probability in decisions:
        stops.see(node, probability, heard=heard)
    return stops


def test_the_likeliest_node_is_overdue_after_a_while():
    stops = seeing(((0, 0), 0.2), ((1, 0), 0.4), ((2, 0), 0.3))
    for _ in range(PATIENCE - 2):
        assert stops.overdue() is None
        stops.see((3, 0), 0.0, heard=True)
    stops.see((3, 0), 0.0, heard=False)
    assert stops.overdue() == (1, 0)
    stops.see((4, 0), 0.41, heard=True)
    assert stops.overdue() is None


def test_unlikely_nodes_and_guesses_in_silence_are_none_to_stop_at():
    for stops in (seeing(*[((0, 0), LIKELY / 2)] * 2 * PATIENCE),
                  seeing(*[((0, 0), 0.5)] * 2 * PATIENCE, heard=False)):
        assert stops.overdue() is None
        assert stops.near(np.zeros(2), 0.5) is None


def test_the_likeliest_node_around_a_place_is_told():
    stops = seeing(((0, 0), 0.6), ((0, 0), 0.1), ((4, 0), 0.2), ((5, 0), 0.3), ((9, 0), 0.9))
    assert stops.near(np.array([2.2, 0.4]), 0.5) == (5, 0)
    assert stops.near(np.array([0.2, 0.0]), 0.5) == (0, 0)
    assert stops.near(np.array([0.0, 9.0]), 0.5) is None
