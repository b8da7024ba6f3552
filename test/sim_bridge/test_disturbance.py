# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from sim_bridge.disturbance import Disturbance
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

DRY = np.random.default_rng(1).uniform(-1, 1, 16000).astype(np.float32)


@pytest.fixture
def hear(tiny_bake, tiny_contract):
    """Windows (steps, 2, 16000) that one agent hears while it turns on the spot."""
    def listen(disturbance, *, steps=1, source=0, seed=0):
        world = GridWorld([tiny_bake], tiny_contract, count=1)
        world.place(0, Placement(house=0, source=source, node=3, heading=0, dry=DRY,
                                 rng=np.random.default_rng(seed), disturbance=disturbance))
        windows = []
        for _ in range(steps):
            windows.append(world.hear(np.array([0]))[0].numpy())
            world.act(np.array([Action.TURN_LEFT]))
        return np.stack(windows)
    return listen


def rms(windows):
    return np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=(-2, -1)))


def test_the_goal_pauses_by_its_schedule_and_stops_for_good(hear):
    disturbance = Disturbance(sounding=np.array([True, False, True]), silent_from=5)
    assert (rms(hear(disturbance, steps=7)) > 0).tolist() == [
        True, False, True, True, False, False, False]


def test_a_distractor_sounds_from_its_place_from_its_step_on(hear):
    silent = {'silent_from': 0}
    mixed = Disturbance(distractor=0.5 * DRY, distractor_source=1, distractor_from=2, **silent)
    levels = rms(hear(mixed, steps=4))
    assert (levels[:2] == 0).all() and (levels[2:] > 0).all()
    alone = rms(hear(Disturbance(), source=1, steps=3))[2]
    assert levels[2] == pytest.approx(0.5 * alone, rel=1e-3)


def test_noise_at_the_ears_is_added_with_its_own_level(hear):
    noise = np.random.default_rng(2).normal(0, 0.1, (2, 16000)).astype(np.float32)
    windows = hear(Disturbance(noise=noise, silent_from=0), steps=3)
    np.testing.assert_allclose(rms(windows), 0.1, rtol=0.05)
    assert not np.array_equal(windows[0], windows[1])


def test_microphones_differ_in_gain_time_and_bandwidth(hear):
    flat = hear(Disturbance())[0]
    loud = hear(Disturbance(ear_gain_db=6.0))[0]
    np.testing.assert_allclose(rms(loud[:1]) / rms(flat[:1]), 10 ** (3 / 20), rtol=1e-3)
    np.testing.assert_allclose(rms(loud[1:]) / rms(flat[1:]), 10 ** (-3 / 20), rtol=1e-3)
    late = hear(Disturbance(skew_samples=2.0))[0]
    np.testing.assert_allclose(late[1], np.roll(flat[1], 2), atol=1e-4)
    dull = np.abs(np.fft.rfft(hear(Disturbance(bandwidth_hz=3000.0))[0][0]))
    assert dull[6000:].max() < 0.02 * dull[:2500].max()


def test_lost_audio_is_silence_and_lost_frames_are_black(tiny_bake, tiny_contract):
    world = GridWorld([tiny_bake], tiny_contract, count=1)
    world.place(0, Placement(
        house=0, source=0, node=3, heading=0, dry=DRY, rng=np.random.default_rng(0),
        disturbance=Disturbance(lost_audio=1.0, lost_frames=1.0)))
    batch = world.observe()
    assert batch.blank.all() and not batch.rgb.any() and not batch.depth.any()
    silent = (world.hear(np.array([0]))[0] == 0).all(0).float().mean().item()
    assert 0.2 <= silent <= 1.0


def test_a_slipping_robot_stays_and_is_told(tiny_bake, tiny_contract):
    world = GridWorld([tiny_bake], tiny_contract, count=1)
    node, heading = np.argwhere(tiny_bake.neighbors >= 0)[0]
    world.place(0, Placement(house=0, source=0, node=int(node), heading=int(heading), dry=DRY,
                             rng=np.random.default_rng(0), disturbance=Disturbance(slip=1.0)))
    world.act(np.array([Action.MOVE_FORWARD]))
    assert world.node[0] == node and not world.moved[0]
    world.act(np.array([Action.TURN_LEFT]))
    assert world.heading[0] == (heading + 1) % 4 and world.moved[0]


@pytest.mark.parametrize('field, value', [
    ('lost_audio', 1.5), ('slip', -0.1), ('bandwidth_hz', 0.0), ('lost_frames', math.nan)])
def test_refuses_what_is_no_probability_or_bandwidth(field, value):
    with pytest.raises(ValueError, match=field):
        Disturbance(**{field: value})
