# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.imitation import imitation_losses
from asgf_nav_ros.learning.imitation import ImitationLearner
from asgf_nav_ros.learning.imitation import ImitationSettings
from asgf_nav_ros.learning.rollout import Rollout
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.agent import SequenceOutput
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.checkpoint import save_checkpoint
from asgf_nav_ros.network.checkpoint import weights_sha256
from sim_bridge.grid_world import GridWorld

CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)


def output(logits, direction=(1.0, 0.0, 0.0)):
    logits = torch.tensor(logits, dtype=torch.float32).expand(1, 1, 4)
    return SequenceOutput(logits, torch.zeros(1, 1), torch.zeros(1, 1, 512),
                          torch.tensor(direction).expand(1, 1, 3), torch.zeros(1, 512))


def test_loss_sums_the_probability_of_all_optimal_actions():
    optimal = torch.tensor([[[False, True, True, False]]])
    losses = imitation_losses(output([0.0, 0.0, 0.0, 0.0]), optimal, torch.zeros(1, 1, 3))
    assert losses.action.item() == pytest.approx(math.log(2))
    sure = imitation_losses(output([-20.0, 20.0, -20.0, -20.0]), optimal, torch.zeros(1, 1, 3))
    assert sure.action.item() == pytest.approx(0, abs=1e-6)
    assert sure.agreement.item() == 1


def test_direction_loss_is_zero_only_for_the_true_direction():
    optimal = torch.ones(1, 1, 4, dtype=torch.bool)
    truth = torch.tensor([[[0.0, 1.0, 2.0]]])
    right = imitation_losses(output([0.0] * 4, (0.0, 1.0, 2.0)), optimal, truth)
    opposite = imitation_losses(output([0.0] * 4, (0.0, -1.0, 2.0)), optimal, truth)
    assert right.direction.item() == 0
    assert opposite.direction.item() == pytest.approx(2)


@pytest.fixture
def learner(tiny_bake, tiny_contract):
    def build(seed=0, agent=None, **settings):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        world = GridWorld([tiny_bake], tiny_contract, count=8)
        episodes = EpisodeDraw([tiny_bake], [CLIP], sample_rate_hz=16000, rng=rng,
                               variation=SoundVariation(), troubles=Troubles(), large_share=None)
        rollout = Rollout(world, episodes, teacher=Teacher(guided_fraction=5.0), rng=rng,
                          max_steps=30)
        agent = agent or NavigationAgent(tiny_contract)
        defaults = {'samples': 8 * 5 * 8, 'segment_steps': 5, 'minibatch_segments': 4,
                    'replayed_minibatches': 4}
        return ImitationLearner(agent, world, rollout, rng=rng,
                                settings=ImitationSettings(**defaults | settings))
    return build


def test_learning_lowers_the_loss(learner):
    student = learner(samples=8 * 5 * 30)
    student.learn(lambda figures: None)
    losses = [figures['action_loss'] for figures in student.history]
    assert student.samples == 1200
    assert np.mean(losses[-5:]) < 0.85 * np.mean(losses[:5])


def test_the_same_seed_learns_the_same(learner):
    weights = []
    for _ in range(2):
        student = learner(bfloat16=False)
        student.round()
        weights.append(student.agent.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_resumed_run_has_weights_optimiser_and_progress(learner, tmp_path):
    student = learner()
    student.round()
    save_checkpoint(student.agent, tmp_path / 'checkpoint.pt', training=student.state())
    checkpoint = load_checkpoint(tmp_path / 'checkpoint.pt')
    resumed = learner(agent=checkpoint.agent)
    resumed.restore(checkpoint.training)
    assert resumed.samples == student.samples == 40
    assert weights_sha256(resumed.agent) == weights_sha256(student.agent)
    resumed.learn(lambda figures: None)
    assert resumed.samples == 320
    assert len(resumed.history) == 7


def test_segments_start_from_the_memory_that_the_agent_had(learner):
    student = learner()
    first = student._rollout.collect(student.agent, 3, progress=0.0)
    second = student._rollout.collect(student.agent, 3, progress=0.0)
    assert all(segment.hidden.abs().sum() == 0 for segment in first)
    assert all(segment.starts[0] for segment in first)
    carried = [segment for segment in second if not segment.starts[0]]
    assert carried
    assert all(segment.hidden.abs().sum() > 0 for segment in carried)


def test_guided_segments_hold_only_optimal_ways(learner):
    student = learner()
    for segment in student._rollout.collect(student.agent, 12, progress=0.0):
        stops = segment.optimal[:-1, Action.STOP]
        np.testing.assert_array_equal(segment.starts[1:], stops)


def test_an_episode_ends_after_a_detour_that_is_too_long(tiny_bake, tiny_contract):
    rng = np.random.default_rng(0)
    world = GridWorld([tiny_bake], tiny_contract, count=8)
    episodes = EpisodeDraw([tiny_bake], [CLIP], sample_rate_hz=16000, rng=rng,
                           variation=SoundVariation(), troubles=Troubles(), large_share=None)
    teacher = Teacher(guided_fraction=1e-9, oracle_steps=0.0, forced_stop=0.0)

    def longest_episode(**limits):
        rollout = Rollout(world, episodes, teacher=teacher, rng=rng, **limits)
        segments = rollout.collect(NavigationAgent(tiny_contract), 120, progress=1.0)
        starts = [np.flatnonzero(segment.starts) for segment in segments]
        return max(np.diff([*start, 120]).max() for start in starts)

    furthest = int(tiny_bake.actions_to.max()) + 1
    assert longest_episode(max_steps=1000) > 60
    assert longest_episode(max_steps=1000, max_detour=1.0) <= furthest + 5


@pytest.mark.parametrize('name', ['samples', 'learning_rate', 'segment_steps'])
def test_settings_must_be_positive(name):
    with pytest.raises(ValueError, match=f'{name} must be positive, got 0'):
        ImitationSettings(**{name: 0})
