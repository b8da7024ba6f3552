# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from sim_bridge import episodes
from sim_bridge.house.floor_plan import write_floor_plan
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import SPLITS

FLAT = House(
    'flat',
    (Room('west', np.array([[0, 0], [4, 0], [4, 3], [0, 3]])),
     Room('east', np.array([[4, 0], [8, 0], [8, 3], [4, 3]]))),
    doors=(Door(np.array([4.0, 1.0]), np.array([4.0, 2.0])),))
GRAPH = build_navigation_graph(FLAT, offset_m=(0.25, 0.25))
SOUNDS = load_catalogue().split('test')


def draw(seed=3, count=200, **options):
    return episodes.sample_episodes(GRAPH, [0, 30, 60], SOUNDS, count=count,
                                    rng=np.random.default_rng(seed), house='flat', **options)


def test_episodes_hold_what_the_graph_says():
    for episode in draw(count=50):
        left = GRAPH.actions_to(episode.goal_node)
        assert episode.oracle_actions == left[episode.start_node, episode.start_heading] + 1
        assert episode.geodesic_m == GRAPH.distances_m()[episode.start_node, episode.goal_node]
        assert episode.sound in {sound.name for sound in SOUNDS}


def test_episodes_are_neither_trivial_nor_all_alike():
    drawn = draw()
    assert min(episode.geodesic_m for episode in drawn) >= episodes.SHORTEST_GEODESIC_M
    assert min(episode.oracle_actions for episode in drawn) >= 4
    assert {episode.goal_node for episode in drawn} == {0, 30, 60}
    assert {episode.start_heading for episode in drawn} == {0, 1, 2, 3}
    assert len({episode.sound for episode in drawn}) > 12
    other_room = [FLAT.room_at(GRAPH.nodes[episode.start_node])
                  != FLAT.room_at(GRAPH.nodes[episode.goal_node]) for episode in drawn]
    assert 0.5 < np.mean(other_room) < 0.95


def test_same_generator_draws_the_same_episodes():
    assert draw() == draw()
    assert draw() != draw(seed=4)


def test_harder_episodes_on_request():
    assert min(episode.oracle_actions for episode in draw(min_oracle_actions=12)) >= 12


def test_impossible_wishes_are_refused():
    with pytest.raises(ValueError, match="house 'flat' needs a sound and a start"):
        draw(min_oracle_actions=500)


def test_json_round_trip_and_fingerprint():
    drawn = draw(count=5)
    again = episodes.episodes_from_json(episodes.episodes_to_json(drawn))
    assert again == drawn
    assert episodes.episodes_sha256(again) == episodes.episodes_sha256(drawn)
    changed = [dataclasses.replace(drawn[0], seed=drawn[0].seed + 1), *drawn[1:]]
    assert episodes.episodes_sha256(changed) != episodes.episodes_sha256(drawn)


@pytest.mark.parametrize('text', ['', '[{"episode_id": "a"}]', '[1]', '{"a": 1}'])
def test_other_json_is_refused(text):
    with pytest.raises(ValueError):
        episodes.episodes_from_json(text)


def test_house_seeds_of_splits_and_sizes_never_meet():
    seeds = [episodes.house_seed(split, index, size) for size in episodes.SIZES
             for split in SPLITS for index in (0, 1, episodes.HOUSES_PER_SPLIT - 1)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize('name', [
    'small/test', 'tiny/test/1', 'small/dev/1', 'small/test/-1', 'small/test/1000000', '7'])
def test_other_house_names_are_refused(name):
    with pytest.raises(ValueError, match='house'):
        episodes.load_house(name)


def test_named_house_is_generated_the_same_every_time():
    first, second = episodes.load_house('small/test/7'), episodes.load_house('small/test/7')
    assert first.name == 'small/test/7'
    np.testing.assert_array_equal(first.rooms[0].polygon, second.rooms[0].polygon)


def test_floor_plan_file_is_read(tmp_path):
    path = tmp_path / 'flat.json'
    write_floor_plan(FLAT, path)
    assert len(episodes.load_house(str(path)).rooms) == 2
