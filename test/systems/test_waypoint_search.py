# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.mapping.occupancy import EGO_CELLS
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.mapping.occupancy import OBSTACLE
from asgf_nav_ros.systems.waypoint_search import LEG_ACTIONS
from asgf_nav_ros.systems.waypoint_search import STOP_WAYPOINT
from asgf_nav_ros.systems.waypoint_search import WaypointSearch

CONTRACT = PolicyContract(image_height=64, image_width=64)
BLIND = np.zeros((64, 64), np.float32)
RNG = np.random.default_rng(0)


def index(ahead, left):
    return (ahead + 4) * 9 + left + 4


def heard(level):
    return np.full((65, 26, 2), np.log1p(level), np.float32)


@pytest.fixture
def search():
    search = WaypointSearch(CONTRACT, EgoMapper(CONTRACT))
    search.observe(BLIND, heard(1.0), moved=True)
    return search


def walk(search, *, moved=True, level=1.0):
    action = search.act(RNG)
    search.observe(BLIND, heard(level), moved=moved)
    return action


def test_walks_to_its_waypoint_and_then_wants_another(search):
    assert search.wants_waypoint
    search.set_waypoint(index(2, 1))
    actions = []
    while not search.wants_waypoint:
        actions.append(walk(search))
    assert len(actions) == 4
    assert search.lattice.state[:2] == (2, 1)


def test_waypoints_turn_with_the_robot(search):
    search.lattice.take(Action.TURN_LEFT)
    search.observe(BLIND, heard(1.0), moved=True)
    assert search.node_of(index(3, 0)) == (0, 3)
    assert search.node_of(index(0, 1)) == (-1, 0)


def test_the_middle_is_stop(search):
    search.set_waypoint(STOP_WAYPOINT)
    assert search.act(RNG) is Action.STOP


def test_a_blocked_step_ends_the_leg(search):
    search.set_waypoint(index(4, 0))
    assert walk(search, moved=False) is Action.MOVE_FORWARD
    assert search.wants_waypoint


def test_a_leg_has_at_most_ten_actions(search):
    for y in range(-6, 7):  # a wall that makes the way long
        search.lattice._bumps[(0, y, 0)] = 2
    search.set_waypoint(index(4, 0))
    actions = 0
    while not search.wants_waypoint:
        walk(search)
        actions += 1
    assert actions == LEG_ACTIONS


def test_masks_occupied_waypoints_but_never_stop(search):
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[10, 15] = ego[0, 15] = OBSTACLE  # two steps ahead, and under the robot
    search.lattice.map.write(ego, (0, 0), 0)
    masked = search.maps().open
    assert np.flatnonzero(~masked).tolist() == [index(2, 0)]


def test_the_geometric_map_shows_obstacles_ahead_of_the_robot(search):
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[20, 25] = OBSTACLE | 1
    search.lattice.map.write(ego, (0, 0), 0)
    geometric = search.maps().geometric
    assert np.argwhere(geometric[..., 0]).tolist() == [[60, 55]]
    assert np.argwhere(geometric[..., 1]).tolist() == [[60, 55]]


def test_the_acoustic_map_averages_what_was_heard_at_visited_nodes(search):
    search.set_waypoint(index(2, 0))
    walk(search, level=3.0)
    walk(search, level=7.0)
    search.lattice.take(Action.TURN_LEFT)
    search.observe(BLIND, heard(1.0), moved=True)  # at the last node again: 0.5 * 1 + 0.5 * 7
    acoustic = search.maps().acoustic
    visited = {tuple(cell): float(np.expm1(acoustic[tuple(cell)]))
               for cell in np.argwhere(acoustic).tolist()}
    # Turned left, the way that it came lies to its left.
    assert visited == pytest.approx({(10, 10): 4.0, (10, 11): 3.0, (10, 12): 1.0}, rel=1e-5)
