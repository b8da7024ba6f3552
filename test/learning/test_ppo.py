# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.ppo import generalized_advantages
from asgf_nav_ros.learning.ppo import ppo_losses
from asgf_nav_ros.learning.ppo import PpoLearner
from asgf_nav_ros.learning.ppo import PpoSettings
from asgf_nav_ros.learning.ppo_rollout import PpoRollout
from asgf_nav_ros.learning.ppo_rollout import Reward
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.agent import SequenceOutput
from sim_bridge.grid_world import GridWorld

RECIPES = Path(__file__).parents[2] / 'config' / 'recipes'
CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)


def advantages_by_definition(rewards, values, ends, discount, trace):
    """The sum of all later surprises of the same episode, each with its weight."""
    steps, agents = rewards.shape
    result = np.zeros((steps, agents))
    for agent in range(agents):
        for step in range(steps):
            weight = 1.0
            for later in range(step, steps):
                follows = 0.0 if ends[later, agent] else values[later + 1, agent]
                surprise = rewards[later, agent] + discount * follows - values[later, agent]
                result[step, agent] += weight * surprise
                if ends[later, agent]:
                    break
                weight *= discount * trace
    return result


def test_advantages_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(9, 3)), rng.normal(size=(10, 3))
    ends = rng.random((9, 3)) < 0.3
    got = generalized_advantages(torch.from_numpy(rewards), torch.from_numpy(values),
                                 torch.from_numpy(ends), discount=0.9, trace=0.8)
    np.testing.assert_allclose(got, advantages_by_definition(rewards, values, ends, 0.9, 0.8))


def score(probability, *, old, advantage, value=0.0, old_value=0.0, goal=0.0):
    """Losses of one decision whose chosen action has ``probability``, before ``old``."""
    rest = math.log((1 - probability) / 3)
    logits = torch.tensor([[[math.log(probability), rest, rest, rest]]])
    output = SequenceOutput(logits, torch.full((1, 1), value), None, None, None)
    one = torch.ones(1, 1)
    return ppo_losses(output, torch.zeros(1, 1, dtype=torch.long), math.log(old) * one,
                      old_value * one, advantage * one, goal * one, clip=0.1)


@pytest.mark.parametrize('probability, advantage, wanted', [
    (0.5, 2.0, -2.0),  # unchanged
    (0.525, 2.0, -2.1),  # within the range
    (0.8, 2.0, -2.2),  # no more than 1.1 counts
    (0.2, 2.0, -0.8),  # a loss in full
    (0.2, -2.0, 1.8),  # no less than 0.9 counts
    (0.8, -2.0, 3.2)])
def test_surrogate_gains_no_further_than_the_clip_range(probability, advantage, wanted):
    loss = score(probability, old=0.5, advantage=advantage).action
    assert loss.item() == pytest.approx(wanted, rel=1e-5)


def test_value_loss_takes_the_worse_of_free_and_clipped_value():
    assert score(0.5, old=0.5, advantage=0.0, value=1.0, goal=1.0).value.item() == pytest.approx(
        0.5 * 0.9 ** 2)
    assert score(0.5, old=0.5, advantage=0.0, value=3.0, goal=1.0).value.item() == pytest.approx(
        0.5 * 2.0 ** 2)


def test_entropy_is_that_of_the_distribution():
    assert score(0.25, old=0.5, advantage=0.0).entropy.item() == pytest.approx(math.log(4))


def test_reward_is_that_of_soundspaces():
    reward = Reward().of(np.array([2.0, 0.0, 1.0]), np.array([1.5, 0.0, 1.0]),
                         np.array([False, True, False]))
    np.testing.assert_allclose(reward, [0.49, 9.99, -0.01], rtol=1e-6)


@pytest.mark.parametrize('name, value, message', [
    ('samples', 0, 'samples must be positive, got 0'), ('clip', -1, 'clip must be positive'),
    ('discount', 1.5, 'discount must be in'), ('critic_fraction', -0.1, 'critic_fraction must')])
def test_settings_are_checked(name, value, message):
    with pytest.raises(ValueError, match=message):
        PpoSettings(**{name: value})


def test_the_shipped_recipe_is_soundspaces_own():
    recipe = Recipe.read(RECIPES / 'ppo.yaml')
    assert recipe.method == 'ppo'
    assert recipe.agents * recipe.ppo.steps * 40_000 == recipe.ppo.samples
    assert recipe.ppo == PpoSettings(samples=30_000_000)
    assert recipe.reward == Reward()
    assert recipe.contract.image_height == 128 and len(recipe.contract.audio_channels) == 2
    assert recipe.max_steps == 500


def test_ppo_can_go_on_from_the_imitation_recipe():
    taught, recipe = (Recipe.read(RECIPES / name)
                      for name in ('imitation.yaml', 'ppo_after_imitation.yaml'))
    assert recipe.contract == dataclasses.replace(
        taught.contract, trained_on=recipe.contract.trained_on)
    assert recipe.bake == taught.bake and recipe.houses == taught.houses


@pytest.fixture
def rollout(tiny_bake, tiny_contract):
    def build(*, contract=tiny_contract, agents=3, seed=0, max_steps=20, troubles=None,
              temperature=1.0):
        rng = np.random.default_rng(seed)
        world = GridWorld([tiny_bake], contract, count=agents)
        episodes = EpisodeDraw([tiny_bake], [CLIP], sample_rate_hz=16000, rng=rng,
                               variation=SoundVariation(), troubles=troubles or Troubles(),
                               large_share=None)
        return PpoRollout(world, episodes, reward=Reward(), rng=rng, max_steps=max_steps,
                          temperature=temperature)
    return build


