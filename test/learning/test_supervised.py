# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.heard_places import HeardBatch
from asgf_nav_ros.learning.heard_places import HeardPlaces
from asgf_nav_ros.learning.heard_places import PlaceSettings
from asgf_nav_ros.learning.supervised import locator_losses
from asgf_nav_ros.learning.supervised import SupervisedLearner
from asgf_nav_ros.learning.supervised import SupervisedSettings
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.network.sound_locator import compressed_offset
from asgf_nav_ros.network.sound_locator import SoundLocator
from sim_bridge.grid_world import GridWorld

CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)


@pytest.fixture
def places(tiny_bake, tiny_contract):
    def build(*, size=24, system='direction_follower', **settings):
        rng = np.random.default_rng(0)
        contract = dataclasses.replace(tiny_contract, audio_channels=TWO_EARS, system=system)
        episodes = EpisodeDraw([tiny_bake], [CLIP], sample_rate_hz=16000, rng=rng,
                               variation=SoundVariation(), troubles=Troubles(), large_share=None)
        world = GridWorld([tiny_bake], contract, count=size)
        return contract, HeardPlaces(episodes, world, rng=rng,
                                     settings=PlaceSettings(**settings))
    return build


def test_offsets_point_at_the_source_from_every_heading(places, tiny_bake):
    _, listeners = places()
    world = listeners._world
    for slot in range(4):
        world.source[slot], world.node[slot], world.heading[slot] = 0, 3, slot
    offsets = world.goal_offset_m()[:4]
    straight_m = np.linalg.norm(tiny_bake.nodes[tiny_bake.source_nodes[0]] - tiny_bake.nodes[3])
    np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), straight_m, rtol=1e-5)
    # A quarter turn to the left takes what was to the left to the front.
    np.testing.assert_allclose(offsets[1], (offsets[0][1], -offsets[0][0]), atol=1e-5)


def test_in_sight_of_the_source_direction_and_offset_agree(places):
    _, listeners = places(size=48, at_goal=0.0, near=1.0, near_m=0.6)
    batch = listeners.draw()
    away = ~batch.at_goal
    cosine = torch.nn.functional.cosine_similarity(
        batch.direction[:, :2], batch.offset_m)[away]
    assert cosine.min() > 0.9  # a source steps aside by up to 0.2 m of these 0.5 m


def test_places_are_drawn_at_the_source_as_often_as_wanted(places):
    _, listeners = places(size=64, at_goal=0.5, near=0.0)
    share = float(torch.stack([listeners.draw().at_goal.float().mean() for _ in range(4)]).mean())
    assert 0.4 < share < 0.6


@pytest.mark.parametrize('system', ['direction_follower', 'look_listen_act'])
def test_learning_lowers_the_loss(places, system):
    torch.manual_seed(0)
    contract, listeners = places(system=system, size=32)
    learner = SupervisedLearner(SoundLocator(contract), listeners, settings=SupervisedSettings(
        samples=32 * 24, batch=32, round_batches=4, learning_rate=1e-3))
    rounds = []
    learner.learn(rounds.append)
    assert learner.samples == 32 * 24
    assert len(rounds) == 6
    assert rounds[-1]['vector_loss'] < 0.8 * rounds[0]['vector_loss']


def test_no_direction_is_asked_for_at_the_source():
    batch = HeardBatch(torch.zeros(2, 65, 26, 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
                       torch.tensor([[3.0, 0.0], [0.0, 0.0]]), torch.tensor([False, True]))
    right = torch.tensor([[1.0, 0.0], [-5.0, 5.0]])
    losses = locator_losses(right, torch.tensor([-20.0, 20.0]), batch, system='direction_follower')
    assert losses['vector_loss'].item() == 0
    assert losses['stop_loss'].item() == pytest.approx(0, abs=1e-6)


def test_the_true_offset_has_no_loss():
    offset = torch.tensor([[3.0, -1.0], [0.0, 0.0]])
    batch = HeardBatch(torch.zeros(2, 65, 26, 2), torch.zeros(2, 2), offset,
                       torch.tensor([False, True]))
    losses = locator_losses(compressed_offset(offset), torch.zeros(2), batch,
                            system='look_listen_act')
    assert losses['vector_loss'].item() == 0


@pytest.mark.parametrize(('fields', 'message'), [
    ({'at_goal': 0.8, 'near': 0.4}, 'shares with a sum of at most 1'),
    ({'fresh': 0.0}, r'fresh must be in \(0, 1\]')])
def test_place_settings_are_checked(fields, message):
    with pytest.raises(ValueError, match=message):
        PlaceSettings(**fields)
