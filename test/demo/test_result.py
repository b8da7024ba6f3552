# SPDX-License-Identifier: Apache-2.0
import io

import pytest

from asgf_nav_ros.demo.progress import Progress
from asgf_nav_ros.demo.result import caption
from asgf_nav_ros.demo.result import episode_row

RESULT = {
    'event': 'episode_result', 'episode': '1-0', 'seed': 7, 'stopped': True, 'geodesic_m': 6.0,
    'distance_to_goal_m': 0.5, 'path_length_m': 8.0, 'actions': 20, 'oracle_actions': 16,
    'realtime_factor': 4.2, 'house': 'small/test/7', 'sound': 'old_telephone', 'end': 'stop',
    'collisions': 0}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_row_has_metrics_and_latency():
    row = episode_row(RESULT, [{'latency_ms': value} for value in range(1, 102)])
    assert row['success'] is True and row['seed'] == 7
    assert row['spl'] == pytest.approx(0.75) and row['sna'] == pytest.approx(0.8)
    assert row['decision_latency_ms'] == pytest.approx({'p50': 51, 'p99': 100})


def test_latency_without_decisions_is_unknown():
    assert episode_row(RESULT, [])['decision_latency_ms'] == {'p50': None, 'p99': None}


@pytest.mark.parametrize(('left_m', 'words'), [(0.5, 'found in 20'), (3.0, 'missed by 3.0 m')])
def test_caption_says_how_it_ended(left_m, words):
    line = caption(episode_row({**RESULT, 'distance_to_goal_m': left_m}, []))
    assert line.startswith('old telephone, 6.0 m away') and words in line


def test_a_log_has_one_line_an_episode():
    stream = io.StringIO()
    progress = Progress(2, stream=stream)
    events = [{'event': 'ready'}, {'event': 'episode', 'name': '1-0'},
              {'event': 'action', 'name': 'TURN_LEFT'}, RESULT, RESULT]
    for event in events:
        progress.show(event)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith('episode 1 of 2: old telephone')
    assert lines[2].startswith('episode 2 of 2') and '4.2x real time' in lines[2]


def test_a_terminal_shows_actions_as_they_happen():
    stream = Terminal()
    progress = Progress(1, stream=stream)
    for name in ('TURN_LEFT', 'MOVE_FORWARD', 'STOP'):
        progress.show({'event': 'action', 'name': name})
    assert stream.getvalue().endswith('episode 1 of 1: <^.')
