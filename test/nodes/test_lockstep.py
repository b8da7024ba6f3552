# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.nodes.lockstep import Due
from asgf_nav_ros.nodes.lockstep import Lockstep

ZERO = (0.0, 0.0)


@pytest.fixture
def lockstep():
    """At 12 s, motion rests since 11 s and a whole window has just been sent."""
    lockstep = Lockstep(window_s=1.0)
    lockstep.begin_episode(10.0)
    lockstep.see_motion(MotionState.IDLE, 11.0)
    lockstep.begin_tick(12.0)
    return lockstep


def owe_action(lockstep):
    lockstep.see_command(ZERO, 12.0)
    lockstep.sensed(action_owed=True)


def test_a_tick_waits_for_the_command_of_its_own_stamp(lockstep):
    assert lockstep.due == Due.NOTHING
    lockstep.see_command(ZERO, 11.98)
    assert lockstep.due == Due.NOTHING
    assert 'cmd_vel stamped 12.00' in lockstep.waits_for
    lockstep.see_command((0.3, 0.0), 12.0)
    assert lockstep.due == Due.SENSES
    assert lockstep.velocity == (0.3, 0.0)


def test_without_a_whole_window_the_clock_goes_on(lockstep):
    lockstep.see_command(ZERO, 12.0)
    lockstep.sensed(action_owed=False)
    assert lockstep.due == Due.ADVANCE


@pytest.mark.parametrize('state, heard_until_s, complete', [
    (MotionState.IDLE, 12.0, True), (MotionState.BLOCKED, 12.0, True),
    (MotionState.IDLE, 11.9, False), (MotionState.MOVING, 12.0, False),
    (MotionState.DISABLED, 12.0, False)])
def test_a_window_counts_when_it_is_whole_and_at_rest(lockstep, state, heard_until_s, complete):
    lockstep.see_motion(state, 11.0)
    assert lockstep.turn_complete(heard_until_s) == complete


def test_a_window_must_be_of_this_episode(lockstep):
    lockstep.begin_episode(11.5)
    assert not lockstep.turn_complete(12.0)
    assert lockstep.turn_complete(12.5)


def test_an_owed_action_and_its_taking_are_awaited(lockstep):
    owe_action(lockstep)
    assert lockstep.due == Due.NOTHING and 'action' in lockstep.waits_for
    assert lockstep.see_action(Action.TURN_LEFT)
    assert lockstep.due == Due.NOTHING
    assert lockstep.waits_for == 'motion_state after TURN_LEFT'
    lockstep.see_motion(MotionState.MOVING, 12.0)
    assert lockstep.due == Due.ADVANCE and lockstep.waits_for == ''


def test_motion_may_be_heard_before_the_policy(lockstep):
    owe_action(lockstep)
    lockstep.see_motion(MotionState.MOVING, 12.0)
    assert lockstep.due == Due.NOTHING
    lockstep.see_action(Action.TURN_LEFT)
    assert lockstep.due == Due.ADVANCE


def test_an_old_state_that_is_told_again_is_no_taking(lockstep):
    owe_action(lockstep)
    lockstep.see_action(Action.TURN_LEFT)
    lockstep.see_motion(MotionState.IDLE, 11.0)
    assert lockstep.due == Due.NOTHING


def test_an_action_that_is_not_owed_is_noticed(lockstep):
    assert not lockstep.see_action(Action.TURN_LEFT)


def test_a_new_episode_owes_nothing(lockstep):
    owe_action(lockstep)
    lockstep.see_action(Action.STOP)
    lockstep.begin_episode(12.0)
    lockstep.begin_tick(12.02)
    lockstep.see_command(ZERO, 12.02)
    lockstep.sensed(action_owed=False)
    assert lockstep.due == Due.ADVANCE