@pytest.mark.parametrize('temperature', [1.0, 0.25])
def test_experience_says_what_the_agent_thought(rollout, tiny_contract, temperature):
    torch.manual_seed(0)
    agent = NavigationAgent(tiny_contract, system='av_nav')
    agents = rollout(temperature=temperature)
    agents.collect(agent, 3)
    experience = agents.collect(agent, 6)
    output = agent.sequence(**experience.observations, hidden=experience.hidden,
                            starts=experience.starts)
    log_probability = torch.log_softmax(output.logits / temperature, -1).gather(
        -1, experience.actions[..., None])[..., 0]
    torch.testing.assert_close(log_probability, experience.log_probabilities, atol=1e-4, rtol=0)
    torch.testing.assert_close(output.values, experience.values[:-1], atol=1e-4, rtol=0)
    assert len(experience) == 18
    assert torch.equal(experience.ends[:-1], experience.starts[1:])


def test_episodes_end_with_stop_or_in_time(rollout, tiny_contract):
    agents = rollout(max_steps=4)
    experience = agents.collect(NavigationAgent(tiny_contract, system='av_nav'), 8)
    assert experience.ends[experience.actions == 0].all()
    for column in experience.ends.T:
        lengths = np.diff(np.flatnonzero(np.append(True, column.numpy())))
        assert (lengths <= 4).all()
    assert agents.figures()['episode_steps'] <= 4


@pytest.mark.parametrize('odometry', [False, True])
def test_a_restored_rollout_goes_on_as_if_nothing_had_happened(rollout, tiny_contract, odometry):
    contract = dataclasses.replace(tiny_contract, odometry=odometry)
    torch.manual_seed(0)
    agent = NavigationAgent(contract, system='av_nav')
    troubles = Troubles(noise=0.5, intermittent=0.5, dropout=0.5, slip=0.5)
    first = rollout(contract=contract, troubles=troubles)
    first.collect(agent, 5)
    other = rollout(contract=contract, troubles=troubles, seed=9)
    other.restore(first.state())
    other._rng.bit_generator.state = first._rng.bit_generator.state
    wanted, got = first.collect(agent, 6), other.collect(agent, 6)
    for name, tensor in wanted.observations.items():
        assert torch.equal(tensor, got.observations[name]), name
    assert torch.equal(wanted.actions, got.actions)
    assert torch.equal(wanted.rewards, got.rewards)
    assert first.figures() == other.figures()


def test_restoring_other_numbers_of_agents_is_refused(rollout):
    with pytest.raises(ValueError, match='must have 2 agents, got 3'):
        rollout(agents=2).restore(rollout(agents=3).state())


def learner_of(agents, agent, **settings):
    return PpoLearner(agent, agents, rng=np.random.default_rng(0), settings=PpoSettings(
        **{'samples': 36, 'steps': 6, 'epochs': 2, 'bfloat16': False} | settings))


def test_learning_rate_and_clip_fall_linearly(rollout, tiny_contract):
    learner = learner_of(rollout(), NavigationAgent(tiny_contract, system='av_nav'))
    learner.samples = 27
    assert learner._left() == pytest.approx(0.25)
    assert learner._optimizer.param_groups[0]['lr'] == pytest.approx(0.25 * 2.5e-4)


def test_at_first_only_the_critic_learns(rollout, tiny_contract):
    torch.manual_seed(0)
    agent = NavigationAgent(tiny_contract, system='av_nav')
    before = {name: tensor.clone() for name, tensor in agent.state_dict().items()}
    learner = learner_of(rollout(), agent, critic_fraction=0.5)
    learner.round()
    changed = {name for name, tensor in agent.state_dict().items()
               if not torch.equal(tensor, before[name])}
    assert changed == {'critic.weight', 'critic.bias'}
    learner.round()
    assert torch.equal(agent.direction_head.weight, before['direction_head.weight'])
    assert not torch.equal(agent.actor.weight, before['actor.weight'])


def test_ears_may_stay_as_they_were_taught(rollout, tiny_contract):
    torch.manual_seed(0)
    agent = NavigationAgent(tiny_contract, system='av_nav')
    ears = [tensor.clone() for tensor in agent.hearing_parameters()]
    actor = agent.actor.weight.clone()
    learner_of(rollout(), agent, learn_hearing=False).round()
    assert all(torch.equal(*pair) for pair in zip(agent.hearing_parameters(), ears))
    assert not torch.equal(agent.actor.weight, actor)


def test_minibatches_split_the_agents(rollout, tiny_contract):
    learner = learner_of(rollout(), NavigationAgent(tiny_contract), minibatches=2)
    slots = [part.tolist() for part in learner._split(5)]
    assert [len(part) for part in slots] == [3, 2]
    assert sorted(sum(slots, [])) == list(range(5))


def test_the_policy_that_learns_is_the_one_that_acted(rollout, tiny_contract):
    torch.manual_seed(0)
    agent = NavigationAgent(tiny_contract, system='av_nav')
    with torch.no_grad():
        agent.actor.weight.mul_(30)
    agents = rollout(temperature=0.25)
    figures = learner_of(agents, agent, temperature=0.25, epochs=1).round()
    assert figures['action_loss'] == pytest.approx(0, abs=1e-5)  # all ratios are 1
