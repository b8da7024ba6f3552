# SPDX-License-Identifier: Apache-2.0
"""A recording in place of the robot: its sensors are played to a live spectrogram and policy.

Nothing moves: motion is not started, and what it said then is played too.

Example: ros2 launch asgf_nav_ros replay.launch.py bag:=demo/bag rate:=2.0
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
    'bag': ('', 'The recording: folder of a rosbag2, or a file .mcap or .db3.', None),
    'topics': ('', 'Topics whose names do not tell what they are: color=/a/image,depth=/b/image.',
               None),
    'rate': ('1.0', 'Recorded seconds a second.', None),
    'loop': ('false', 'Begin again at the end.', BOOLEANS),
    'namespace': ('', 'Namespace of all nodes.', None),
    'use_sim_time': ('true', "Follow the recording's clock.", BOOLEANS),
    'params_file': ('', 'YAML with parameters that override those of config/.', None),
    'model': ('', 'The ONNX policy; empty takes models/asgf_nav.onnx of the package.', None),
    'provider': ('cpu', 'Where the policy runs.', ('cpu', 'cuda', 'tensorrt', 'auto')),
    'visuals': ('true', 'Publish path, arrows and dashboard for RViz and Foxglove.', BOOLEANS),
    'autostart': ('true', 'Nodes configure and activate themselves.', BOOLEANS),
    'log_level': ('info', 'Of all nodes.', launch_parts.LOG_LEVELS),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the nodes."""
    return LaunchDescription([
        *launch_parts.declared(ARGUMENTS), *launch_parts.transports(),
        OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[LifecycleNode]:
    given = launch_parts.given(context, ARGUMENTS)
    shared = {'autostart': is_true(given['autostart'])}
    live = {**shared, 'use_sim_time': is_true(given['use_sim_time']),
            'sensor_reliability': 'reliable',
            'model_path': launch_parts.model_path(given['model'])}
    player = {**shared, 'bag_path': given['bag'], 'topics': given['topics'],
              'rate': float(given['rate']), 'loop': is_true(given['loop'])}
    nodes = [
        launch_parts.node('spectrogram', live, given),
        launch_parts.node('policy', {**live, 'provider': given['provider']}, given),
        launch_parts.node('player', player, given,
                          on_exit=Shutdown(reason='the recording is over'))]
    if is_true(given['visuals']):
        nodes.append(launch_parts.node('visuals', live, given))
    return nodes
