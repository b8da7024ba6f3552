# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.replay.topic_roles import assign_roles
from asgf_nav_ros.replay.topic_roles import Role

IMAGE, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'


def test_a_namespace_does_not_matter():
    roles, notes = assign_roles({'/robot1/color/image': IMAGE, '/robot1/camera_info': INFO}, {})
    assert roles == {'/robot1/color/image': Role.COLOR, '/robot1/camera_info': Role.CAMERA_INFO}
    assert not notes


def test_aligned_depth_and_the_info_of_the_color_camera_are_taken():
    base = '/camera/camera'
    names = [f'{base}/color/image_raw', f'{base}/depth/image_rect_raw',
             f'{base}/aligned_depth_to_color/image_raw', f'{base}/infra1/image_rect_raw']
    types = dict.fromkeys(names, IMAGE)
    types |= {f'{base}/{part}/camera_info': INFO for part in ('depth', 'color', 'infra1')}
    roles, _ = assign_roles(types, {})
    assert {role: name for name, role in roles.items()} == {
        Role.COLOR: names[0], Role.DEPTH: names[2],
        Role.CAMERA_INFO: f'{base}/color/camera_info'}


def test_a_name_with_another_type_is_not_taken():
    assert assign_roles({'/action': IMAGE, '/audio': 'std_msgs/msg/String'}, {})[0] == {}


def test_one_of_two_robots_is_taken_and_the_other_named():
    roles, notes = assign_roles({'/b/audio': IMAGE, '/a/audio': IMAGE}, {})
    assert roles == {'/a/audio': Role.AUDIO}
    assert notes == ['audio is /a/audio, /b/audio would do too: choose with --topic audio=NAME']
    roles, notes = assign_roles({'/b/audio': IMAGE, '/a/audio': IMAGE}, {Role.AUDIO: '/b/audio'})
    assert roles == {'/b/audio': Role.AUDIO} and not notes


@pytest.mark.parametrize('types, message', [
    ({'/a': IMAGE}, 'the bag has no /x; it has /a'),
    ({'/x': INFO}, 'must be sensor_msgs/msg/Image')])
def test_a_choice_that_will_not_do_is_refused(types, message):
    with pytest.raises(ValueError, match=message):
        assign_roles(types, {Role.DEPTH: '/x'})


@pytest.mark.parametrize('color, depth, info', [
    ('/oak/rgb/image_raw', '/oak/stereo/image_raw', '/oak/rgb/camera_info'),
    ('/camera/color/image_raw', '/camera/depth/image_raw', '/camera/color/camera_info'),
    ('/zed/zed_node/rgb/color/rect/image', '/zed/zed_node/depth/depth_registered',
     '/zed/zed_node/rgb/color/rect/camera_info')], ids=['oak', 'orbbec', 'zed'])
def test_names_of_common_drivers_are_known(color, depth, info):
    types = {color: IMAGE, depth: IMAGE, info: INFO,
             f'{depth.rpartition("/")[0]}/camera_info': INFO}
    roles, _ = assign_roles(types, {})
    assert roles == {color: Role.COLOR, depth: Role.DEPTH, info: Role.CAMERA_INFO}
