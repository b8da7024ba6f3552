# SPDX-License-Identifier: Apache-2.0
"""Training as a whole, in about half a minute of one core: one house is learned by heart."""

import dataclasses

import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.imitation import ImitationSettings
from asgf_nav_ros.learning.policy_training import build_learner
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.network.agent import NavigationAgent
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)
MOST_ACTIONS = 40


@pytest.fixture
def house(tiny_bake):
    """The tiny house with one place of the sound."""
    by_source = ('source_nodes', 'responses', 'optimal', 'actions_to', 'path_length_m',
                 'azimuth_world_rad')
    return dataclasses.replace(
        tiny_bake, **{name: getattr(tiny_bake, name)[:1] for name in by_source})


@torch.inference_mode()
def greedy_success(agent, house):
    """Share of all nodes from which the likeliest actions end with STOP within 1 m."""
    count = len(house.nodes)
    world = GridWorld([house], agent.contract, count=count)
    for node in range(count):
        world.place(node, Placement(house=0, source=0, node=node, heading=node % 4, dry=CLIP,
                                    rng=np.random.default_rng(node)))
    hidden, active = agent.initial_hidden(count), np.ones(count, bool)
    for _ in range(MOST_ACTIONS):
        batch = world.observe()
        output = agent(batch.rgb, batch.depth, batch.spectrogram, hidden)
        hidden = output.hidden
        actions = output.logits.argmax(-1).numpy()
        active &= actions != Action.STOP
        moving = np.flatnonzero(active)
        world.act(actions[moving], moving)
    return np.mean(~active & (world.geodesic_m() <= agent.contract.success_radius_m))


def test_imitation_learns_one_house_by_heart(house, tiny_contract):
    recipe = Recipe(
        contract=dataclasses.replace(tiny_contract, system='av_nav'), agents=16,
        max_steps=MOST_ACTIONS, teacher=Teacher(guided_fraction=0.4),
        sound=SoundVariation(gain_db=0.0, equalizer_db=0.0, mix_probability=0.0),
        imitation=ImitationSettings(samples=4800, segment_steps=10, replayed_minibatches=3,
                                    memory_segments=400, learning_rate=1e-3))
    torch.manual_seed(0)
    agent = NavigationAgent(recipe.contract)
    assert greedy_success(agent, house) < 0.5
    rounds = []
    build_learner(recipe, agent, houses=[house], clips=[CLIP]).learn(rounds.append)
    assert rounds[-1]['action_loss'] < 0.1 * rounds[0]['action_loss']
    assert rounds[-1]['agreement'] > 0.95
    assert greedy_success(agent, house) == 1.0
