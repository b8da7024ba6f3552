# SPDX-License-Identifier: Apache-2.0
"""The whole graph on a robot: microphones, camera, spectrogram, policy and motion.

Example: ros2 launch asgf_nav_ros robot.launch.py audio_device:=ReSpeaker dry_run:=true
"""

from launch import LaunchContext
from launch import LaunchDescription
from launch.actions import OpaqueFunction
from launch_ros.actions import LifecycleNode
from launch_ros.actions import Node

from asgf_nav_ros.nodes import launch_parts
from asgf_nav_ros.nodes.launch_parts import BOOLEANS
from asgf_nav_ros.nodes.launch_parts import is_true

ARGUMENTS = {
    'namespace': ('', 'Namespace of all nodes.', None),
    'use_sim_time': ('false', 'Follow /clock.', BOOLEANS),
    'params_file': ('', 'YAML with parameters that override those of config/.', None),
    'model': ('', 'The ONNX policy; empty takes models/asgf_nav.onnx of the package.', None),
    'provider': ('cpu', 'Where the policy runs.', ('cpu', 'cuda', 'tensorrt', 'auto')),
    'audio_source': ('microphones', 'microphones: audio_capture records; none: something else '
                     'publishes audio.', ('microphones', 'none')),
    'audio_device': ('', "Index of the microphones, or a part of their name; empty takes the "
                     "system's default.", None),
    'swap_ears': ('false', 'Take the left ear for the right one.', BOOLEANS),
    'camera_source': ('topics', 'topics: camera fits the driver to the model; device, file, '
                      'openni2: camera reads it; none: policy and motion read the driver.',
                      ('topics', 'device', 'file', 'openni2', 'none')),
    'camera_path': ('0', 'Index or path of the camera, path of the file.', None),
    'color_topic': ('camera/color/image_raw', 'Colour of the driver.', None),
    'depth_topic': ('camera/aligned_depth_to_color/image_raw',
                    'Depth of the driver, registered to the colour.', None),
    'camera_info_topic': ('camera/color/camera_info', 'Lens of the driver.', None),
    'compressed': ('false', 'color_topic is a CompressedImage; camera_source topics only.',
                   BOOLEANS),
    'odom_topic': ('odom', 'Odometry of the base.', None),
    'cmd_vel_topic': ('cmd_vel', 'Commands to the base.', None),
    'cmd_vel_stamped': ('false', 'Command TwistStamped rather than Twist.', BOOLEANS),
    'listen_while_moving': ('false', 'Decide on what was heard on the way too, without standing '
                            'still to listen.', BOOLEANS),
    'enable_motion': ('false', 'Let the robot move without a call of motion/enable.', BOOLEANS),
    'dry_run': ('false', 'Command dry_run/cmd_vel, where no base listens.', BOOLEANS),
    'autostart': ('true', 'Nodes configure and activate themselves.', BOOLEANS),
    'composed': ('false', 'All but motion in one process: the safety of motion shares its fate '
                 'with nobody.', BOOLEANS),
    'respawn': ('true', 'Start a node again that has ended.', BOOLEANS),
    'visuals': ('false', 'Publish path, arrows and dashboard for RViz and Foxglove.', BOOLEANS),
    'record': ('', 'Folder for a recording (rosbag2), which must not exist yet; empty records '
               'nothing.', None),
    'log_level': ('info', 'Of all nodes.', launch_parts.LOG_LEVELS),
}
RESPAWN_DELAY_S = 2.0


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the nodes."""
    return LaunchDescription([
        *launch_parts.declared(ARGUMENTS), *launch_parts.transports(),
        OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[Node]:
    """Those that stop the robot begin, those that move it follow."""
    given = launch_parts.given(context, ARGUMENTS)
    shared = {'model_path': launch_parts.model_path(given['model']),
              'autostart': is_true(given['autostart']),
              'use_sim_time': is_true(given['use_sim_time'])}
    more = {'respawn': is_true(given['respawn']), 'respawn_delay': RESPAWN_DELAY_S}
    stamped = {'cmd_vel_stamped': is_true(given['cmd_vel_stamped'])}
    remappings = _remappings(given)
    nodes = [launch_parts.node(
        'motion', {**shared, **stamped, 'enabled': is_true(given['enable_motion'])}, given,
        remappings=remappings, **more)]
    others = {name: {**shared, **parameters} for name, parameters in _others(given).items()}
    if is_true(given['composed']):
        nodes.append(launch_parts.composed(others, given, remappings=remappings, **more))
    else:
        nodes += [launch_parts.node(name, parameters, given, remappings=remappings, **more)
                  for name, parameters in others.items()]
    if is_true(given['visuals']):
        nodes.append(launch_parts.node('visuals', shared, given, remappings=remappings, **more))
    return nodes + _recorder(given, {**shared, **stamped}, remappings)


def _others(given: dict[str, str]) -> dict[str, dict]:
    """All nodes but motion, and what the arguments tell them."""
    early = is_true(given['listen_while_moving'])
    nodes = {'spectrogram': {'follow_motion': not early},
             'policy': {'provider': given['provider'], 'listen_while_moving': early}}
    if given['camera_source'] != 'none':
        nodes['camera'] = {'source': given['camera_source'], 'path': given['camera_path'],
                           'compressed': is_true(given['compressed'])}
    if given['audio_source'] != 'none':
        nodes['audio_capture'] = {'device': given['audio_device'],
                                  'swap_ears': is_true(given['swap_ears'])}
    return nodes


def _remappings(given: dict[str, str]) -> list[tuple[str, str]]:
    """To the topics of the robot; each node uses some of them."""
    direct = given['camera_source'] == 'none'
    names = ({'color/image': 'color_topic', 'depth/image': 'depth_topic',
              'camera_info': 'camera_info_topic'} if direct else
             {'camera/driver/color': 'color_topic', 'camera/driver/depth': 'depth_topic',
              'camera/driver/camera_info': 'camera_info_topic'})
    command = 'dry_run/cmd_vel' if is_true(given['dry_run']) else given['cmd_vel_topic']
    return [*((name, given[topic]) for name, topic in names.items()),
            ('odom', given['odom_topic']), ('cmd_vel', command)]


def _recorder(given: dict[str, str], parameters: dict,
              remappings: list[tuple[str, str]]) -> list[LifecycleNode]:
    if not given['record']:
        return []
    return [launch_parts.node(
        'recorder', {**parameters, 'bag_path': given['record']}, given, remappings=remappings)]
