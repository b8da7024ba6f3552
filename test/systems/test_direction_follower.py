# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.systems.direction_follower import DirectionFollower
from asgf_nav_ros.systems.heard_source import HeardSource
from asgf_nav_ros.systems.navigator import Views


class Says:
    """A locator that always says the same."""

    sha256 = None
    contract = PolicyContract(image_height=64, image_width=64, system='direction_follower')

    def __init__(self, direction, at_goal=0.0):
        self.direction, self.at_goal = direction, at_goal

    def __call__(self, spectrogram):
        return HeardSource(np.array([self.direction], np.float32),
                           np.array([self.at_goal], np.float32))


def views(*, moved=True):
    return Views(np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64), np.float32),
                 np.zeros((1, 65, 26, 2), np.float32), np.array([moved]))


def started(locator):
    follower = DirectionFollower(locator)
    follower.begin(np.array([0]), [np.random.default_rng(0)])
    return follower


def test_reaches_the_source_of_a_baked_house_with_the_true_direction(
        toy_world, true_locator, run_until_stopped):
    oracle = np.array([toy_world.houses[0].actions_to[s, n, k] + 1 for s, n, k in zip(
        toy_world.source, toy_world.node, toy_world.heading)])
    follower = DirectionFollower(true_locator(toy_world, 'direction_follower'))
    taken = run_until_stopped(follower, toy_world)
    assert (toy_world.geodesic_m() == 0).all()
    assert oracle.sum() / taken.sum() > 0.6


@pytest.mark.parametrize(('direction', 'actions'), [
    ((1.0, 0.1), [Action.MOVE_FORWARD] * 2), ((0.0, 1.0), [Action.TURN_LEFT, Action.MOVE_FORWARD]),
    ((0.1, -1.0), [Action.TURN_RIGHT, Action.MOVE_FORWARD])])
def test_walks_along_the_direction_that_it_heard_first(direction, actions):
    follower = started(Says(direction))
    assert [follower.decide(np.array([0]), views())[0] for _ in actions] == actions


def test_keeps_its_goal_until_it_is_reached_or_blocked():
    locator = Says((1.0, 0.0))
    follower = started(locator)
    slots = np.array([0])
    assert follower.decide(slots, views())[0] == Action.MOVE_FORWARD
    locator.direction = (0.0, 1.0)
    assert follower.decide(slots, views())[0] == Action.MOVE_FORWARD
    assert follower.decide(slots, views(moved=False))[0] == Action.TURN_LEFT


def test_stops_when_the_classifier_says_so():
    assert started(Says((1.0, 0.0), at_goal=0.9)).decide(np.array([0]), views())[0] == Action.STOP


def test_never_stands_still_between_four_walls():
    follower = started(Says((1.0, 0.0)))
    actions = [int(follower.decide(np.array([0]), views(moved=False))[0]) for _ in range(100)]
    assert Action.STOP not in actions
    assert {Action.TURN_LEFT, Action.TURN_RIGHT} <= set(actions)
