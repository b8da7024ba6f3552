# SPDX-License-Identifier: Apache-2.0
from asgf_nav_ros.faults.table import table

ROW = {'name': 'silent_odom', 'passed': True, 'zero_after_s': 0.303, 'stopped_by': ['command'],
       'cause_named': True, 'cause': 'zero: stale_odometry', 'resumed_after_s': 1.5, 'tries': 2,
       'passed_tries': 2, 'repeats': 0, 'failures': []}


def lines(*rows):
    return table(rows).splitlines()[-len(rows):]


def test_a_fault_is_one_line():
    assert lines(ROW) == [
        '| silent_odom | 0.30 s | command | 1.50 s | 2/2 | `zero: stale_odometry` |']


def test_what_failed_is_marked_and_says_why():
    [line] = lines({**ROW, 'passed': False, 'zero_after_s': None, 'failures': ['was not stopped'],
                    'passed_tries': 1})
    assert line.startswith('| **silent_odom: was not stopped** | – |') and '| 1/2 |' in line


def test_a_cause_cannot_break_the_table():
    [line] = lines({**ROW, 'cause': 500 * 'x|`'})
    assert line.count('|') == 7 and len(line) < 250


def test_repeated_tries_are_told():
    [line] = lines({**ROW, 'repeats': 3})
    assert '| 2/2 (3) |' in line
