# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.turn_taking import TurnTaking


@pytest.fixture
def turn():
    turn = TurnTaking(action_timeout_s=1.0)
    turn.see_motion('idle', 10.0)
    return turn


def test_there_is_no_turn_before_motion_has_spoken():
    turn = TurnTaking(action_timeout_s=1.0)
    assert turn.listens_since_s is None
    assert turn.waits_for == 'motion_state'


def test_the_turn_begins_with_the_rest(turn):
    assert turn.listens_since_s == 10.0
    assert turn.waits_for == ''


def test_the_turn_is_over_with_a_decision_until_motion_has_moved(turn):
    turn.decide(Action.MOVE_FORWARD, 11.0, 11.1)
    turn.see_motion('idle', 10.0)
    assert turn.listens_since_s is None
    assert turn.waits_for == 'motion to take MOVE_FORWARD'
    turn.see_motion('moving', 11.2)
    assert turn.waits_for == 'motion, which is moving'
    turn.see_motion('blocked', 12.0)
    assert turn.listens_since_s == 12.0


def moved(turn, end, since_s=12.0):
    turn.decide(Action.MOVE_FORWARD, 11.0, 11.1)
    turn.see_motion('moving', 11.2)
    turn.see_motion(end, since_s)


@pytest.mark.parametrize('end, hears_since_s', [
    ('idle', 5.0), ('blocked', 12.0), ('failed', 12.0)])
def test_what_was_heard_on_the_way_counts_after_an_action_that_went_well(end, hears_since_s):
    turn = TurnTaking(action_timeout_s=1.0, listen_while_moving=True)
    turn.see_episode('first', 5.0)
    turn.see_motion('idle', 10.0)
    assert turn.hears_since_s == 10.0  # nothing is known of the time before
    moved(turn, end)
    assert (turn.listens_since_s, turn.hears_since_s) == (12.0, hears_since_s)
    turn.see_episode('second', 12.5)
    assert turn.hears_since_s == 12.5


def test_what_was_heard_on_the_way_does_not_count_by_default(turn):
    moved(turn, 'idle')
    assert turn.hears_since_s == turn.listens_since_s == 12.0


def test_a_lost_action_is_sent_again_three_times_in_all_and_then_decided_anew(turn):
    turn.decide(Action.TURN_LEFT, 11.0, 11.0)
    assert turn.send_again(11.9) is None
    sent = [turn.send_again(now_s) for now_s in (12.0, 12.5, 13.0)]
    assert [again and (again.action, again.stamp_s) for again in sent] == [
        (Action.TURN_LEFT, 11.0), None, (Action.TURN_LEFT, 11.0)]
    assert turn.send_again(14.0) is None
    assert turn.listens_since_s == 14.0


def test_a_taken_action_is_not_sent_again(turn):
    turn.decide(Action.TURN_LEFT, 11.0, 11.0)
    turn.see_motion('moving', 11.0)
    assert turn.send_again(20.0) is None


def test_after_stop_a_new_episode_brings_the_turn(turn):
    turn.see_episode('a', 5.0)
    turn.decide(Action.STOP, 11.0, 11.0)
    turn.see_motion('idle', 11.1)
    assert turn.over and turn.listens_since_s is None
    assert not turn.see_episode('a', 5.0)
    assert turn.see_episode('b', 20.0)
    assert turn.listens_since_s == 20.0


def test_the_same_episode_run_again_is_a_new_one(turn):
    turn.see_episode('a', 5.0)
    assert turn.see_episode('a', 20.0)


def test_after_stop_a_reset_brings_the_turn(turn):
    turn.decide(Action.STOP, 11.0, 11.0)
    turn.reset(15.0)
    assert turn.listens_since_s == 15.0


def test_a_clock_that_went_back_asks_motion_again(turn):
    turn.forget()
    assert turn.listens_since_s is None
    turn.see_motion('idle', 1.0)
    assert turn.listens_since_s == 1.0


def test_an_unknown_state_is_refused(turn):
    with pytest.raises(ValueError, match='flying'):
        turn.see_motion('flying', 1.0)


def test_a_timeout_that_never_comes_is_refused():
    with pytest.raises(ValueError, match='action_timeout_s must be positive'):
        TurnTaking(action_timeout_s=0.0)
