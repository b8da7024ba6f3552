# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import Action
from sim_bridge.disturbance import Disturbance
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement
from sim_bridge.resident_houses import ResidentHouses
from sim_bridge.resident_houses import Room
from sim_bridge.resident_world import ResidentWorld

AGENTS = 12


class _Still:
    """Draws no phase, no noise and nothing that happens with a probability of a half or less."""

    def integers(self, high, size=None):
        shape = np.shape(high) if size is None else size
        return np.zeros(shape, np.int64) if shape != () else 0

    def random(self, size=None):
        return 0.5 if size is None else np.full(size, 0.5)

    def uniform(self, low, high, size=None):
        return (low + high) / 2 if size is None else np.full(size, (low + high) / 2)


@pytest.fixture
def resident(tiny_bake, tiny_contract):
    return ResidentHouses.holding([tiny_bake, tiny_bake], tiny_contract)


@pytest.fixture
def worlds(tiny_bake, tiny_contract, resident):
    """One agent by agent, one all at once, without chance."""
    every = ResidentWorld(resident, tiny_contract, count=AGENTS, rng=np.random.default_rng(0))
    every._rng = _Still()
    return GridWorld([tiny_bake, tiny_bake], tiny_contract, count=AGENTS), every


def _sound(seed, ears=None):
    shape = 16000 if ears is None else (ears, 16000)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def _place(worlds, *disturbances, **fields):
    """Put agent k of both worlds into a house, at a node and under a disturbance of its own."""
    nodes = len(worlds[0].houses[0].nodes)
    for slot in range(AGENTS):
        placement = Placement(
            house=slot % 2, source=slot % 2, node=5 * slot % nodes, heading=slot % 4,
            dry=_sound(slot), rng=_Still(), **fields,
            disturbance=disturbances[slot % len(disturbances)] if disturbances else Disturbance())
        for world in worlds:
            world.place(slot, placement)


def _observed(worlds):
    one, other = (world.observe() for world in worlds)
    assert torch.equal(one.rgb, other.rgb)
    torch.testing.assert_close(one.depth, other.depth)
    np.testing.assert_array_equal(one.blank, other.blank)
    torch.testing.assert_close(one.spectrogram, other.spectrogram, atol=5e-3, rtol=1e-3)


TROUBLES = [
    Disturbance(),
    Disturbance(noise=0.1 * _sound(100, 2), ear_gain_db=3.0, skew_samples=2.0,
                bandwidth_hz=5000.0),
    Disturbance(distractor=_sound(101), distractor_source=1, distractor_from=2),
    Disturbance(sounding=np.resize([True, False, False], 500), silent_from=7)]


def test_is_the_grid_world_for_all_agents_at_once(worlds):
    _place(worlds, *TROUBLES)
    rng = np.random.default_rng(2)
    for _ in range(10):
        _observed(worlds)
        for name in ('optimal', 'audible', 'geodesic_m', 'sound_direction', 'goal_offset_m'):
            one, other = (getattr(world, name)() for world in worlds)
            np.testing.assert_allclose(one, other, atol=1e-5, err_msg=name)
        for slot in range(AGENTS):
            assert worlds[0].oracle_actions(slot) == worlds[1].oracle_actions(slot)
            assert worlds[0].distractor_source(slot) == worlds[1].distractor_source(slot)
        actions = rng.choice([Action.MOVE_FORWARD, Action.TURN_LEFT, Action.TURN_RIGHT], AGENTS,
                             p=[0.6, 0.2, 0.2])
        for world in worlds:
            world.act(actions)
        for name in ('house', 'source', 'node', 'heading', 'moved', 'steps'):
            np.testing.assert_array_equal(getattr(worlds[0], name), getattr(worlds[1], name))


def test_noise_can_be_told_by_its_level_over_the_goal(worlds, tiny_bake):
    noise = Disturbance(noise=_sound(100, 2))
    _place(worlds, noise, noise_over_goal=True)
    one, other = (world.hear(np.arange(AGENTS)) for world in worlds)
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
    goals = Disturbance()
    _place(worlds, goals)
    alone = worlds[1].hear(np.arange(AGENTS))
    noise_rms = (other - alone).square().mean((1, 2)).sqrt()
    expected = alone.square().mean((1, 2)).sqrt() * np.sqrt(np.mean(noise.noise ** 2))
    torch.testing.assert_close(noise_rms, expected, rtol=0.01, atol=1e-6)


