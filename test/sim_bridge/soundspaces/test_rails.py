# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.simulator import Pose2D
from sim_bridge.soundspaces.rails import PLAY_M
from sim_bridge.soundspaces.rails import Rails

EAST, NORTH = 0, 1
#  2
#  |
#  0 - 1 - 3
NODES = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [1.0, 0.0]])
NEIGHBORS = np.array([[1, 2, -1, -1], [3, -1, 0, -1], [-1, -1, -1, 0], [-1, -1, 1, -1]])


@pytest.fixture
def graph():
    return NavigationGraph(NODES, NEIGHBORS.astype(np.int32), 0.0, 0.5)


def drive(rails, pose, linear_m, angular_rad=0.0, ticks=100):
    """In many small pieces, as a robot does; the end, and how many of them were blocked."""
    blocked = 0
    for _ in range(ticks):
        pose, touched = rails.drive(pose, linear_m / ticks, angular_rad / ticks)
        blocked += touched
    return pose, blocked


def test_an_edge_is_driven_along_and_the_node_changes_half_way(graph):
    rails = Rails(graph, 0)
    pose, _ = drive(rails, Pose2D(0, 0, 0), 0.24)
    assert rails.node == 0
    pose, blocked = drive(rails, pose, 0.26)
    assert (rails.node, blocked) == (1, 0)
    assert pose.xy == pytest.approx([0.5, 0.0])


def test_one_long_step_is_as_many_short_ones(graph):
    rails = Rails(graph, 0)
    pose, blocked = rails.drive(Pose2D(0, 0, 0), 1.0, 0.0)
    assert (rails.node, blocked) == (3, False) and pose.xy == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize('node, yaw_rad', [(0, np.pi), (1, np.pi / 2), (3, 0.0), (2, np.pi / 2)])
def test_where_no_edge_leads_the_robot_stays(graph, node, yaw_rad):
    rails, start = Rails(graph, node), Pose2D(*NODES[node], yaw_rad)
    pose, blocked = drive(rails, start, 0.5)
    assert rails.node == node and blocked > 80
    assert np.hypot(*(pose.xy - start.xy)) == pytest.approx(PLAY_M, abs=0.006)
    assert rails.drive(pose, 0.005, 0.0)[1]


def test_after_a_collision_other_edges_are_open(graph):
    rails = Rails(graph, 0)
    pose, _ = drive(rails, Pose2D(0, 0, np.pi), 0.5)
    pose, _ = drive(rails, pose, 0.0, -np.pi / 2)
    pose, blocked = drive(rails, pose, 0.5)
    assert (rails.node, blocked) == (2, 0)
    assert np.hypot(*(pose.xy - NODES[2])) <= PLAY_M + 1e-6


def test_a_crooked_step_slides_along_its_edge(graph):
    rails = Rails(graph, 0)
    pose, blocked = drive(rails, Pose2D(0, 0, 0.3), 0.5)
    assert (rails.node, blocked) == (1, 0)
    assert pose.xy[1] == pytest.approx(PLAY_M, abs=1e-3)


def test_who_stands_off_the_nodes_is_moved_by_no_more_than_it_drives(graph):
    rng = np.random.default_rng(0)
    rails, pose = Rails(graph, 0), Pose2D(0.0, 0.0, 0.0)
    for _ in range(3000):
        before = pose
        linear_m, angular_rad = rng.uniform(-0.01, 0.02), rng.normal(0, 0.3)
        pose, _ = rails.drive(pose, linear_m, angular_rad)
        assert np.hypot(*(pose.xy - before.xy)) < abs(linear_m) + 1e-3
        assert np.hypot(*(pose.xy - NODES[rails.node])) < 0.36  # half an edge and half another


def test_a_turn_moves_nobody(graph):
    pose, blocked = Rails(graph, 0).drive(Pose2D(0.02, 0.01, 0.0), 0.0, 1.0)
    assert pose == Pose2D(0.02, 0.01, 1.0) and not blocked
