# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.learning.waypoint_oracle import optimal_waypoints
from asgf_nav_ros.mapping.lattice import AHEAD
from asgf_nav_ros.systems.waypoint_search import STOP_WAYPOINT

OPEN = np.ones(81, bool)


def node_of(house, node, heading, index):
    """The lattice node of a waypoint, None where there is none."""
    ahead, left = np.subtract(divmod(index, 9), 4)
    forward, leftward = np.array(AHEAD[heading]), np.array(AHEAD[(heading + 1) % 4])
    angle = house.rotation_rad
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    xy = house.nodes[node] + 0.5 * turn @ (ahead * forward + left * leftward)
    gaps = np.hypot(*(house.nodes - xy).T)
    return int(gaps.argmin()) if gaps.min() < 1e-6 else None


def test_following_the_oracle_reaches_the_goal(tiny_bake):
    rng = np.random.default_rng(0)
    for start in np.argsort(tiny_bake.actions_to[0, :, 0])[-12:]:
        node, heading = int(start), int(rng.integers(4))
        for _ in range(12):
            right = np.flatnonzero(optimal_waypoints(tiny_bake, 0, node, heading, OPEN))
            if right.tolist() == [STOP_WAYPOINT]:
                break
            chosen = node_of(tiny_bake, node, heading, int(rng.choice(right)))
            assert (tiny_bake.distances_m[chosen, tiny_bake.source_nodes[0]]
                    < tiny_bake.distances_m[node, tiny_bake.source_nodes[0]])
            node, heading = chosen, int(rng.integers(4))
        assert node == tiny_bake.source_nodes[0]


def test_stop_is_right_at_the_source_alone(tiny_bake):
    goal = int(tiny_bake.source_nodes[1])
    assert np.flatnonzero(optimal_waypoints(tiny_bake, 1, goal, 2, OPEN)) == [STOP_WAYPOINT]
    elsewhere = (goal + 1) % len(tiny_bake.nodes)
    assert not optimal_waypoints(tiny_bake, 1, elsewhere, 2, OPEN)[STOP_WAYPOINT]


def test_falls_back_to_nearer_cells_where_the_farthest_are_masked(tiny_bake):
    start = int(np.argmax(tiny_bake.actions_to[0, :, 0]))
    right = optimal_waypoints(tiny_bake, 0, start, 0, OPEN)
    fallback = optimal_waypoints(tiny_bake, 0, start, 0, ~right)
    assert fallback.any()
    assert not (fallback & right).any()
    nearer, farther = (min(tiny_bake.actions_to[0, node_of(tiny_bake, start, 0, index)].min()
                           for index in np.flatnonzero(cells)) for cells in (fallback, right))
    assert nearer > farther


def test_there_may_be_no_right_waypoint(tiny_bake):
    start = int(np.argmax(tiny_bake.actions_to[0, :, 0]))
    closed = np.zeros(81, bool)
    closed[STOP_WAYPOINT] = True
    assert not optimal_waypoints(tiny_bake, 0, start, 0, closed).any()


@pytest.mark.parametrize('heading', range(4))
def test_right_waypoints_are_as_far_as_the_window_goes(tiny_bake, heading):
    start = int(np.argmax(tiny_bake.actions_to[0, :, heading]))
    right = np.flatnonzero(optimal_waypoints(tiny_bake, 0, start, heading, OPEN))
    assert max(np.abs(np.subtract(divmod(index, 9), 4)).max() for index in right) >= 2
