# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.runner import EpisodeRunner
from asgf_nav_ros.contract import Action
from sim_bridge.bake import BakeSettings
from sim_bridge.conditions import CONDITIONS
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
def episodes(tiny_bake, tiny_contract, sounds):
    drawn = draw_episodes([tiny_bake.name], sounds, tiny_contract,
                          settings=BakeSettings(sources=2), count=9, seed=3)
    return [each.episode for each in drawn]


def run(tiny_bake, tiny_contract, sounds, episodes, make_choice, **options):
    clips = {sound.name: load_sound(sound, 16000) for sound in sounds}
    navigator = Follower(tiny_contract, lambda slot: make_choice(runner, slot))
    runner = EpisodeRunner([tiny_bake], navigator, sounds=clips, **{'batch': 4, **options})
    return runner.run(episodes)


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


def test_poses_are_those_of_the_nodes(tiny_bake, tiny_contract, sounds, episodes):
    for run_ in run(tiny_bake, tiny_contract, sounds, episodes, follow_the_oracle):
        assert len(run_.poses) == len(run_.trajectory) == run_.outcome.actions
        assert run_.poses[-1][:2] == pytest.approx(run_.source_xy)
        steps_m = np.linalg.norm(np.diff(np.array(run_.poses)[:, :2], axis=0), axis=1)
        assert steps_m.sum() == pytest.approx(run_.outcome.path_m, abs=0.01)


class Listener(Follower):
    """Remembers how much it heard in all."""

    heard = 0.0

    def decide(self, slots, views):
        self.heard += views.spectrogram.sum(dtype=np.float64)
        return super().decide(slots, views)


@pytest.mark.parametrize('condition', CONDITIONS)
def test_an_episode_is_the_same_in_any_company(tiny_bake, tiny_contract, sounds, episodes,
                                               condition):
    clips = {sound.name: load_sound(sound, 16000) for sound in sounds}

    def run_side_by_side(batch):
        navigator = Listener(tiny_contract, lambda slot: follow_the_oracle(runner, slot))
        runner = EpisodeRunner([tiny_bake], navigator, sounds=clips, batch=batch,
                               condition=condition, severity=CONDITIONS[condition].middle)
        return runner.run(episodes), navigator.heard

    (alone, heard_alone), (together, heard_together) = map(run_side_by_side, (1, 4))
    assert alone == together
    assert heard_alone == pytest.approx(heard_together, rel=1e-6)


def test_a_condition_changes_what_is_heard_and_not_the_way(tiny_bake, tiny_contract, sounds,
                                                           episodes):
    clean, noisy = (run(tiny_bake, tiny_contract, sounds, episodes, follow_the_oracle, **options)
                    for options in ({}, {'condition': 'dropout', 'severity': 0.5}))
    assert clean == noisy
    slipping = run(tiny_bake, tiny_contract, sounds, episodes, follow_the_oracle,
                   condition='pose', severity=0.5)
    assert sum(run.outcome.actions for run in slipping) > sum(
        run.outcome.actions for run in clean)


def test_an_episode_of_another_lattice_is_refused(tiny_bake, tiny_contract, sounds, episodes):
    moved = dataclasses.replace(episodes[0], geodesic_m=episodes[0].geodesic_m + 1.0)
    with pytest.raises(ValueError, match='was drawn on another lattice'):
        run(tiny_bake, tiny_contract, sounds, [moved], follow_the_oracle)
