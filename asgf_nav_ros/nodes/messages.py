# SPDX-License-Identifier: Apache-2.0
"""Between ROS messages and the arrays, poses and seconds that the rest of the package knows."""

from __future__ import annotations

import math

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import yaw_of_quaternion
from asgf_nav_ros.sight import image_codec
from asgf_nav_ros.sight.view import Camera
from asgf_nav_ros.sound import pcm

NANOSECONDS = 10 ** 9


def seconds(stamp: Time) -> float:
    """A stamp as seconds."""
    return stamp.sec + stamp.nanosec * 1e-9


def stamp_of(time_s: float) -> Time:
    """Seconds as a stamp, rounded to nanoseconds."""
    sec, nanosec = divmod(round(time_s * NANOSECONDS), NANOSECONDS)
    return Time(sec=sec, nanosec=nanosec)


def header(frame_id: str, time_s: float) -> Header:
    """A header, also the whole of ``action``, ``motion_state`` and ``episode``."""
    return Header(stamp=stamp_of(time_s), frame_id=frame_id)


def audio_of(message: Image) -> np.ndarray:
    """(2, n) float32 in [-1, 1), left ear first.

    Raises:
        PcmError: not two interleaved channels of 16 bits.
    """
    return pcm.decode_pcm(message.data, **_fields(message))


def audio_message(audio: np.ndarray, start_s: float, frame_id: str) -> Image:
    """(2, n) float32 as ``16SC2``; the stamp is that of the first sample."""
    return _image(pcm.encode_pcm(audio), 'audio', pcm.ENCODING, (1, audio.shape[1]),
                  header(frame_id, start_s))


def spectrogram_of(message: Image) -> np.ndarray:
    """(bins, frames, channels) float32.

    Raises:
        ImageError: not planes of floats.
    """
    return image_codec.decode_planes(message.data, **_fields(message))


def spectrogram_message(spectrogram: np.ndarray, end_s: float, frame_id: str) -> Image:
    """(bins, frames, channels) float32 as ``32FC{channels}``; the stamp is the window's end."""
    return _image(image_codec.encode_planes(spectrogram), 'spectrogram',
                  f'32FC{spectrogram.shape[2]}', spectrogram.shape[:2], header(frame_id, end_s))


def color_of(message: Image) -> np.ndarray:
    """(H, W, 3) uint8.

    Raises:
        ImageError: another encoding, or sizes that do not fit.
    """
    return image_codec.decode_color(message.data, **_fields(message))


def color_message(rgb: np.ndarray, time_s: float, frame_id: str) -> Image:
    """(H, W, 3) uint8 as ``rgb8``."""
    return _image(image_codec.encode_color(rgb), 'color', 'rgb8', rgb.shape[:2],
                  header(frame_id, time_s))


def depth_of(message: Image) -> np.ndarray:
    """(H, W) float32 metres, 0 where invalid.

    Raises:
        ImageError: another encoding, or sizes that do not fit.
    """
    return image_codec.decode_depth(message.data, **_fields(message))


def depth_message(depth: np.ndarray, time_s: float, frame_id: str) -> Image:
    """(H, W) float32 metres as ``32FC1``."""
    return _image(image_codec.encode_depth(depth), 'depth', '32FC1', depth.shape,
                  header(frame_id, time_s))


def camera_of(message: CameraInfo) -> Camera:
    """Pinhole camera of rectified images.

    Raises:
        ValueError: sizes or focal lengths that are not positive, a principal point outside.
    """
    return Camera(width=message.width, height=message.height, fx=message.k[0], fy=message.k[4],
                  cx=message.k[2], cy=message.k[5])


def camera_message(camera: Camera, time_s: float, frame_id: str) -> CameraInfo:
    """A camera without distortion."""
    message = CameraInfo(header=header(frame_id, time_s), width=camera.width,
                         height=camera.height, distortion_model='plumb_bob', d=[0.0] * 5)
    message.k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [camera.fx, 0.0, camera.cx, 0.0, 0.0, camera.fy, camera.cy, 0.0,
                 0.0, 0.0, 1.0, 0.0]
    return message


def motion_of(message: Odometry) -> tuple[Pose, tuple[float, float]]:
    """Pose and (linear_mps, angular_radps); NaN stays NaN, motion has a name for it.

    Raises:
        ValueError: the orientation is no rotation.
    """
    position, turned = message.pose.pose.position, message.pose.pose.orientation
    yaw_rad = yaw_of_quaternion(turned.x, turned.y, turned.z, turned.w)
    twist = message.twist.twist
    return Pose(position.x, position.y, yaw_rad), (twist.linear.x, twist.angular.z)


def odometry_message(pose: Pose, velocity: tuple[float, float], time_s: float) -> Odometry:
    """Pose of ``base_link`` in ``odom`` (REP-105)."""
    message = Odometry(header=header('odom', time_s), child_frame_id='base_link')
    message.pose.pose.position.x, message.pose.pose.position.y = pose.x_m, pose.y_m
    message.pose.pose.orientation.z = math.sin(pose.yaw_rad / 2)
    message.pose.pose.orientation.w = math.cos(pose.yaw_rad / 2)
    message.twist.twist.linear.x, message.twist.twist.angular.z = velocity
    return message


def twist_message(velocity: tuple[float, float]) -> Twist:
    """(linear_mps, angular_radps) as a plain command."""
    message = Twist()
    message.linear.x, message.angular.z = velocity
    return message


def stamped_twist_message(velocity: tuple[float, float], time_s: float) -> TwistStamped:
    """(linear_mps, angular_radps) as a stamped command."""
    return TwistStamped(header=header('base_link', time_s), twist=twist_message(velocity))


def _fields(message: Image) -> dict:
    return {'encoding': message.encoding, 'height': message.height, 'width': message.width,
            'step': message.step, 'is_bigendian': bool(message.is_bigendian)}


def _image(data: bytes, what: str, encoding: str, size: tuple[int, int], head: Header) -> Image:
    """Payloads are bytes: rclpy copies an array element by element."""
    if not data:
        raise ValueError(f'{what} must not be empty')
    height, width = size
    message = Image(header=head, encoding=encoding, height=height, width=width,
                    step=len(data) // height, is_bigendian=False)
    message.data = data
    return message
