# SPDX-License-Identifier: Apache-2.0
"""Datasets of one small house, written once per test session."""

import dataclasses

import numpy as np
import pytest

from sim_bridge.bake import BakeSettings
from sim_bridge.soundspaces.layout import Layout

RATE_HZ = 16000
SPLIT = 'test_multiple_unheard'
SOURCES = 2


def make_clips(rate_hz):
    """Two sounds of one second, one of 2.5."""
    noise = np.random.default_rng(5).uniform(-1, 1, (3, rate_hz * 5 // 2)).astype(np.float32)
    return {'hiss': noise[0, :rate_hz], 'rain/soft': noise[1, :rate_hz], 'long': noise[2]}


def make_episodes(house, contract):
    from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
    from sim_bridge.sounds import load_catalogue
    episodes = draw_episodes([house.name], load_catalogue().split('test')[:2], contract,
                             settings=BakeSettings(sources=SOURCES), count=12, seed=3)
    return [each.episode for each in episodes]


def write_dataset(layout, house, episodes, clips, *, rate_hz):
    from sim_bridge.soundspaces import writer
    writer.write_scene(house, layout, sample_rate_hz=rate_hz)
    for name, clip in clips.items():
        writer.write_sound(layout, name, clip, sample_rate_hz=rate_hz)
    episodes = [dataclasses.replace(each, sound=list(clips)[index % 2])
                for index, each in enumerate(episodes)]
    writer.write_episodes(layout, SPLIT, episodes, {house.name: house})


@pytest.fixture(scope='session')
def clips():
    return make_clips(RATE_HZ)


@pytest.fixture(scope='session')
def drawn(tiny_bake, tiny_contract):
    """Episodes in the house, as the benchmark draws them."""
    return make_episodes(tiny_bake, tiny_contract)


@pytest.fixture(scope='session')
def written(tiny_bake, drawn, clips, tmp_path_factory):
    """The layout of the dataset; nobody may change its files."""
    layout = Layout(tmp_path_factory.mktemp('data'), 'replica')
    write_dataset(layout, tiny_bake, drawn, clips, rate_hz=RATE_HZ)
    return layout


@pytest.fixture(scope='session')
def write_published(tmp_path_factory):
    """Bake and write a dataset of a published contract, with responses of ``response_s``."""
    def write(name, contract, *, response_s):
        from sim_bridge.bake import bake_house
        from sim_bridge.episodes import load_house
        house = bake_house(load_house('small/train/11'), contract,
                           directory=tmp_path_factory.mktemp('bakes'),
                           settings=BakeSettings(sources=SOURCES, rays=500, response_s=response_s))
        layout = Layout(tmp_path_factory.mktemp('data'), name)
        write_dataset(layout, house, make_episodes(house, contract),
                      make_clips(contract.sample_rate_hz), rate_hz=contract.sample_rate_hz)
        return layout
    return write


@pytest.fixture(scope='session')
def scene_name(tiny_bake):
    from sim_bridge.soundspaces.writer import scene_name
    return scene_name(tiny_bake.name)
