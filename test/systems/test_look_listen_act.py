# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.systems.heard_source import HeardSource
from asgf_nav_ros.systems.look_listen_act import LookListenAct
from asgf_nav_ros.systems.navigator import Views

SLOT = np.array([0])


class Says:
    """A locator that always says the same."""

    sha256 = None
    contract = PolicyContract(image_height=64, image_width=64, system='look_listen_act')

    def __init__(self, offset_m):
        self.offset_m = offset_m

    def __call__(self, spectrogram):
        return HeardSource(np.array([self.offset_m], np.float32), np.zeros(1, np.float32))


def views():
    return Views(np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64), np.float32),
                 np.zeros((1, 65, 26, 2), np.float32), np.array([True]))


def started(locator):
    navigator = LookListenAct(locator)
    navigator.begin(SLOT, [np.random.default_rng(0)])
    return navigator


def test_reaches_the_source_of_a_baked_house_with_the_true_offset(
        toy_world, true_locator, run_until_stopped):
    oracle = np.array([toy_world.houses[0].actions_to[s, n, k] + 1 for s, n, k in zip(
        toy_world.source, toy_world.node, toy_world.heading)])
    navigator = LookListenAct(true_locator(toy_world, 'look_listen_act'))
    taken = run_until_stopped(navigator, toy_world)
    assert (toy_world.geodesic_m() == 0).all()
    assert oracle.sum() / taken.sum() > 0.6


@pytest.mark.parametrize(('offset_m', 'action'), [
    ((0.2, -0.2), Action.STOP), ((0.6, 0.0), Action.MOVE_FORWARD), ((0.0, 0.9), Action.TURN_LEFT),
    ((0.1, -3.0), Action.TURN_RIGHT)])
def test_stops_within_half_a_step_and_plans_there_otherwise(offset_m, action):
    assert started(Says(offset_m)).decide(SLOT, views())[0] == action


def test_one_wrong_estimate_does_not_turn_it_round():
    locator = Says((6.0, 0.0))
    navigator = started(locator)
    for _ in range(3):
        assert navigator.decide(SLOT, views())[0] == Action.MOVE_FORWARD
    locator.offset_m = (-1.0, 0.0)
    assert navigator.decide(SLOT, views())[0] == Action.MOVE_FORWARD
