# SPDX-License-Identifier: Apache-2.0
import collections
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room

HOUSE = generate_house(4, rooms=5)
GRAPH = build_navigation_graph(HOUSE)
STATES = st.tuples(st.integers(0, len(GRAPH) - 1), st.integers(0, 3))


def _step(node, heading, action):
    if action == Action.MOVE_FORWARD:
        return int(GRAPH.neighbors[node, heading]), heading
    return node, (heading + (1 if action == Action.TURN_LEFT else -1)) % 4


def _searched_actions(goal):
    """Breadth-first search forwards from every state, the slow way."""
    least = {}
    for node in range(len(GRAPH)):
        for heading in range(4):
            queue, seen = collections.deque([(node, heading, 0)]), {(node, heading)}
            while queue:
                at, facing, count = queue.popleft()
                if at == goal:
                    least[node, heading] = count
                    break
                for action in (Action.MOVE_FORWARD, Action.TURN_LEFT, Action.TURN_RIGHT):
                    state = _step(at, facing, action)
                    if state[0] >= 0 and state not in seen:
                        seen.add(state)
                        queue.append((*state, count + 1))
    return np.array([[least[node, heading] for heading in range(4)]
                     for node in range(len(GRAPH))])


def test_action_counts_agree_with_a_plain_search():
    np.testing.assert_array_equal(GRAPH.actions_to(7), _searched_actions(7))


@settings(deadline=None, max_examples=60)
@given(start=STATES, goal=st.integers(0, len(GRAPH) - 1), data=st.data())
def test_any_chain_of_optimal_actions_reaches_the_goal_in_the_promised_count(start, goal, data):
    optimal, left = GRAPH.optimal_actions(goal), GRAPH.actions_to(goal)
    (node, heading), count = start, 0
    while node != goal:
        action = data.draw(st.sampled_from(np.flatnonzero(optimal[node, heading]).tolist()))
        assert action != Action.STOP
        node, heading = _step(node, heading, Action(action))
        count += 1
    assert count == left[start]
    np.testing.assert_array_equal(optimal[goal], [[True, False, False, False]] * 4)


def test_every_state_has_an_optimal_action():
    assert GRAPH.optimal_actions(0).any(axis=-1).all()


def test_distances_are_a_metric_on_the_lattice():
    distance = GRAPH.distances_m()
    assert distance.dtype == np.float32 and np.isfinite(distance).all()
    np.testing.assert_array_equal(distance, distance.T)
    straight = np.linalg.norm(GRAPH.nodes[:, None] - GRAPH.nodes, axis=-1)
    assert (distance >= straight - 1e-4).all()
    assert (distance[:, 3:4] + distance[3:4] >= distance - 1e-4).all()


def test_edges_are_mutual_and_one_step_long_at_their_heading():
    node, heading = np.nonzero(GRAPH.neighbors >= 0)
    ahead = GRAPH.neighbors[node, heading]
    np.testing.assert_array_equal(GRAPH.neighbors[ahead, (heading + 2) % 4], node)
    way = np.stack([np.cos(heading * np.pi / 2), np.sin(heading * np.pi / 2)], axis=1)
    np.testing.assert_allclose(GRAPH.nodes[ahead] - GRAPH.nodes[node], 0.5 * way, atol=1e-9)


def test_nodes_are_free_and_nearest_finds_each():
    assert ObstacleMap(HOUSE, 0.15).free(GRAPH.nodes).all()
    assert [GRAPH.nearest(node + 0.1) for node in GRAPH.nodes] == list(range(len(GRAPH)))


@pytest.mark.parametrize('rotation_rad', [0.0, 0.3, math.pi / 4])
def test_a_turned_and_shifted_lattice_has_the_same_properties(rotation_rad):
    graph = build_navigation_graph(HOUSE, step_m=0.4, offset_m=(0.13, 0.21),
                                   rotation_rad=rotation_rad)
    node, heading = np.nonzero(graph.neighbors >= 0)
    step = graph.nodes[graph.neighbors[node, heading]] - graph.nodes[node]
    yaw_rad = np.array([graph.yaw_rad(k) for k in heading])
    np.testing.assert_allclose(step, 0.4 * np.stack([np.cos(yaw_rad), np.sin(yaw_rad)], axis=1),
                               atol=1e-9)
    assert np.isfinite(graph.distances_m()).all()


def test_only_the_largest_part_is_kept():
    rooms = [Room('a', [(0, 0), (4, 0), (4, 4), (0, 4)]),
             Room('b', [(4, 0), (6, 0), (6, 4), (4, 4)])]
    apart = build_navigation_graph(House('x', rooms))
    joined = build_navigation_graph(House('x', rooms, [Door((4, 1), (4, 2))]))
    assert apart.nodes[:, 0].max() < 4.0
    assert joined.nodes[:, 0].max() > 5.0


@pytest.mark.parametrize('arguments, message', [
    ({'step_m': 0.0}, 'step_m must be positive, got 0.0'),
    ({'radius_m': 50.0}, "house 'house_4' has no room for a lattice of 0.5 m")])
def test_refuses_what_cannot_be_walked(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_navigation_graph(HOUSE, **arguments)
