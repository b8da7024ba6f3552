# SPDX-License-Identifier: Apache-2.0
"""The launch file: read and expanded wherever ROS's own launch is there."""

from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / 'launch' / 'sim.launch.py'
NODES = {'spectrogram', 'policy', 'motion', 'simulator'}


def test_every_argument_is_described(description):
    arguments = description.get_launch_arguments()
    assert {'namespace', 'use_sim_time', 'params_file', 'model', 'provider', 'autostart',
            'lockstep', 'episodes', 'seed', 'house', 'log_level', 'cmd_vel_stamped',
            'enable_motion'} <= {argument.name for argument in arguments}
    assert all(argument.description and argument.default_value is not None
               for argument in arguments)


@pytest.mark.parametrize('arguments', [
    {}, {'lockstep': 'false', 'namespace': 'robot1'}, {'params_file': __file__}])
def test_it_starts_the_four_nodes(description, expand, arguments):
    assert set(expand(description, **arguments)) == NODES


def test_a_value_that_is_no_choice_is_refused(description, expand):
    with pytest.raises(RuntimeError, match='lockstep'):
        expand(description, lockstep='perhaps')
