# SPDX-License-Identifier: Apache-2.0
"""The launch file: compiled always, read and expanded wherever ROS's own launch is there."""

import ast
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / 'launch' / 'sim.launch.py'
NODES = {'spectrogram', 'policy', 'motion', 'simulator'}


def test_it_compiles_and_has_the_entry_point():
    tree = ast.parse(FILE.read_text(), str(FILE))
    compile(tree, str(FILE), 'exec')
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert 'generate_launch_description' in functions


@pytest.fixture(name='launch')
def _launch():
    """ROS's own launch; a package of that name on PyPI is something else."""
    pytest.importorskip('launch_ros')
    return pytest.importorskip('launch.launch_description_sources')


@pytest.fixture
def description(launch):
    from launch import LaunchContext
    source = launch.PythonLaunchDescriptionSource(str(FILE))
    return source.get_launch_description(LaunchContext())


def expand(description, **arguments):
    """The node actions that these arguments lead to, by name."""
    from launch import LaunchContext
    from launch_ros.actions import LifecycleNode
    context = LaunchContext()
    context.launch_configurations.update(arguments)
    found, waiting = {}, list(description.entities)
    while waiting:
        entity = waiting.pop(0)
        if isinstance(entity, LifecycleNode):
            found[entity.node_executable] = entity
        else:
            waiting = [*(entity.visit(context) or []), *waiting]
    return found


def test_every_argument_is_described(description):
    arguments = description.get_launch_arguments()
    assert {'namespace', 'use_sim_time', 'params_file', 'model', 'provider', 'autostart',
            'lockstep', 'episodes', 'seed', 'house', 'log_level', 'cmd_vel_stamped',
            'enable_motion'} <= {argument.name for argument in arguments}
    assert all(argument.description and argument.default_value is not None
               for argument in arguments)


@pytest.mark.parametrize('arguments', [
    {}, {'lockstep': 'false', 'namespace': 'robot1'}, {'params_file': __file__}])
def test_it_starts_the_four_nodes(description, arguments):
    assert set(expand(description, **arguments)) == NODES


def test_a_value_that_is_no_choice_is_refused(description):
    with pytest.raises(RuntimeError, match='lockstep'):
        expand(description, lockstep='perhaps')
