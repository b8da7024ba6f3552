# SPDX-License-Identifier: Apache-2.0
"""The whole graph in simulation: spectrogram, policy and motion around the embedded world.

Example: ros2 launch asgf_nav_ros sim.launch.py episodes:=3 seed:=7
"""

from pathlib import Path

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.actions import OpaqueFunction
from launch.actions import SetEnvironmentVariable
from launch.actions import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterFile

from asgf_nav_ros.share import share_directory

PACKAGE = 'asgf_nav_ros'
BOOLEANS = ('false', 'true')
ARGUMENTS = {
    'namespace': ('', 'Namespace of all nodes.', None),
    'use_sim_time': ('true', "Follow the simulator's clock.", BOOLEANS),
    'params_file': ('', 'YAML with parameters that override those of config/.', None),
    'model': ('', 'The ONNX policy; empty takes models/asgf_nav.onnx of the package.', None),
    'provider': ('cpu', 'Where the policy runs.', ('cpu', 'cuda', 'tensorrt', 'auto')),
    'autostart': ('true', 'Nodes configure and activate themselves.', BOOLEANS),
    'lockstep': ('true', 'As fast as the graph goes and reproducible; else by the wall clock.',
                 BOOLEANS),
    'realtime_factor': ('1.0', 'Simulated seconds a second without lockstep.', None),
    'episodes': ('1', 'Episodes to run.', None),
    'seed': ('1', 'Draws houses, ways and sounds.', None),
    'house': ('', 'A floor plan (.json) or a name like small/test/7; empty draws them.', None),
    'split': ('test', 'Split of generated houses and of sounds.', ('train', 'val', 'test')),
    'sounds': ('unheard', 'heard: the telephone; unheard: all of the split.',
               ('heard', 'unheard')),
    'sound_folder': ('', "Recordings of your own, instead of the catalogue's.", None),
    'cmd_vel_stamped': ('true', 'Command TwistStamped; lockstep needs it.', BOOLEANS),
    'enable_motion': ('true', 'Let the robot move without a call of motion/enable.', BOOLEANS),
    'log_level': ('info', 'Of all nodes.', ('debug', 'info', 'warn', 'error', 'fatal')),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the nodes."""
    declared = [DeclareLaunchArgument(name, default_value=default, description=description,
                                      **({'choices': choices} if choices else {}))
                for name, (default, description, choices) in ARGUMENTS.items()]
    profile = str(share_directory('config') / 'fastdds_profile.xml')
    transports = [SetEnvironmentVariable(name, profile) for name in (
        'FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')]
    return LaunchDescription([*declared, *transports, OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[LifecycleNode]:
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    lockstep = _is_true(given['lockstep'])
    shared = {
        'model_path': given['model'] or str(share_directory('models') / 'asgf_nav.onnx'),
        'autostart': _is_true(given['autostart']),
    }
    timed = {**shared, 'use_sim_time': _is_true(given['use_sim_time'])}
    stamped = {'cmd_vel_stamped': _is_true(given['cmd_vel_stamped'])}
    motion = {**timed, **stamped, 'enabled': _is_true(given['enable_motion'])}
    if not lockstep:
        motion.update(control_trigger='timer', depth_wait_s=0.0)
    simulator = {
        **shared, **stamped, 'lockstep': lockstep,
        'realtime_factor': float(given['realtime_factor']),
        'episodes': int(given['episodes']), 'seed': int(given['seed']),
        **{name: given[name] for name in ('house', 'split', 'sounds', 'sound_folder')}}
    return [
        _node('spectrogram', timed, given),
        _node('policy', {**timed, 'provider': given['provider']}, given),
        _node('motion', motion, given),
        _node('simulator', simulator, given, on_exit=Shutdown(reason='the simulator ended')),
    ]


def _node(name: str, parameters: dict, given: dict[str, str], **more: object) -> LifecycleNode:
    """A node with its own file, what simulation changes, the arguments and the user's file."""
    config = share_directory('config')
    files = [config / f'{name}.yaml', config / 'sim.yaml']
    own = [Path(given['params_file'])] if given['params_file'] else []
    return LifecycleNode(
        package=PACKAGE, executable=name, name=name, namespace=given['namespace'],
        parameters=[*map(_file, files), parameters, *map(_file, own)],
        arguments=['--ros-args', '--log-level', given['log_level']], output='screen', **more)


def _file(path: Path) -> ParameterFile:
    return ParameterFile(str(path), allow_substs=False)


def _is_true(text: str) -> bool:
    return text == 'true'
