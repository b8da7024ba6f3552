# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.supervision import heartbeat
from asgf_nav_ros.motion.supervision import Supervision
from asgf_nav_ros.motion.supervision import SupervisionLimits


def supervision(**limits):
    return Supervision(SupervisionLimits(**{'clock_timeout_s': 0.0, **limits}), steady_s=10.0)


def test_without_anything_to_watch_all_is_well():
    assert supervision().trouble(1e6).cause == Cause.NONE


def test_each_watched_node_must_send_heartbeats():
    watch = supervision(nodes=('ears', 'mind'))
    assert 'has not sent a heartbeat yet' in watch.trouble(10.0).detail
    watch.see_heartbeat(heartbeat('ears', ''), 10.0)
    watch.see_heartbeat(heartbeat('mind', ''), 10.2)
    watch.see_heartbeat('someone else', 10.5)
    assert watch.trouble(10.29).cause == Cause.NONE
    assert watch.trouble(10.4).cause == Cause.SILENT_NODE
    assert watch.trouble(10.4).detail == 'no sign of life from ears'


def test_a_node_says_itself_what_is_wrong_and_when_it_is_over():
    watch = supervision(nodes=('ears',))
    watch.see_heartbeat(heartbeat('ears', 'audio: has stopped'), 10.0)
    assert watch.trouble(10.1).cause == Cause.UNWELL_NODE
    assert watch.trouble(10.1).detail == 'ears: audio: has stopped'
    watch.see_heartbeat(heartbeat('ears', ''), 10.1)
    assert watch.trouble(10.1).cause == Cause.NONE


def test_heartbeats_are_bounded():
    watch = supervision(nodes=('ears',))
    watch.see_heartbeat('ears: ' + 10**6 * 'x', 10.0)
    assert len(heartbeat('ears', 10**6 * 'x')) < 300
    assert len(watch.trouble(10.0).detail) < 500


def test_the_deadman_switch_must_be_held_and_heard():
    watch = supervision(deadman_timeout_s=0.3)
    assert watch.trouble(10.0).cause == Cause.NO_DEADMAN
    watch.see_deadman(True, 10.0)
    assert watch.trouble(10.2).cause == Cause.NONE
    assert watch.trouble(10.4).detail == 'the deadman switch is silent'
    watch.see_deadman(False, 10.4)
    assert watch.trouble(10.4).detail == 'the deadman switch is not held'


def test_a_clock_that_stands_still_is_trouble_until_it_runs():
    watch = supervision(clock_timeout_s=0.4)
    watch.see_clock(5.0, 10.0)
    watch.see_clock(5.0, 10.5)
    assert watch.trouble(10.5).cause == Cause.CLOCK_STOPPED
    watch.see_clock(5.1, 10.6)
    assert watch.trouble(10.6).cause == Cause.NONE


@pytest.mark.parametrize('value', [-1.0, math.nan, math.inf])
def test_limits_are_checked_at_the_door(value):
    with pytest.raises(ValueError, match='heartbeat_timeout_s must be zero or more'):
        SupervisionLimits(heartbeat_timeout_s=value)
