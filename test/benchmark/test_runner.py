# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.evaluate import draw_episodes
from asgf_nav_ros.benchmark.runner import EpisodeRunner
from asgf_nav_ros.contract import Action
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound


class Follower:
    """A navigator that is told its episodes and follows a table, to check the book-keeping."""

    model_sha256 = None

    def __init__(self, contract, choose):
        self.contract, self._choose = contract, choose
        self.seen = []

    def begin(self, slots, rngs):
        self.seen += list(slots)

    def decide(self, slots, views):
        assert views.rgb.shape[0] == views.spectrogram.shape[0] == len(slots)
        return np.array([self._choose(slot) for slot in slots])


@pytest.fixture
def sounds():
    return load_catalogue().split('test')[:2]


@pytest.fixture
def episodes(tiny_bake, sounds):
    return draw_episodes([tiny_bake], sounds, count=9, seed=3)


def run(tiny_bake, tiny_contract, sounds, episodes, make_choice, **options):
    clips = {sound.name: load_sound(sound, 16000) for sound in sounds}
    navigator = Follower(tiny_contract, lambda slot: make_choice(runner, slot))
    runner = EpisodeRunner([tiny_bake], navigator, sounds=clips, batch=4, **options)
    return runner.run(episodes, progress=False)


def follow_the_oracle(runner, slot):
    return runner.world.optimal()[slot].argmax()


def test_the_oracle_is_perfect(tiny_bake, tiny_contract, sounds, episodes):
    runs = run(tiny_bake, tiny_contract, sounds, episodes, follow_the_oracle)
    assert [run.episode for run in runs] == episodes
    means = metrics.mean_metrics([run.outcome for run in runs], radius_m=0.2)
    assert means == pytest.approx({'success_rate': 1, 'spl': 1, 'soft_spl': 1, 'sna': 1,
                                   'distance_to_goal_m': 0})


def test_an_episode_ends_at_the_limit_without_success(tiny_bake, tiny_contract, sounds, episodes):
    runs = run(tiny_bake, tiny_contract, sounds, episodes, lambda *_: Action.TURN_LEFT,
               max_actions=7)
    assert {run.outcome.actions for run in runs} == {7}
    assert not any(run.outcome.stopped for run in runs)
    assert all(run.outcome.geodesic_end_m == pytest.approx(run.episode.geodesic_m)
               for run in runs)


def test_stopping_at_once_fails_far_from_the_goal(tiny_bake, tiny_contract, sounds, episodes):
    runs = run(tiny_bake, tiny_contract, sounds, episodes, lambda *_: Action.STOP)
    assert all(run.outcome.stopped and run.outcome.actions == 1 for run in runs)
    assert metrics.mean_metrics([run.outcome for run in runs])['success_rate'] == 0


def test_episodes_repeat_with_the_seed(tiny_bake, sounds, episodes):
    assert draw_episodes([tiny_bake], sounds, count=9, seed=3) == episodes
    assert draw_episodes([tiny_bake], sounds, count=9, seed=4) != episodes
