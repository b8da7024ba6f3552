# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.choice import choose
from asgf_nav_ros.inference.restlessness import GROWTH
from asgf_nav_ros.inference.restlessness import PATIENCE
from asgf_nav_ros.inference.restlessness import Restlessness
from asgf_nav_ros.motion.reckoning import Reckoning

CONTRACT = PolicyContract(odometry=True)
DITHERING = np.array([0.0, 0.01, 0.5, 0.49], np.float32)  # left, right, left, right


def walk(restlessness, steps, *, probabilities=DITHERING, contract=CONTRACT, seed=0, moved=True):
    """Actions and squares of an agent that is always told the same probabilities."""
    rng, reckoning = np.random.default_rng(seed), Reckoning(1, contract)
    slot, actions, places = np.array([0]), [], set()
    for _ in range(steps):
        motion = reckoning.features(slot)[0] if contract.odometry else None
        action = restlessness.choose(probabilities, motion, temperature=0.25, rng=rng)
        actions.append(Action(action))
        reckoning.record(slot, np.array([action]), np.array([moved]))
        places.add(tuple(np.round(reckoning.poses(slot)[0, :2], 3)))
    return actions, places


def drawn(steps, seed=0):
    rng = np.random.default_rng(seed)
    return [choose(DITHERING, temperature=0.25, rng=rng) for _ in range(steps)]


def test_nothing_changes_at_first():
    actions, _ = walk(Restlessness(CONTRACT), PATIENCE)
    assert actions == drawn(PATIENCE)


@pytest.mark.parametrize(('contract', 'strength'), [
    (dataclasses.replace(CONTRACT, odometry=False), 3.0), (CONTRACT, 0.0)])
def test_nothing_changes_without_odometry_or_strength(contract, strength):
    actions, _ = walk(Restlessness(contract, strength), 60, contract=contract)
    assert actions == drawn(60)


def test_an_agent_that_turns_on_the_spot_gets_away():
    assert len(walk(Restlessness(CONTRACT, 0.0), 200)[1]) == 1
    assert len(walk(Restlessness(CONTRACT), 200)[1]) > 4


def test_a_blocked_way_is_not_tried_for_ever():
    forward = np.array([0.0, 0.98, 0.01, 0.01], np.float32)
    stubborn, _ = walk(Restlessness(CONTRACT, 0.0), 100, probabilities=forward, moved=False)
    restless, _ = walk(Restlessness(CONTRACT), 100, probabilities=forward, moved=False)
    assert set(stubborn) == {Action.MOVE_FORWARD}
    assert {Action.TURN_LEFT, Action.TURN_RIGHT} < set(restless)


def test_when_to_stop_remains_the_policys_decision():
    restlessness = Restlessness(CONTRACT)
    walk(restlessness, PATIENCE + 3 * GROWTH, probabilities=np.array([0, 0, 0.5, 0.5], np.float32))
    motion = Reckoning(1, CONTRACT).features(np.array([0]))[0]
    probabilities = np.array([0.3, 0.3, 0.2, 0.2], np.float32)
    driven = restlessness._driven(probabilities, motion, 0.5, restlessness._urge(motion))
    squared = probabilities.astype(float) ** 2
    assert driven[Action.STOP] == pytest.approx(squared[0] / squared.sum())
    assert driven.sum() == pytest.approx(1)


def test_a_new_episode_is_patient_again():
    restlessness = Restlessness(CONTRACT)
    walk(restlessness, 100)
    restlessness.begin()
    assert walk(restlessness, PATIENCE)[0] == drawn(PATIENCE)


def test_the_most_probable_action_is_taken_come_what_may():
    motion = Reckoning(1, CONTRACT).features(np.array([0]))[0]
    restlessness = Restlessness(CONTRACT)
    chosen = {restlessness.choose(DITHERING, motion, temperature=0.0, rng=None)
              for _ in range(50)}
    assert chosen == {Action.TURN_LEFT}


@pytest.mark.parametrize('strength', [-1.0, float('nan'), float('inf')])
def test_strength_is_checked(strength):
    with pytest.raises(ValueError, match='restlessness must be 0 or more'):
        Restlessness(CONTRACT, strength)
