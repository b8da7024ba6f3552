# SPDX-License-Identifier: Apache-2.0
"""A baked house to walk in, and locators that know the truth."""

import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.systems.heard_source import HeardSource
from asgf_nav_ros.systems.navigator import Views
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement


class TrueLocator:
    """Knows where the source is: its direction of arrival, or its offset in metres."""

    sha256 = None

    def __init__(self, world, system):
        self.contract = dataclasses.replace(world.contract, system=system)
        self._world, self._system = world, system

    def __call__(self, spectrogram):
        world = self._world
        offset_m = world.goal_offset_m()
        at_goal = (np.abs(offset_m) < 1e-3).all(1).astype(np.float32)
        if self._system == 'direction_follower':
            return HeardSource(world.sound_direction()[:, :2], at_goal)
        return HeardSource(offset_m, at_goal)


@pytest.fixture
def toy_world(tiny_bake, tiny_contract):
    """Eight agents far from their sources."""
    world = GridWorld([tiny_bake], tiny_contract, count=8)
    rng = np.random.default_rng(3)
    dry = rng.uniform(-1, 1, tiny_contract.window_samples).astype(np.float32)
    for slot in range(world.count):
        source = slot % len(tiny_bake.source_nodes)
        far = np.argsort(tiny_bake.actions_to[source, :, slot % 4])[-10:]
        world.place(slot, Placement(house=0, source=source, node=int(rng.choice(far)),
                                    heading=slot % 4, dry=dry, rng=rng))
    return world


@pytest.fixture
def true_locator():
    return TrueLocator


@pytest.fixture
def run_until_stopped():
    """Let a navigator drive all agents; return the actions (N,) that each took, STOP included."""
    def run(navigator, world, *, limit=150):
        slots = np.arange(world.count)
        navigator.begin(slots, [np.random.default_rng(slot) for slot in slots])
        taken = np.zeros(world.count, int)
        running = np.ones(world.count, bool)
        for _ in range(limit):
            batch = world.observe()
            actions = navigator.decide(slots, Views(
                batch.rgb.numpy(), batch.depth.numpy(), batch.spectrogram.numpy(), world.moved))
            taken += running
            running &= actions != Action.STOP
            if not running.any():
                return taken
            world.act(np.where(running, actions, Action.STOP))
        raise AssertionError(f'{running.sum()} agents still run after {limit} actions')
    return run
