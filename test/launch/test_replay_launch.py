# SPDX-License-Identifier: Apache-2.0
"""The launch file of a replay: expanded wherever ROS's own launch is there."""

from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / 'launch' / 'replay.launch.py'
NODES = {'spectrogram', 'policy', 'player', 'visuals'}


def test_every_argument_is_described(description):
    arguments = description.get_launch_arguments()
    assert {'bag', 'topics', 'rate', 'loop', 'namespace', 'use_sim_time', 'params_file', 'model',
            'provider', 'visuals', 'autostart', 'log_level'} == {
                argument.name for argument in arguments}
    assert all(argument.description and argument.default_value is not None
               for argument in arguments)


@pytest.mark.parametrize('arguments, nodes', [
    ({'bag': 'demo/bag'}, NODES), ({'bag': 'b', 'namespace': 'robot1'}, NODES),
    ({'bag': 'b', 'visuals': 'false'}, NODES - {'visuals'})])
def test_it_plays_to_a_graph_that_cannot_move(description, expand, arguments, nodes):
    assert set(expand(description, **arguments)) == nodes


def test_a_value_that_is_no_choice_is_refused(description, expand):
    with pytest.raises(RuntimeError, match='loop'):
        expand(description, loop='perhaps')
