# SPDX-License-Identifier: Apache-2.0
"""The robot's launch file: expanded wherever ROS's own launch is there."""

from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / 'launch' / 'robot.launch.py'
NODES = {'motion', 'spectrogram', 'policy', 'camera', 'audio_capture'}


def test_every_argument_is_described(description):
    arguments = description.get_launch_arguments()
    assert {'namespace', 'use_sim_time', 'params_file', 'model', 'provider', 'autostart',
            'composed', 'log_level', 'cmd_vel_stamped', 'dry_run', 'record', 'audio_source',
            'camera_source', 'respawn', 'listen_while_moving'} <= {
                argument.name for argument in arguments}
    assert all(argument.description and argument.default_value is not None
               for argument in arguments)


@pytest.mark.parametrize('arguments, nodes', [
    ({}, NODES), ({'namespace': 'robot1', 'params_file': __file__}, NODES),
    ({'audio_source': 'none', 'camera_source': 'none'}, {'motion', 'spectrogram', 'policy'}),
    ({'composed': 'true'}, {'motion', 'composed'}),
    ({'record': '/tmp/bag', 'visuals': 'true'}, NODES | {'recorder', 'visuals'})])
def test_it_starts_what_the_robot_needs(description, expand, arguments, nodes):
    assert set(expand(description, **arguments)) == nodes


def test_motion_comes_first(description, expand):
    assert next(iter(expand(description))) == 'motion'


@pytest.mark.parametrize('name, value', [('composed', 'perhaps'), ('camera_source', 'tape')])
def test_a_value_that_is_no_choice_is_refused(description, expand, name, value):
    with pytest.raises(RuntimeError, match=name):
        expand(description, **{name: value})
