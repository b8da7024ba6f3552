# SPDX-License-Identifier: Apache-2.0
import dataclasses
import itertools

import pytest

from asgf_nav_ros.benchmark.houses_v1 import Benchmark
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.houses_v1 import sha256
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakeSettings
from sim_bridge.conditions import bake_settings
from sim_bridge.conditions import CONDITIONS
from sim_bridge.episodes import house_seed
from sim_bridge.episodes import SIZES
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import SPLITS

HOUSES = ['small/val/0', 'small/val/3']


@pytest.fixture(scope='module')
def benchmark():
    return Benchmark.read()


def draw(benchmark, *, sounds=None, count=9, seed=1, contract=None, settings=None):
    return draw_episodes(HOUSES, sounds or load_catalogue().split('val'),
                         contract or PolicyContract(), settings=settings or benchmark.bake,
                         count=count, seed=seed)


def test_houses_are_many_and_no_split_shares_a_seed(benchmark):
    assert {split: benchmark.houses[split] for split in SPLITS} == {
        'train': 60, 'val': 10, 'test': 20}
    seeds = [house_seed(split, int(name.rpartition('/')[2]), size)
             for size, split in itertools.product(SIZES, SPLITS)
             for name in benchmark.house_names(size, split)]
    assert len(set(seeds)) == len(seeds) == 180


def test_every_set_of_validation_and_test_is_pinned(benchmark):
    assert set(benchmark.sha256) == {
        f'{size}/{split}/{sounds}' for size in SIZES for split in ('val', 'test')
        for sounds in ('heard', 'unheard')}
    assert all(len(value) == 64 for value in benchmark.sha256.values())
    assert benchmark.pinned_sha256('small', 'val', 'heard', episodes=benchmark.episodes,
                                   seed=benchmark.seed) == benchmark.sha256['small/val/heard']
    assert benchmark.pinned_sha256('small', 'val', 'heard', episodes=7, seed=1) is None


def test_the_validation_set_is_the_pinned_one(benchmark):
    drawn = draw_episodes(
        benchmark.house_names('small', 'val'), load_catalogue().split('val'), PolicyContract(),
        settings=benchmark.bake, count=benchmark.episodes, seed=benchmark.seed)
    assert sha256(drawn) == benchmark.sha256['small/val/unheard']


def test_the_seed_decides_and_houses_share_evenly(benchmark):
    drawn = draw(benchmark)
    assert sha256(drawn) == sha256(draw(benchmark)) != sha256(draw(benchmark, seed=2))
    assert [each.episode.house for each in drawn] == [HOUSES[0]] * 5 + [HOUSES[1]] * 4
    assert [each.episode.episode_id for each in drawn] == [f'{k:05d}' for k in range(9)]


def test_other_sounds_are_sought_on_the_same_ways(benchmark):
    unheard, heard = draw(benchmark), draw(benchmark, sounds=[load_catalogue().heard])
    assert {each.episode.sound for each in heard} == {load_catalogue().heard.name}
    for one, other in zip(unheard, heard):
        assert dataclasses.replace(one.episode, sound='') == dataclasses.replace(
            other.episode, sound='')


def test_episodes_do_not_depend_on_what_is_seen_and_heard(benchmark):
    usual = sha256(draw(benchmark))
    small_images = PolicyContract(image_height=64, image_width=64, system='av_nav')
    assert sha256(draw(benchmark, contract=small_images)) == usual
    for name, condition in CONDITIONS.items():
        settings = bake_settings(name, condition.middle, benchmark.bake)
        assert sha256(draw(benchmark, count=2, settings=settings)) == sha256(
            draw(benchmark, count=2))


def test_a_file_that_is_no_benchmark_is_named(tmp_path):
    file = tmp_path / 'other.yaml'
    file.write_text('bake: {sources: 3}\nrooms: 7\n')
    with pytest.raises(ValueError, match='other.yaml.*rooms'):
        Benchmark.read(file)


def test_lattices_are_rotated(benchmark):
    assert benchmark.bake == BakeSettings(sources=3, rotate=True)
