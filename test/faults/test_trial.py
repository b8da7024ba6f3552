# SPDX-License-Identifier: Apache-2.0
"""A few faults in a graph of real processes; how fast it stops is asgf-nav faults' to measure."""

import random

import pytest

from asgf_nav_ros.faults.cases import choose
from asgf_nav_ros.faults.cases import PLAIN
from asgf_nav_ros.faults.cases import SENSING
from asgf_nav_ros.faults.command import MODEL
from asgf_nav_ros.faults.sound_card import missing_programs
from asgf_nav_ros.faults.trial import run_trial
from asgf_nav_ros.faults.trial_graph import TrialGraph
from asgf_nav_ros.share import share_directory


@pytest.fixture(scope='module', params=[PLAIN, SENSING])
def graph(request, tmp_path_factory):
    if request.param == SENSING and missing_programs():
        pytest.skip('needs pulseaudio: tools/install_system_packages.sh --test')
    with TrialGraph(request.param, model=share_directory('models') / MODEL,
                    folder=tmp_path_factory.mktemp('graph'), seed=1) as graph:
        graph.start()
        yield graph


@pytest.mark.parametrize('graph, name', [
    (PLAIN, 'silent_odom'), (PLAIN, 'dead_left_audio'), (PLAIN, 'kill_policy'),
    (SENSING, 'kill_camera'), (SENSING, 'unplugged_microphones')], indirect=['graph'])
def test_a_fault_is_named_and_work_resumes_after_it(graph, name):
    [case] = choose(name)
    verdict = run_trial(graph, case, window_s=1.0, rng=random.Random(1))
    assert any(word in verdict.cause for word in case.words)
    assert verdict.zero_after_s is not None and verdict.resumed_after_s is not None
    assert graph.dead(but='') == []
