# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.faults.verdict import judge

BEGAN_S, ENDED_S = 10.0, 13.0


def event(kind, t, **facts):
    return {'event': kind, 't': t, **facts}


def good_course():
    """A robot that stops 0.3 s after a fault, and goes on with what it heard after it."""
    return [event('action', 9.0, name='MOVE_FORWARD', decided_on=9.0),
            event('moving', 9.1, by='command', forward=True),
            event('still', 10.3, by='command', forward=False),
            event('diagnostics', 10.3, node='/motion', text='zero: stale_odometry'),
            event('action', 14.0, name='MOVE_FORWARD', decided_on=13.9),
            event('moving', 14.1, by='command', forward=True)]


def judged(events, **changes):
    return judge(events, **{'began_s': BEGAN_S, 'ended_s': ENDED_S, 'window_s': 1.0,
                            'words': ('stale_odometry',), **changes})


def test_a_stop_in_time_and_a_new_start_on_new_sound_pass():
    verdict = judged(good_course())
    assert verdict.passed
    assert verdict.zero_after_s == pytest.approx(0.3)
    assert verdict.resumed_after_s == pytest.approx(1.1)
    assert verdict.cause == 'zero: stale_odometry'


def test_the_last_correction_of_an_action_is_no_new_motion():
    events = good_course()
    events[2:3] = [event('still', 10.05, by='command', forward=False),
                   event('moving', 10.1, by='command', forward=True),
                   event('still', 10.3, by='command', forward=False)]
    verdict = judged(events)
    assert verdict.passed and verdict.zero_after_s == pytest.approx(0.3)


def test_an_action_that_ended_by_the_word_of_motion_does_not_go_on():
    events = good_course()
    events[2:3] = [event('motion_state', 10.07, state='failed', since=10.05),
                   event('still', 10.05, by='command', forward=False),
                   event('moving', 10.1, by='command', forward=True),
                   event('still', 10.3, by='command', forward=False)]
    assert 'moved again at +0.10 s without a new observation' in judged(events).failures


def late(events):
    events[2]['t'] = 10.6
    return 'zero came after 0.60 s'


def never(events):
    del events[2]
    return 'the robot was not stopped'


def by_itself(events):
    events.insert(4, event('moving', 10.9, by='command', forward=True))
    events.insert(5, event('still', 11.0, by='command', forward=False))
    return 'moved again at +0.90 s without a new observation'


def on_old_sound(events):
    events[4]['decided_on'] = 11.2  # the window began before the robot stood
    return 'moved again at +4.10 s without a new observation'


def without_a_word(events):
    events[3]['text'] = 'ok'
    return 'no diagnostics named the cause'


def for_good(events):
    del events[4:]
    return 'work did not resume'


@pytest.mark.parametrize('spoil', [late, never, by_itself, on_old_sound, without_a_word, for_good])
def test_each_failure_is_named(spoil):
    events = good_course()
    text = spoil(events)
    verdict = judged(events)
    assert not verdict.passed and text in verdict.failures


def test_the_death_of_another_node_is_a_failure():
    assert judged(good_course(), deaths=('policy',)).failures == ('policy ended too',)


def test_a_robot_at_rest_needs_no_stop():
    assert judged(good_course()[2:], began_s=10.4, words=()).zero_after_s == 0.0


def test_words_from_before_the_fault_do_not_count():
    events = good_course()
    events[3]['t'] = 9.5
    assert 'no diagnostics named the cause' in judged(events).failures


def test_it_is_told_whether_the_robot_itself_was_held_up_after_the_fault():
    assert not judged([event('held_up', 9.9, for_s=0.3), *good_course()]).held_up
    assert judged([*good_course(), event('held_up', 10.2, for_s=0.3)]).held_up


def test_the_word_of_an_intruder_is_no_rest_of_the_robot():
    events = good_course()
    events.insert(4, event('motion_state', 13.1, state=40 * 'x', since=13.05))
    assert judged(events).passed
    events[4]['state'] = 'idle'
    assert not judged(events).passed
