# SPDX-License-Identifier: Apache-2.0
"""A dataset of one small house, written once per test session."""

import numpy as np
import pytest

from sim_bridge.bake import BakeSettings
from sim_bridge.soundspaces.layout import Layout

RATE_HZ = 16000


@pytest.fixture(scope='session')
def clips():
    """Two sounds of one second, one of 2.5."""
    rng = np.random.default_rng(5)
    noise = rng.uniform(-1, 1, (3, 40000)).astype(np.float32)
    return {'hiss': noise[0, :RATE_HZ], 'rain/soft': noise[1, :RATE_HZ], 'long': noise[2]}


@pytest.fixture(scope='session')
def drawn(tiny_bake, tiny_contract):
    """Episodes in the house, as the benchmark draws them."""
    from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
    from sim_bridge.sounds import load_catalogue
    episodes = draw_episodes([tiny_bake.name], load_catalogue().split('test')[:2], tiny_contract,
                             settings=BakeSettings(sources=2), count=12, seed=3)
    return [each.episode for each in episodes]


@pytest.fixture(scope='session')
def written(tiny_bake, drawn, clips, tmp_path_factory):
    """The layout of the dataset; nobody may change its files."""
    import dataclasses

    from sim_bridge.soundspaces import writer
    layout = Layout(tmp_path_factory.mktemp('data'), 'replica')
    writer.write_scene(tiny_bake, layout, sample_rate_hz=RATE_HZ)
    for name, clip in clips.items():
        writer.write_sound(layout, name, clip, sample_rate_hz=RATE_HZ)
    episodes = [dataclasses.replace(each, sound=list(clips)[index % 2])
                for index, each in enumerate(drawn)]
    writer.write_episodes(layout, 'test_multiple_unheard', episodes, {tiny_bake.name: tiny_bake})
    return layout


@pytest.fixture(scope='session')
def scene_name(tiny_bake):
    from sim_bridge.soundspaces.writer import scene_name
    return scene_name(tiny_bake.name)