def test_steps_slip_and_frames_and_chunks_are_lost(worlds):
    _place(worlds, Disturbance(slip=0.6, lost_frames=0.6, lost_audio=0.6))
    _observed(worlds)
    assert worlds[1].observe().blank.all()
    for world in worlds:
        world.act(np.full(AGENTS, Action.MOVE_FORWARD))
    assert not worlds[1].moved.any()
    np.testing.assert_array_equal(worlds[0].node, worlds[1].node)


def test_lost_chunks_are_stretches_of_silence(resident, tiny_contract):
    world = ResidentWorld(resident, tiny_contract, count=1, rng=np.random.default_rng(3))
    world.place(0, Placement(house=0, source=0, node=1, heading=0, dry=_sound(0),
                             rng=np.random.default_rng(0),
                             disturbance=Disturbance(lost_audio=1.0)))
    silent = (world.hear(np.array([0]))[0] == 0).all(0).numpy()
    edges = np.flatnonzero(np.diff(silent.astype(int)))
    assert 0.19 < silent.mean() <= 1.0
    assert len(edges) <= 2


def test_noise_of_the_microphones_has_its_level_and_repeats_with_the_seed(resident,
                                                                          tiny_contract):
    def heard(noise_rms):
        world = ResidentWorld(resident, tiny_contract, count=1, rng=np.random.default_rng(3))
        world.place(0, Placement(house=0, source=0, node=1, heading=0, dry=_sound(0),
                                 rng=np.random.default_rng(0), noise_rms=noise_rms))
        return world.hear(np.array([0]))
    assert torch.equal(heard(0.25), heard(0.25))
    assert (heard(0.25) - heard(0.0)).std().item() == pytest.approx(0.25, rel=0.05)


def test_a_new_episode_forgets_the_troubles_of_the_last_one(worlds):
    _place(worlds, *TROUBLES[1:])
    _observed(worlds)
    _place(worlds)
    _observed(worlds)


def test_houses_read_their_large_arrays_from_the_device(resident, tiny_bake):
    for house in resident.houses:
        np.testing.assert_array_equal(house.rgb[3, 1], tiny_bake.rgb[3, 1])
        np.testing.assert_array_equal(house.depth_mm[3, 1], tiny_bake.depth_mm[3, 1])
        np.testing.assert_array_equal(house.responses[1, 3, 2], tiny_bake.responses[1, 3, 2])


def test_houses_are_added_while_there_is_room(tiny_bake, tiny_contract):
    samples = tiny_bake.responses.shape[-1]
    room = Room.of([tiny_bake])
    resident = ResidentHouses(tiny_contract, room=room, response_samples=samples)
    assert resident.add(tiny_bake)
    assert not resident.add(tiny_bake)
    assert len(resident.houses) == 1


def test_room_in_bytes_is_what_the_arrays_take(tiny_bake, tiny_contract):
    samples = tiny_bake.responses.shape[-1]
    room = Room.in_bytes(5e7, tiny_contract, response_samples=samples, sources=2)
    resident = ResidentHouses(tiny_contract, room=room, response_samples=samples)
    taken = sum(pool.numel() * pool.element_size()
                for pool in (resident.rgb, resident.depth_mm, resident.responses))
    assert taken == pytest.approx(5e7, rel=0.01)


def test_refuses_what_does_not_fit(resident, tiny_bake, tiny_contract):
    other = dataclasses.replace(tiny_bake, responses=tiny_bake.responses[..., :100])
    with pytest.raises(ValueError, match='responses must have 3200 samples, got 100'):
        resident.add(other)
    with pytest.raises(ValueError, match='at least one house, got none'):
        ResidentHouses.holding([], tiny_contract)
    with pytest.raises(ValueError, match='room for at least one node'):
        ResidentHouses(tiny_contract, room=Room(nodes=0, pairs=0), response_samples=100)
    world = ResidentWorld(resident, tiny_contract, count=1, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match='dry must be'):
        world.place(0, Placement(house=0, source=0, node=0, heading=0,
                                 dry=np.zeros(7, np.float32), rng=np.random.default_rng(0)))
    with pytest.raises(ValueError, match='count must be positive, got 0'):
        ResidentWorld(resident, tiny_contract, count=0, rng=np.random.default_rng(0))
