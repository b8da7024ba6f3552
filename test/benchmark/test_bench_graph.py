# SPDX-License-Identifier: Apache-2.0
"""The measurement itself on a few decisions; how fast they are is asgf-nav bench's to say."""

import pytest

from asgf_nav_ros.benchmark import bench_graph

DECISIONS = 3


@pytest.fixture(scope='module')
def figures():
    return bench_graph.measure(decisions=DECISIONS, seed=0)


def test_every_decision_is_timed(figures):
    assert figures['decisions'] >= DECISIONS and figures['moves'] > 0
    for name in ('audio_to_action_ms', 'sample_to_action_ms'):
        assert figures[name]['count'] >= DECISIONS - 1
        assert 0 < figures[name]['p50'] <= figures[name]['p99'] <= figures[name]['most']
    assert figures['sample_to_action_ms']['p50'] >= figures['audio_to_action_ms']['p50']


def test_commands_are_timed_throughout_and_at_decisions(figures):
    assert figures['command_jitter_ms']['count'] > 25 * figures['wall_s']
    assert figures['command_jitter_at_decisions_ms']['count'] >= DECISIONS


def test_the_processor_time_of_each_node_is_counted(figures):
    nodes = figures['cpu_cores']['nodes']
    assert set(nodes) == {'spectrogram', 'policy', 'motion'} and min(nodes.values()) > 0
    assert figures['cpu_cores']['sum'] == pytest.approx(sum(nodes.values()))


def test_the_recording_is_decided_again_as_it_was(figures):
    replay = figures['replay']
    assert replay['decisions'] >= DECISIONS and replay['agree'] == replay['decisions']
    assert replay['speed_vs_realtime'] > 0


def test_every_line_of_the_table_says_what_is_wanted(figures):
    shown = bench_graph.table(figures)
    for words in ('wanted under 25 ms', 'wanted under 5 ms', 'wanted under 0.6', 'wanted 20x'):
        assert words in shown


def test_no_decisions_are_refused():
    with pytest.raises(ValueError, match='decisions must be positive, got 0'):
        bench_graph.measure(decisions=0, seed=0)
