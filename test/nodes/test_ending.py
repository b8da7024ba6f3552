# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

# A call of C that keeps Python's lock, as the shutdown of a middleware does.
STUCK = """
import ctypes
from asgf_nav_ros.nodes.ending import {name}
limit_leaving(0.2)
{then}
ctypes.PyDLL(None).{call}
"""


def run(**parts):
    return subprocess.run([sys.executable, '-c', STUCK.format(**parts)], timeout=60, text=True,
                          stderr=subprocess.PIPE, check=False)


def test_a_process_that_cannot_leave_the_graph_is_ended_and_says_where_it_was():
    ended = run(name='limit_leaving', then='', call='pause()')
    assert ended.returncode == 1
    assert 'line 6 in <module>' in ended.stderr


def test_a_process_that_has_left_the_graph_may_go_on():
    ended = run(name='leave_graph, limit_leaving', then='leave_graph()', call='usleep(500_000)')
    assert ended.returncode == 0, ended.stderr
