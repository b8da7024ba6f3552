# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import scipy.signal
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from sim_bridge.bake import RESPONSE_SCALE
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement


def place(world, slot=0, *, node=0, heading=0, source=0, noise_rms=0.0, seed=0):
    dry = np.random.default_rng(1).uniform(-1, 1, world.contract.window_samples)
    world.place(slot, Placement(
        house=0, source=source, node=node, heading=heading, dry=dry.astype(np.float32),
        rng=np.random.default_rng(seed), noise_rms=noise_rms))
    return dry


@pytest.fixture
def world(tiny_bake, tiny_contract):
    return GridWorld([tiny_bake], tiny_contract, count=3)


def test_hears_the_looped_sound_through_the_baked_response(world, tiny_bake):
    dry = place(world, node=3, heading=1)
    audio = world.hear(np.array([0]))[0].numpy()
    response = np.asarray(tiny_bake.responses[0, 3, 1], np.float64) / RESPONSE_SCALE
    looped = np.tile(dry, 3)
    samples = len(dry)
    shift = int(np.random.default_rng(0).integers(samples))
    for ear in range(2):
        wet = scipy.signal.oaconvolve(looped, response[ear])[samples:2 * samples]
        np.testing.assert_allclose(audio[ear], np.roll(wet, shift), atol=1e-4)


def test_observation_is_the_view_and_the_spectrogram_of_the_place(world, tiny_bake, tiny_contract):
    for slot in range(3):
        place(world, slot, node=slot, heading=slot)
    batch = world.observe([2, 0])
    np.testing.assert_array_equal(batch.rgb[0].numpy(), tiny_bake.rgb[2, 2])
    np.testing.assert_allclose(batch.depth[1].numpy(), tiny_bake.depth_mm[0, 0] / 1000, rtol=1e-6)
    place(world, 0)
    audio = world.hear(np.array([0]))[0].numpy()
    np.testing.assert_allclose(batch.spectrogram[1].numpy(),
                               log_magnitude_spectrogram(audio, tiny_contract), atol=1e-4)


def test_noise_is_added_at_its_level_and_repeats_with_the_seed(world):
    place(world)
    clean = world.hear(np.array([0]))
    place(world, noise_rms=0.25)
    noisy = world.hear(np.array([0]))
    place(world, noise_rms=0.25)
    assert torch.equal(noisy, world.hear(np.array([0])))
    assert (noisy - clean).std().item() == pytest.approx(0.25, rel=0.05)


def test_actions_turn_move_and_stay_at_walls(world, tiny_bake):
    neighbors = np.asarray(tiny_bake.neighbors)
    node, heading = np.argwhere(neighbors >= 0)[0]
    blocked_node, blocked_heading = np.argwhere(neighbors < 0)[0]
    place(world, 0, node=node, heading=heading)
    place(world, 1, node=blocked_node, heading=blocked_heading)
    place(world, 2, node=0, heading=0)
    world.act(np.array([Action.MOVE_FORWARD, Action.MOVE_FORWARD, Action.TURN_RIGHT]))
    assert world.node.tolist() == [neighbors[node, heading], blocked_node, 0]
    assert world.heading[2] == 3
    world.act(np.array([Action.TURN_LEFT]), np.array([2]))
    assert world.heading[2] == 0


def test_following_the_oracle_reaches_the_goal_in_the_least_actions(world, tiny_bake):
    start = int(np.argmax(np.asarray(tiny_bake.actions_to[0, :, 0])))
    place(world, 0, node=start)
    for slot in (1, 2):
        place(world, slot, node=start, heading=slot)
    least = tiny_bake.actions_to[0, start, 0]
    for _ in range(least):
        assert not world.optimal()[0, Action.STOP]
        world.act(world.optimal().argmax(axis=1))
    assert world.geodesic_m()[0] == 0
    assert world.optimal()[0].tolist() == [True, False, False, False]


def test_sound_direction_turns_with_the_head(world):
    place(world, 0, node=5, heading=0)
    place(world, 1, node=5, heading=1)  # turned left by a quarter: the sound moves right
    place(world, 2, node=5, heading=2)
    cosine, sine, log_path = world.sound_direction().T
    azimuth = np.arctan2(sine, cosine)
    turned = np.angle(np.exp(1j * (azimuth[0] - azimuth[1])))
    assert turned == pytest.approx(np.pi / 2, abs=1e-5)
    assert np.ptp(log_path) == 0


def test_refuses_a_sound_of_another_length(world):
    with pytest.raises(ValueError, match='dry must be'):
        world.place(0, Placement(house=0, source=0, node=0, heading=0,
                                 dry=np.zeros(7, np.float32), rng=np.random.default_rng(0)))
