# SPDX-License-Identifier: Apache-2.0
"""A few faults in a graph of real processes; how fast it stops is asgf-nav faults' to measure."""

import random

import pytest

from asgf_nav_ros.faults.cases import choose
from asgf_nav_ros.faults.cases import PLAIN
from asgf_nav_ros.faults.command import MODEL
from asgf_nav_ros.faults.trial import run_trial
from asgf_nav_ros.faults.trial_graph import TrialGraph
from asgf_nav_ros.share import share_directory


@pytest.fixture(scope='module')
def graph(tmp_path_factory):
    with TrialGraph(PLAIN, model=share_directory('models') / MODEL,
                    folder=tmp_path_factory.mktemp('graph'), seed=1) as graph:
        graph.start()
        yield graph


@pytest.mark.parametrize('name', ['silent_odom', 'dead_left_audio', 'kill_policy'])
def test_a_fault_is_named_and_work_resumes_after_it(graph, name):
    [case] = choose(name)
    verdict = run_trial(graph, case, window_s=1.0, rng=random.Random(1))
    assert any(word in verdict.cause for word in case.words)
    assert verdict.zero_after_s is not None and verdict.resumed_after_s is not None
    assert graph.dead(but='') == []
