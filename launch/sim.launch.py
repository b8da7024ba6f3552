# SPDX-License-Identifier: Apache-2.0
"""The whole graph in simulation: spectrogram, policy and motion around a simulated world.

Example: ros2 launch asgf_nav_ros sim.launch.py episodes:=3 seed:=7
"""

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import OpaqueFunction
from launch.actions import Shutdown
from launch_ros.actions import LifecycleNode

from asgf_nav_ros.nodes import launch_parts
from asgf_nav_ros.nodes.launch_parts import BOOLEANS
from asgf_nav_ros.nodes.launch_parts import is_true

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
    'dataset_root': ('', 'A download of SoundSpaces 1.0, instead of houses and sounds.', None),
    'dataset_name': ('replica', 'Dataset under dataset_root.', ('mp3d', 'replica')),
    'dataset_split': ('test_telephone', 'Split of that dataset.', None),
    'cmd_vel_stamped': ('true', 'Command TwistStamped; lockstep needs it.', BOOLEANS),
    'enable_motion': ('true', 'Let the robot move without a call of motion/enable.', BOOLEANS),
    'log_level': ('info', 'Of all nodes.', launch_parts.LOG_LEVELS),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the nodes."""
    return LaunchDescription([
        *launch_parts.declared(ARGUMENTS), *launch_parts.transports(),
        OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[LifecycleNode]:
    given = launch_parts.given(context, ARGUMENTS)
    lockstep = is_true(given['lockstep'])
    shared = {'model_path': launch_parts.model_path(given['model']),
              'autostart': is_true(given['autostart'])}
    timed = {**shared, 'use_sim_time': is_true(given['use_sim_time'])}
    stamped = {'cmd_vel_stamped': is_true(given['cmd_vel_stamped'])}
    motion = {**timed, **stamped, 'enabled': is_true(given['enable_motion'])}
    if not lockstep:
        motion.update(control_trigger='timer', depth_wait_s=0.0)
    simulator = {
        **shared, **stamped, 'lockstep': lockstep,
        'realtime_factor': float(given['realtime_factor']),
        'episodes': int(given['episodes']), 'seed': int(given['seed']),
        **{name: given[name] for name in (
            'house', 'split', 'sounds', 'sound_folder', 'dataset_root', 'dataset_name',
            'dataset_split')}}
    return [
        launch_parts.node(name, parameters, given, files=['sim.yaml'], **more)
        for name, parameters, more in (
            ('spectrogram', timed, {}),
            ('policy', {**timed, 'provider': given['provider']}, {}),
            ('motion', motion, {}),
            ('simulator', simulator, {'on_exit': Shutdown(reason='the simulator ended')}))]
