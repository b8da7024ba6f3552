# SPDX-License-Identifier: Apache-2.0
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.sight.view import Camera

RNG = np.random.default_rng(3)


@settings(deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(0, 10**9 - 1))
def test_stamps_keep_microseconds(sec, nanosec):
    stamp = messages.stamp_of(sec + nanosec * 1e-9)
    assert abs((stamp.sec - sec) * 10**9 + stamp.nanosec - nanosec) < 1000


@settings(deadline=None)
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-math.pi, math.pi))
def test_poses_survive(x, y, yaw):
    message = messages.odometry_message(Pose(x, y, yaw), (0.3, -0.2), 5.0)
    pose, velocity = messages.motion_of(message)
    assert (pose.x_m, pose.y_m, velocity) == (x, y, (0.3, -0.2))
    assert math.remainder(pose.yaw_rad - yaw, 2 * math.pi) == pytest.approx(0, abs=1e-9)


def test_nan_odometry_stays_nan():
    message = Odometry()
    message.pose.pose.orientation.w = math.nan
    assert not messages.motion_of(message)[0].finite


def test_audio_survives_but_for_rounding():
    audio = RNG.uniform(-1, 0.99, (2, 100)).astype(np.float32)
    message = messages.audio_message(audio, 1.25, 'ears')
    assert (message.encoding, message.height, message.width, message.step) == (
        '16SC2', 1, 100, 400)
    assert messages.seconds(message.header.stamp) == 1.25
    assert np.abs(messages.audio_of(message) - audio).max() <= 0.5 / 32768


@pytest.mark.parametrize('channels', [2, 5])
def test_spectrograms_survive(channels):
    planes = RNG.standard_normal((65, 26, channels)).astype(np.float32)
    message = messages.spectrogram_message(planes, 2.0, 'ears')
    assert message.encoding == f'32FC{channels}'
    assert np.array_equal(messages.spectrogram_of(message), planes)


def test_images_survive():
    rgb = RNG.integers(0, 256, (6, 8, 3), np.uint8)
    depth = RNG.uniform(0.1, 9, (6, 8)).astype(np.float32)
    assert np.array_equal(messages.color_of(messages.color_message(rgb, 0.0, 'camera')), rgb)
    assert np.array_equal(messages.depth_of(messages.depth_message(depth, 0.0, 'camera')), depth)


def test_cameras_survive():
    camera = Camera(width=640, height=480, fx=500.0, fy=501.0, cx=320.0, cy=240.0)
    assert messages.camera_of(messages.camera_message(camera, 0.0, 'camera')) == camera


def test_an_empty_camera_info_is_refused():
    with pytest.raises(ValueError, match='camera width must be positive'):
        messages.camera_of(CameraInfo())


def test_twists_say_forward_and_left():
    message = messages.stamped_twist_message((0.4, 1.2), 3.5)
    assert (message.twist.linear.x, message.twist.angular.z) == (0.4, 1.2)
    assert messages.seconds(message.header.stamp) == 3.5


@pytest.mark.parametrize('w', [0.0, 3.0, 1e200])
def test_an_orientation_that_is_no_rotation_is_refused(w):
    message = messages.odometry_message(Pose(1.0, 2.0, 0.0), (0.0, 0.0), 1.0)
    message.pose.pose.orientation.w = w
    with pytest.raises(ValueError, match='a quaternion of length 1'):
        messages.motion_of(message)
