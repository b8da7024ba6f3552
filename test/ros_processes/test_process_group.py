# SPDX-License-Identifier: Apache-2.0
import os
import signal
import time

import pytest

from asgf_nav_ros.ros_processes.process_group import ChildFailed
from asgf_nav_ros.ros_processes.process_group import ProcessGroup
from asgf_nav_ros.ros_processes.process_group import TooSlow

STUBBORN = ('import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); '
            'signal.signal(signal.SIGTERM, signal.SIG_IGN); print("up"); time.sleep(60)')


@pytest.fixture
def group(tmp_path):
    with ProcessGroup(tmp_path, environment={'COLOR': 'green'}) as children:
        yield children


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_lines_arrive_until_the_listened_child_ends_well(group):
    group.start('waiter', ['-c', 'import time; time.sleep(60)'])
    group.start('talker', ['-c', 'import os; print(1); print(os.environ["COLOR"])'],
                listened=True)
    assert list(group.lines(silence_s=20)) == ['1', 'green']


def test_a_child_that_dies_is_named_with_its_last_words(group):
    group.start('talker', ['-c', 'import time; time.sleep(60)'], listened=True)
    group.start('policy', ['-c', 'raise ValueError("no model")'])
    with pytest.raises(ChildFailed, match='policy ended with code 1: .*ValueError: no model'):
        list(group.lines(silence_s=20))


def test_a_listened_child_that_fails_is_reported(group):
    group.start('talker', ['-c', 'print(1); raise SystemExit(3)'], listened=True)
    with pytest.raises(ChildFailed, match='talker ended with code 3: it said nothing'):
        list(group.lines(silence_s=20))


def test_silence_is_not_waited_for_forever(group):
    group.start('talker', ['-c', 'import time; time.sleep(60)'], listened=True)
    with pytest.raises(TooSlow, match='nothing happened for'):
        list(group.lines(silence_s=0.5))


def test_leaving_ends_every_child_even_a_stubborn_one(tmp_path, monkeypatch):
    monkeypatch.setattr('asgf_nav_ros.ros_processes.process_group.PATIENCE_S', 0.3)
    with ProcessGroup(tmp_path, environment={}) as children:
        pids = [children.start('stubborn', ['-c', STUBBORN], listened=True),
                children.start('sleeper', ['-c', 'import time; time.sleep(60)'])]
        assert next(children.lines(silence_s=20)) == 'up'
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


def test_an_error_in_the_parent_ends_the_children_too(tmp_path):
    with pytest.raises(KeyError), ProcessGroup(tmp_path, environment={}) as children:
        pid = children.start('sleeper', ['-c', 'import time; time.sleep(60)'])
        raise KeyError
    assert not alive(pid)


def test_a_child_killed_from_outside_is_noticed(group):
    group.start('talker', ['-c', 'import time; time.sleep(60)'], listened=True)
    pid = group.start('motion', ['-c', 'import time; time.sleep(60)'])
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ChildFailed, match='motion ended with code -9'):
        list(group.lines(silence_s=20))
