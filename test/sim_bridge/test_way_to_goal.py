# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from sim_bridge.diff_drive import ROBOT_RADIUS_M
from sim_bridge.episodes import load_house
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.simulator import Pose2D
from sim_bridge.way_to_goal import STRAIGHT_M
from sim_bridge.way_to_goal import WayToGoal

HOUSE = load_house('small/val/3')
OBSTACLES = ObstacleMap(HOUSE, ROBOT_RADIUS_M)
GRAPH = build_navigation_graph(HOUSE)
GOAL = len(GRAPH) // 3
WAY = WayToGoal(GRAPH, OBSTACLES, GRAPH.nodes[GOAL])


def steps():
    start, heading = np.nonzero(GRAPH.neighbors >= 0)
    return [(node, GRAPH.neighbors[node, k]) for node, k in zip(start, heading)]


def test_distance_at_far_nodes_is_that_of_the_graph():
    expected = GRAPH.distances_m()[:, GOAL]
    far = np.hypot(*(GRAPH.nodes - GRAPH.nodes[GOAL]).T) >= STRAIGHT_M
    found = np.array([WAY.geodesic_m(node) for node in GRAPH.nodes])
    assert np.mean(np.abs(found[far] - expected[far]) < 1e-4) > 0.97
    assert (found <= expected + 1e-4).all()


def test_distance_to_the_goal_itself_is_zero_and_straight_nearby():
    assert WAY.geodesic_m(GRAPH.nodes[GOAL]) == pytest.approx(0.0, abs=1e-9)
    assert WAY.geodesic_m(GRAPH.nodes[GOAL] + (0.1, 0.1)) == pytest.approx(math.hypot(0.1, 0.1))


def test_distance_changes_no_faster_than_the_robot_moves():
    for a, b in steps()[::7]:
        line = np.linspace(GRAPH.nodes[a], GRAPH.nodes[b], 21)
        found = np.array([WAY.geodesic_m(xy) for xy in line])
        moved_m = GRAPH.step_m / 20
        assert np.abs(np.diff(found)).max() <= 2.0 * moved_m + 1e-6


def test_source_between_nodes_adds_its_distance():
    way = WayToGoal(GRAPH, OBSTACLES, GRAPH.nodes[GOAL] + (0.1, 0.05))
    far = int(GRAPH.distances_m()[:, GOAL].argmax())
    assert way.goal_node == GOAL
    difference_m = way.geodesic_m(GRAPH.nodes[far]) - GRAPH.distances_m()[far, GOAL]
    assert abs(difference_m) == pytest.approx(0.1, abs=0.0501)


def test_oracle_takes_the_fewest_actions_from_every_state():
    left = GRAPH.actions_to(GOAL)
    for node in range(0, len(GRAPH), 5):
        for heading in range(4):
            assert follow(node, heading) == left[node, heading]


def follow(node, heading):
    for count in range(1000):
        pose = Pose2D(*GRAPH.nodes[node], GRAPH.yaw_rad(heading))
        action = WAY.oracle_action(pose, math.pi / 2)
        if action == Action.STOP:
            return count
        if action == Action.MOVE_FORWARD:
            node = GRAPH.neighbors[node, heading]
        else:
            heading = (heading + (1 if action == Action.TURN_LEFT else -1)) % 4
    raise AssertionError('the oracle never stops')


def test_robot_at_a_wall_is_on_its_own_side():
    rooms = (Room('west', np.array([[0, 0], [4.2, 0], [4.2, 3], [0, 3]])),
             Room('east', np.array([[4.2, 0], [8, 0], [8, 3], [4.2, 3]])))
    house = House('flat', rooms, (Door(np.array([4.2, 2.0]), np.array([4.2, 3.0])),))
    graph = build_navigation_graph(house, offset_m=(0.35, 0.5))
    obstacles = ObstacleMap(house, ROBOT_RADIUS_M)
    way = WayToGoal(graph, obstacles, graph.nodes[graph.nearest((4.35, 0.5))])
    at_wall = np.array([4.05, 0.5])
    assert obstacles.free(at_wall[None])[0]
    assert way.geodesic_m(at_wall) > 3.0
    assert way.oracle_action(Pose2D(*at_wall, math.pi / 2), math.pi / 2) != Action.STOP


def test_oracle_with_small_turns_faces_the_way_before_it_moves():
    far = int(GRAPH.distances_m()[:, GOAL].argmax())
    turn_rad = math.radians(10)
    yaw_rad, turns = 0.3, 0
    while (action := WAY.oracle_action(Pose2D(*GRAPH.nodes[far], yaw_rad), turn_rad)) in (
            Action.TURN_LEFT, Action.TURN_RIGHT):
        yaw_rad += turn_rad if action == Action.TURN_LEFT else -turn_rad
        turns += 1
        assert turns < 36
    assert action == Action.MOVE_FORWARD
    headings = GRAPH.rotation_rad + np.arange(4) * math.pi / 2
    assert np.cos(headings - yaw_rad).max() > math.cos(math.radians(5.01))
