# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.arbitrary_pose import at_arbitrary_pose
from sim_bridge.arbitrary_pose import own_lattice
from sim_bridge.bake import BakeSettings
from sim_bridge.bake import lay_lattice
from sim_bridge.episodes import Episode
from sim_bridge.episodes import load_house
from sim_bridge.episodes import SHORTEST_GEODESIC_M

STEP_M = 0.5


@pytest.fixture(scope='module')
def house():
    return load_house('small/val/3')


@pytest.fixture(scope='module')
def graph(house):
    return lay_lattice(house, PolicyContract(), BakeSettings(sources=1))[0]


@pytest.fixture(scope='module')
def episodes(graph):
    far = np.argwhere(graph.distances_m() >= 2.5)
    ends = far[np.random.default_rng(0).integers(len(far), size=10)]
    return [Episode(episode_id=str(seed), house='small/val/3', start_node=int(start),
                    start_heading=0, goal_node=int(goal), sound='s', seed=100 * seed,
                    geodesic_m=2.5, oracle_actions=6) for seed, (start, goal) in enumerate(ends)]


def test_every_episode_has_another_lattice_of_its_own(house):
    first, again, other = (own_lattice(house, seed, step_m=STEP_M) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.nodes, again.nodes)
    assert first.rotation_rad != other.rotation_rad
    assert first.step_m == STEP_M


def test_start_and_goal_stay_in_their_rooms_and_near(house, graph, episodes):
    headings = set()
    for episode in episodes:
        moved, own = at_arbitrary_pose(episode, house, graph)
        for before, after in ((episode.start_node, moved.start_node),
                              (episode.goal_node, moved.goal_node)):
            assert house.room_at(graph.nodes[before]) == house.room_at(own.nodes[after])
            assert np.linalg.norm(graph.nodes[before] - own.nodes[after]) <= STEP_M
        assert moved.geodesic_m >= SHORTEST_GEODESIC_M
        headings.add(moved.start_heading)
    assert len(headings) > 1


def test_the_seed_of_the_moved_episode_brings_its_lattice_back(house, graph, episodes):
    moved, own = at_arbitrary_pose(episodes[0], house, graph)
    again = own_lattice(house, moved.seed, step_m=STEP_M)
    np.testing.assert_array_equal(again.nodes, own.nodes)
    assert moved.geodesic_m == pytest.approx(
        again.distances_m()[moved.start_node, moved.goal_node])
    assert moved.oracle_actions == again.actions_to(moved.goal_node)[
        moved.start_node, moved.start_heading] + 1
    assert (moved.episode_id, moved.house, moved.sound) == ('0', 'small/val/3', 's')


def test_ends_that_no_lattice_keeps_apart_are_refused(house, graph, episodes):
    nowhere = dataclasses.replace(episodes[0], goal_node=episodes[0].start_node)
    with pytest.raises(ValueError, match="both ends of episode '0'"):
        at_arbitrary_pose(nowhere, house, graph)
