# SPDX-License-Identifier: Apache-2.0
import pytest

from sim_bridge.episode_series import draw_episode
from sim_bridge.sounds import load_catalogue

SOUNDS = load_catalogue().split('test')
SERIES = {'seed': 7, 'house': '', 'split': 'test', 'size': 'small', 'sounds': SOUNDS,
          'step_m': 0.5}


def test_an_episode_depends_on_seed_and_index_alone():
    assert draw_episode(1, **SERIES) == draw_episode(1, **SERIES)
    assert draw_episode(0, **SERIES) != draw_episode(1, **SERIES)
    assert draw_episode(0, **SERIES) != draw_episode(0, **{**SERIES, 'seed': 8})


def test_it_is_of_the_split():
    episode = draw_episode(0, **SERIES)
    assert episode.house.startswith('small/test/')
    assert episode.sound in {sound.name for sound in SOUNDS}
    assert episode.episode_id == '7-0'


def test_a_named_house_is_used():
    assert draw_episode(3, **{**SERIES, 'house': 'small/val/2'}).house == 'small/val/2'


def test_an_unknown_house_is_refused():
    with pytest.raises(ValueError, match='a house is'):
        draw_episode(0, **{**SERIES, 'house': 'castle'})
