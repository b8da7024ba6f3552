# SPDX-License-Identifier: Apache-2.0
import dataclasses
import itertools

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import MOTION_POSITION
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.choice import choose
from asgf_nav_ros.inference.exploration import Exploration
from asgf_nav_ros.inference.exploration import LINGERING
from asgf_nav_ros.inference.restlessness import Restlessness
from asgf_nav_ros.motion.reckoning import Reckoning
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

CONTRACT = PolicyContract(odometry=True, image_height=64, image_width=64)
BLIND = np.zeros((64, 64), np.float32)
UNHEARD = np.zeros(3, np.float32)
DITHERING = np.array([0.0, 0.01, 0.5, 0.49], np.float32)  # left, right, left, right


class Walk:
    """One agent in a baked house that is always told the same probabilities."""

    def __init__(self, house, contract, probabilities):
        self._world = GridWorld([house], contract, count=1)
        self._reckoning = Reckoning(1, contract)
        self._probabilities, self._rng = probabilities, np.random.default_rng(0)
        self._world.place(0, Placement(
            house=0, source=0, node=3, heading=0, rng=self._rng,
            dry=np.zeros(contract.window_samples, np.float32)))
        self.actions, self.nodes = [], set()
        self.held = False  # whether every step is blocked

    def step(self, choose_with):
        slot, batch = np.array([0]), self._world.observe()
        action = choose_with(self._probabilities, self._reckoning.features(slot)[0],
                             batch.depth[0].numpy(), UNHEARD, temperature=0.25, rng=self._rng)
        moved = np.array([False])
        if action != Action.MOVE_FORWARD or not self.held:
            self._world.act(np.array([action]))
            moved = self._world.moved
        self._reckoning.record(slot, np.array([action]), moved)
        self.actions.append(Action(action))
        self.nodes.add(int(self._world.node[0]))


def test_a_house_is_explored_by_a_policy_that_knows_nothing(tiny_bake, tiny_contract):
    contract = dataclasses.replace(tiny_contract, odometry=True)
    explored, restless = (Walk(tiny_bake, contract, DITHERING) for _ in range(2))
    exploration, restlessness = Exploration(contract), Restlessness(contract)
    for _ in range(250):
        explored.step(exploration.choose)
        restless.step(lambda probabilities, motion, depth, heard, **chance:
                      restlessness.choose(probabilities, motion, **chance))
    assert len(explored.nodes) > 1.3 * len(restless.nodes)
    assert len(explored.nodes) > 0.3 * len(tiny_bake.nodes)


def test_the_policy_decides_when_to_stop(tiny_bake, tiny_contract):
    walk = Walk(tiny_bake, dataclasses.replace(tiny_contract, odometry=True),
                np.array([0.75, 0.0, 0.13, 0.12], np.float32))
    exploration = Exploration(dataclasses.replace(tiny_contract, odometry=True))
    while Action.STOP not in walk.actions:
        walk.step(exploration.choose)
    assert len(walk.actions) <= 3


def test_it_says_when_it_leads(tiny_bake, tiny_contract):
    contract = dataclasses.replace(tiny_contract, odometry=True)
    walk, exploration = Walk(tiny_bake, contract, DITHERING), Exploration(contract)
    led = []
    for _ in range(60):
        walk.step(exploration.choose)
        led.append(exploration.exploring)
    assert not any(led[:LINGERING]) and any(led)


@pytest.mark.parametrize(('contract', 'temperature'), [
    (dataclasses.replace(CONTRACT, odometry=False), 0.25), (CONTRACT, 0.0),
    (dataclasses.replace(CONTRACT, odometry=False, forward_step_m=0.25), 0.25)])
def test_nothing_changes_without_odometry_or_chance(contract, temperature):
    exploration, reckoning = Exploration(contract), Reckoning(1, CONTRACT)
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(40):
        motion = reckoning.features(np.array([0]))[0] if contract.odometry else None
        assert choose(DITHERING, temperature=temperature, rng=theirs) == exploration.choose(
            DITHERING, motion, BLIND, UNHEARD, temperature=temperature, rng=ours)
        assert not exploration.exploring


def test_steps_that_make_no_lattice_leave_restlessness_alone():
    contract = dataclasses.replace(CONTRACT, forward_step_m=0.25)
    exploration, restlessness = Exploration(contract), Restlessness(contract)
    motion = Reckoning(1, contract).features(np.array([0]))[0]
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(40):
        assert restlessness.choose(DITHERING, motion, temperature=0.25, rng=theirs) == (
            exploration.choose(DITHERING, motion, BLIND, UNHEARD, temperature=0.25, rng=ours))


def test_odometry_that_ran_away_is_not_mapped():
    exploration, rng = Exploration(CONTRACT), np.random.default_rng(1)
    motion = Reckoning(1, CONTRACT).features(np.array([0]))[0]
    motion[MOTION_POSITION] = 1e9
    for _ in range(60):
        assert exploration.choose(DITHERING, motion, BLIND, UNHEARD,
                                  temperature=0.25, rng=rng) in range(4)
        assert not exploration.exploring


def test_a_way_that_was_free_once_is_not_insisted_on(tiny_bake, tiny_contract):
    contract = dataclasses.replace(tiny_contract, odometry=True)
    walk, exploration = Walk(tiny_bake, contract, DITHERING), Exploration(contract)
    for _ in range(150):
        walk.step(exploration.choose)
    walk.actions, walk.held = [], True
    for _ in range(100):
        walk.step(exploration.choose)
    runs = [len(list(run)) for action, run in itertools.groupby(walk.actions)
            if action == Action.MOVE_FORWARD]
    assert runs and max(runs) <= 3
