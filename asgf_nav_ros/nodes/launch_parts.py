# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: arguments with descriptions, transports, nodes with their files."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.actions import SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterFile

from asgf_nav_ros.share import share_directory

PACKAGE = 'asgf_nav_ros'
BOOLEANS = ('false', 'true')
LOG_LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
PROFILES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
# Name to (default, description, choices or None).
Arguments = Mapping[str, tuple[str, str, Sequence[str] | None]]


def declared(arguments: Arguments) -> list[DeclareLaunchArgument]:
    """The actions that declare them."""
    return [DeclareLaunchArgument(name, default_value=default, description=description,
                                  **({'choices': choices} if choices else {}))
            for name, (default, description, choices) in arguments.items()]


def given(context: LaunchContext, arguments: Arguments) -> dict[str, str]:
    """Their values."""
    return {name: LaunchConfiguration(name).perform(context) for name in arguments}


def is_true(text: str) -> bool:
    """Whether an argument with the choices BOOLEANS is true."""
    return text == 'true'


def transports() -> list[SetEnvironmentVariable]:
    """Settings with which images of a megabyte arrive."""
    profile = str(share_directory('config') / 'fastdds_profile.xml')
    return [SetEnvironmentVariable(name, profile) for name in PROFILES]


def model_path(model: str) -> str:
    """The model that an argument names, or the one that comes with the package."""
    return model or str(share_directory('models') / 'asgf_nav.onnx')


def node(name: str, parameters: Mapping[str, Any], values: Mapping[str, str], *,
         files: Sequence[str] = (), **more: Any) -> LifecycleNode:
    """A node with its own file of config/, ``files`` besides, parameters and the user's file.

    Args:
        name: of the node and of its executable.
        parameters: what the arguments of the launch file say.
        values: these arguments, ``namespace``, ``params_file`` and ``log_level`` among them.
        files: names of further files of config/.
        more: for the action, e.g. remappings.
    """
    return LifecycleNode(
        package=PACKAGE, executable=name, name=name, namespace=values['namespace'],
        parameters=_parameters([f'{name}.yaml', *files], parameters, values),
        arguments=_ros_arguments(values), output='screen', **more)


def composed(nodes: Mapping[str, Mapping[str, Any]], values: Mapping[str, str],
             **more: Any) -> Node:
    """One process with these nodes; launch hands the parameters of each to all of them."""
    parameters = {key: value for own in nodes.values() for key, value in own.items()}
    return Node(
        package=PACKAGE, executable='composed', namespace=values['namespace'],
        parameters=_parameters([f'{name}.yaml' for name in nodes], parameters, values),
        arguments=[*nodes, *_ros_arguments(values)], output='screen', **more)


def _ros_arguments(values: Mapping[str, str]) -> list[str]:
    return ['--ros-args', '--log-level', values['log_level']]


def _parameters(files: Sequence[str], parameters: Mapping[str, Any],
                values: Mapping[str, str]) -> list[Any]:
    config = share_directory('config')
    shipped = [_file(config / file) for file in files]
    own = [_file(Path(values['params_file']))] if values['params_file'] else []
    return [*shipped, dict(parameters), *own]


def _file(path: Path) -> ParameterFile:
    return ParameterFile(str(path), allow_substs=False)
