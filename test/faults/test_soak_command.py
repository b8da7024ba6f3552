# SPDX-License-Identifier: Apache-2.0
"""A minute at most of what asgf-nav soak runs for hours; growth needs hours to be told."""

import argparse
import json
import signal
import subprocess
import sys
import time

import pytest

from asgf_nav_ros.faults import soak_command

PATIENCE_S = 180
NODES = {'spectrogram', 'policy', 'motion', 'simulator'}


def run(*words):
    parser = argparse.ArgumentParser()
    soak_command.add_arguments(parser)
    return soak_command.run(parser.parse_args(words))


@pytest.fixture(scope='module')
def document(tmp_path_factory):
    folder = tmp_path_factory.mktemp('soak')
    run('--hours', '0.006', '--max-actions', '6', '--json', str(folder / 'soak.json'),
        '--logs', str(folder / 'logs'))
    return json.loads((folder / 'soak.json').read_text())


def test_it_goes_on_until_its_time_is_over(document):
    assert document['sim_time_s'] >= 0.006 * 3600
    assert document['episodes'] >= 2


def test_no_action_is_lost(document):
    actions = document['actions']
    assert actions['sent'] > 0 and actions['lost'] == actions['slips'] == 0
    assert actions['sent'] == actions['seen'] == actions['seen_by_simulator']


def test_stamps_stay_on_the_ticks(document):
    assert document['stamps']['off_tick_most_s'] <= document['stamps']['off_tick_wanted_s']


def test_every_process_is_weighed_from_the_first_tick_on(document):
    assert set(document['memory']) == NODES
    for use in document['memory'].values():
        assert min(use['resident_mb']) > 20
        assert len(use['resident_mb']) == len(use['clock_s']) > 1
        assert use['clock_s'] == sorted(use['clock_s'])


def test_nothing_but_growth_can_fail_so_early(document):
    assert [failure for failure in document['failures'] if 'grew by' not in failure] == []
    assert document['passed'] == (not document['failures'])


def test_what_is_known_is_written_when_it_is_interrupted(tmp_path):
    log = tmp_path / 'logs' / 'simulator.log'
    soak = subprocess.Popen(
        [sys.executable, '-m', 'asgf_nav_ros.cli', 'soak', '--hours', '1', '--json',
         str(tmp_path / 'soak.json'), '--logs', str(log.parent)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (log.is_file() and 'episode 1-0' in log.read_text()):
            assert time.monotonic() < deadline_s and soak.poll() is None
            time.sleep(0.1)
        soak.send_signal(signal.SIGTERM)
        said, complaint = soak.communicate(timeout=PATIENCE_S)
    finally:
        soak.kill()
        soak.wait()
    assert soak.returncode == 130, complaint
    failures = json.loads((tmp_path / 'soak.json').read_text())['failures']
    assert 'the run ended before its time' in failures
    assert 'FAIL the run ended before its time' in said


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ValueError, match='--hours must be positive, got 0'):
        run('--hours', '0')
