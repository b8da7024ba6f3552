# SPDX-License-Identifier: Apache-2.0
"""PPO on a world of two nodes, with an agent small enough to learn it in a second."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.ppo import PpoLearner
from asgf_nav_ros.learning.ppo import PpoSettings
from asgf_nav_ros.learning.ppo_rollout import PpoRollout
from asgf_nav_ros.learning.ppo_rollout import Reward
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.network.agent import AgentOutput
from asgf_nav_ros.network.agent import SequenceOutput
from sim_bridge.bake import BakedHouse
from sim_bridge.grid_world import GridWorld

CONTRACT = PolicyContract(image_height=8, image_width=1, hidden_size=4, window_s=0.1)


def two_nodes():
    """Nodes (0, 0), where the goal is, and (0.5, 0), each seen as a row of its own."""
    depth = np.zeros((2, 4, 8, 1), np.uint16)
    for node in range(2):
        for heading in range(4):
            depth[node, heading, 4 * node + heading] = 1000
    neighbors = np.full((2, 4), -1, np.int32)
    neighbors[0, 0], neighbors[1, 2] = 1, 0
    return BakedHouse(
        name='two', path=Path(), rgb=np.zeros((2, 4, 8, 1, 3), np.uint8), depth_mm=depth,
        responses=np.ones((1, 2, 4, 2, 4), np.float16), nodes=np.array([[0.0, 0.0], [0.5, 0.0]]),
        neighbors=neighbors, distances_m=np.array([[0, 0.5], [0.5, 0]], np.float32),
        source_nodes=np.zeros(1, np.int32), optimal=np.zeros((1, 2, 4, 4), bool),
        actions_to=np.zeros((1, 2, 4), np.int16), path_length_m=np.zeros((1, 2), np.float32),
        azimuth_world_rad=np.zeros((1, 2), np.float32),
        yaw_error_rad=np.zeros((2, 4), np.float32), rotation_rad=0.0)


class TableAgent(nn.Module):
    """Decides by what it sees alone: a row of logits and a value for each view."""

    def __init__(self):
        super().__init__()
        self.actor, self.critic = nn.Linear(8, 4), nn.Linear(8, 1)
        nn.init.zeros_(self.actor.weight)
        nn.init.zeros_(self.actor.bias)

    def forward(self, rgb, depth, spectrogram, hidden):
        seen = depth.flatten(-2)
        return AgentOutput(self.actor(seen), self.critic(seen)[..., 0], hidden,
                           *[None] * 5)

    def sequence(self, rgb, depth, spectrogram, hidden, starts):
        output = self(rgb, depth, spectrogram, hidden)
        return SequenceOutput(output.logits, output.value, None, None, hidden)


@pytest.mark.parametrize('minibatches', [1, 2])
def test_learns_to_stop_at_the_goal_and_to_walk_there(minibatches):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    house, clip = two_nodes(), np.ones(CONTRACT.window_samples, np.float32)
    episodes = EpisodeDraw([house], [clip], sample_rate_hz=CONTRACT.sample_rate_hz, rng=rng,
                           variation=SoundVariation(), troubles=Troubles(), large_share=None)
    rollout = PpoRollout(GridWorld([house], CONTRACT, count=16), episodes, reward=Reward(),
                         rng=rng, max_steps=20)
    agent = TableAgent()
    learner = PpoLearner(agent, rollout, rng=rng, settings=PpoSettings(
        samples=16 * 20 * 25, steps=20, minibatches=minibatches, learning_rate=0.1, clip=0.2,
        entropy_weight=0.01, bfloat16=False))
    rounds = []
    learner.learn(rounds.append)
    assert rounds[0]['success_rate'] < 0.7
    assert rounds[-1]['success_rate'] > 0.95
    assert rounds[-1]['spl'] > 0.95
    assert rounds[-1]['episode_reward'] > rounds[0]['episode_reward'] + 4
    policy = agent.actor(torch.eye(8)).argmax(-1)
    assert policy[:4].tolist() == [0, 0, 0, 0]
    assert policy[6].item() == 1
