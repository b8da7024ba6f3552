# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.learning.waypoint_imitation import waypoint_losses
from asgf_nav_ros.learning.waypoint_imitation import WaypointLearner
from asgf_nav_ros.learning.waypoint_imitation import WaypointSettings
from asgf_nav_ros.learning.waypoint_rollout import unpacked
from asgf_nav_ros.learning.waypoint_rollout import WaypointRollout
from asgf_nav_ros.network.av_wan import AvWanNetwork
from asgf_nav_ros.network.av_wan import WaypointSequence
from asgf_nav_ros.systems.waypoint_search import STOP_WAYPOINT
from sim_bridge.grid_world import GridWorld

CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)


@pytest.fixture
def learner(tiny_bake, tiny_contract):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    contract = dataclasses.replace(tiny_contract, audio_channels=TWO_EARS, system='av_wan')
    episodes = EpisodeDraw([tiny_bake], [CLIP], sample_rate_hz=16000, rng=rng,
                           variation=SoundVariation(), troubles=Troubles(), large_share=None)
    rollout = WaypointRollout(GridWorld([tiny_bake], contract, count=8), episodes, rng=rng,
                              teacher=Teacher(guided_fraction=5.0), max_steps=40)
    settings = WaypointSettings(samples=700, segment_decisions=4, minibatch_segments=4,
                                replayed_minibatches=3)
    return WaypointLearner(AvWanNetwork(contract), rollout, settings=settings, rng=rng)


def test_learning_lowers_the_loss(learner):
    rounds = []
    learner.learn(rounds.append)
    assert learner.samples >= 700
    losses = [figures['waypoint_loss'] for figures in rounds]
    assert losses[0] == pytest.approx(math.log(81), rel=0.2)
    assert min(losses[-3:]) < 0.85 * losses[0]


def test_guided_segments_stop_at_the_source_and_start_anew(learner):
    segments = learner._rollout.collect(learner.network, 6, progress=0.0)
    assert len(segments) >= 8
    for segment in segments:
        assert segment.starts[0]
        np.testing.assert_array_equal(segment.starts[1:], segment.right[:-1, STOP_WAYPOINT])
        assert (segment.right & ~segment.open).sum() == 0
        assert unpacked(segment.geometric).shape == (6, 100, 100, 2)


def test_segments_carry_the_memory_of_their_episode(learner):
    first = learner._rollout.collect(learner.network, 2, progress=0.0)
    second = learner._rollout.collect(learner.network, 2, progress=0.0)
    assert all(not segment.hidden.any() for segment in first if segment.starts[0])
    carried = [segment for segment in second if not segment.starts[0]]
    assert carried
    assert all(segment.hidden.any() for segment in carried)


def test_the_loss_is_free_among_right_waypoints_and_skips_unknown_ones():
    logits = torch.zeros(1, 2, 81)
    right = torch.zeros(1, 2, 81, dtype=torch.bool)
    right[0, 0, :27] = True
    losses = waypoint_losses(WaypointSequence(logits, torch.zeros(1, 2, 3)), right,
                             torch.zeros(1, 2, 3))
    assert losses['waypoint_loss'].item() == pytest.approx(math.log(3))
    assert losses['direction_loss'].item() == 0
