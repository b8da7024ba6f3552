# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.window_schedule import WindowSchedule

CONTRACT = PolicyContract()


class Stream:
    """Audio from 10 s on in blocks of 0.1 s, and the ends of the windows taken from it."""

    def __init__(self, *, period_s):
        self.schedule = WindowSchedule(CONTRACT, period_s=period_s)
        self.listening, self.end_s = ListeningWindow(CONTRACT), 10.0

    def hear(self, until_s):
        found = []
        while self.end_s < until_s - 1e-6:
            self.listening.push(self.end_s, np.zeros((2, 1600), np.float32))
            self.end_s += 0.1
            found += self.ends()
        return found

    def ends(self):
        found = []
        while (window := self.schedule.due(self.listening)) is not None:
            found.append(round(window.end_s, 6))
        return found


def test_windows_follow_the_rest_at_the_period():
    stream = Stream(period_s=0.5)
    stream.schedule.rest(10.2)
    assert stream.hear(12.5) == [11.2, 11.7, 12.2]


def test_a_window_ends_with_the_last_sample_that_came():
    stream = Stream(period_s=0.5)
    stream.schedule.rest(10.25)
    assert stream.hear(12.0) == [11.3, 11.8]


def test_of_a_backlog_only_the_newest_window_is_taken():
    stream = Stream(period_s=0.5)
    stream.schedule.move()
    assert stream.hear(12.5) == []
    stream.schedule.rest(10.2)
    assert stream.ends() == [12.5]


def test_there_are_none_while_moving():
    stream = Stream(period_s=0.5)
    stream.schedule.move()
    assert stream.hear(12.5) == []


def test_a_state_that_is_told_again_changes_nothing():
    stream = Stream(period_s=0.5)
    stream.schedule.rest(10.0)
    first = stream.hear(12.5)
    stream.schedule.rest(10.0)
    assert stream.ends() == [] and len(first) == 4


def test_a_new_rest_begins_anew():
    stream = Stream(period_s=1.0)
    stream.schedule.rest(10.0)
    assert stream.hear(11.5) == [11.0]
    stream.schedule.move()
    stream.schedule.rest(11.2)
    assert stream.hear(12.5) == [12.2]


@pytest.mark.parametrize('period_s', [0.0, -1.0, float('nan')])
def test_the_period_must_be_positive(period_s):
    with pytest.raises(ValueError, match='period_s must be positive'):
        WindowSchedule(CONTRACT, period_s=period_s)
