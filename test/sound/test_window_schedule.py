# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.window_schedule import WindowSchedule

CONTRACT = PolicyContract()


@pytest.fixture
def listening():
    """Audio of 2.5 s from 10 s on."""
    listening = ListeningWindow(CONTRACT)
    for block in range(25):
        listening.push(10 + block / 10, np.zeros((2, 1600), np.float32))
    return listening


def ends(schedule, listening):
    found = []
    while (window := schedule.due(listening)) is not None:
        found.append(round(window.end_s, 6))
    return found


def test_windows_follow_the_rest_at_the_period(listening):
    schedule = WindowSchedule(CONTRACT, period_s=0.5)
    schedule.rest(10.25)
    assert ends(schedule, listening) == [11.25, 11.75, 12.25]


def test_there_are_none_while_moving(listening):
    schedule = WindowSchedule(CONTRACT, period_s=0.5)
    schedule.move()
    assert ends(schedule, listening) == []


def test_a_state_that_is_told_again_changes_nothing(listening):
    schedule = WindowSchedule(CONTRACT, period_s=0.5)
    schedule.rest(10.0)
    first = ends(schedule, listening)
    schedule.rest(10.0)
    assert ends(schedule, listening) == [] and len(first) == 4


def test_a_new_rest_begins_anew(listening):
    schedule = WindowSchedule(CONTRACT, period_s=1.0)
    schedule.rest(10.0)
    ends(schedule, listening)
    schedule.move()
    schedule.rest(11.3)
    assert ends(schedule, listening) == [12.3]


@pytest.mark.parametrize('period_s', [0.0, -1.0, float('nan')])
def test_the_period_must_be_positive(period_s):
    with pytest.raises(ValueError, match='period_s must be positive'):
        WindowSchedule(CONTRACT, period_s=period_s)
