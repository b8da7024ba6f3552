# SPDX-License-Identifier: Apache-2.0
"""Whatever a message says, a decoder returns what it promises or refuses it by name."""

import contextlib

from geometry_msgs.msg import Point
from geometry_msgs.msg import Quaternion
from hypothesis import given
from hypothesis import strategies as st
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.sight.image_codec import ImageError
from asgf_nav_ros.sight.view import View
from asgf_nav_ros.sound.pcm import PcmError

NUMBERS = st.floats(width=64)
SIZES = st.one_of(st.integers(0, 12), st.integers(0, 2**32 - 1))
ENCODINGS = st.one_of(
    st.sampled_from(['rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', '16UC1', '32FC1', '32FC2',
                     '32FC99', '16SC2', '32FC0', '']), st.text(max_size=20))


@st.composite
def images(draw):
    """Any image message, every other one with sizes that agree."""
    message = Image(encoding=draw(ENCODINGS), is_bigendian=draw(st.integers(0, 255)))
    message.height, message.width, message.step = draw(SIZES), draw(SIZES), draw(SIZES)
    if draw(st.booleans()):
        message.height, message.width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
        message.step = message.width * draw(st.sampled_from([1, 2, 3, 4, 8, 396]))
        message.data = draw(st.binary(min_size=message.height * message.step,
                                      max_size=message.height * message.step))
    else:
        message.data = draw(st.binary(max_size=200))
    return message


@given(images())
def test_color(message):
    with contextlib.suppress(ImageError):
        rgb = messages.color_of(message)
        assert rgb.shape == (message.height, message.width, 3) and rgb.dtype == np.uint8


@given(images())
def test_depth(message):
    with contextlib.suppress(ImageError):
        depth = messages.depth_of(message)
        assert depth.shape == (message.height, message.width) and depth.dtype == np.float32
        assert np.isfinite(depth).all() and (depth >= 0).all()


@given(images())
def test_spectrogram(message):
    with contextlib.suppress(ImageError):
        planes = messages.spectrogram_of(message)
        assert planes.shape[:2] == (message.height, message.width)


@given(images())
def test_audio(message):
    with contextlib.suppress(PcmError):
        audio = messages.audio_of(message)
        assert audio.shape == (2, message.width) and np.abs(audio).max() <= 1


@given(SIZES, SIZES, st.lists(NUMBERS, min_size=9, max_size=9), images())
def test_camera_and_what_is_seen_through_it(width, height, k, image):
    with contextlib.suppress(ValueError):
        camera = messages.camera_of(CameraInfo(width=width, height=height, k=k))
        view = View(camera, PolicyContract(image_height=8, image_width=8))
        assert view.depth(messages.depth_of(image)).shape == (8, 8)


@given(*[NUMBERS] * 8)
def test_odometry_is_a_pose_in_range_not_finite_or_refused(x, y, qx, qy, qz, qw, linear, angular):
    message = Odometry()
    message.pose.pose.position = Point(x=x, y=y)
    message.pose.pose.orientation = Quaternion(x=qx, y=qy, z=qz, w=qw)
    message.twist.twist.linear.x, message.twist.twist.angular.z = linear, angular
    with contextlib.suppress(ValueError):
        pose, velocity = messages.motion_of(message)
        assert not pose.finite or abs(pose.yaw_rad) <= np.pi
        assert np.array_equal(velocity, (linear, angular), equal_nan=True)


@pytest.fixture(scope='module')
def model_start():
    """The first kilobytes of a real model; metadata stand at its end."""
    content = (share_directory('models') / 'asgf_paper.onnx').read_bytes()
    return content[:2000] + content[-4000:]


@given(st.binary(max_size=400))
def test_any_bytes_are_a_model_or_refused(tmp_path, content):
    path = tmp_path / 'model.onnx'
    path.write_bytes(content)
    with pytest.raises(ValueError):
        read_contract_of_file(path)


@given(st.integers(0, 5999), st.integers(0, 255), st.integers(0, 6000))
def test_a_damaged_model_is_a_model_or_refused(tmp_path, model_start, at, byte, end):
    damaged = bytearray(model_start)
    damaged[at] = byte
    path = tmp_path / 'model.onnx'
    path.write_bytes(bytes(damaged[:end]))
    with contextlib.suppress(ValueError):
        assert isinstance(read_contract_of_file(path), PolicyContract)
