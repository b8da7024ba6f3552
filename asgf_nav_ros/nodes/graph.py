# SPDX-License-Identifier: Apache-2.0
"""Topic names of the graph, all relative, and the quality of service of each kind."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy
from rclpy.qos import HistoryPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy

ACTION = 'action'
AUDIO = 'audio'
CAMERA_INFO = 'camera_info'
CLOCK = '/clock'
CMD_VEL = 'cmd_vel'
COLOR = 'color/image'
DEADMAN = 'deadman'
DECISION = 'decision'
DEPTH = 'depth/image'
DIAGNOSTICS = 'diagnostics'
EPISODE = 'episode'
EPISODE_RESULT = 'episode_result'
HEARTBEAT = 'heartbeat'
MOTION_STATE = 'motion_state'
ODOMETRY = 'odom'
POLICY_INFO = 'policy_info'
SPECTROGRAM = 'spectrogram'
SPECTROGRAM_INFO = 'spectrogram_info'

# Messages kept for a reader that is behind. Audio needs every one: a lost block is a lost window.
DEPTH_OF_AUDIO = 500
DEPTH_OF_SIMULATION = 100

RELIABILITIES = {
    'best_effort': ReliabilityPolicy.BEST_EFFORT,
    'reliable': ReliabilityPolicy.RELIABLE,
}


def sensor_qos(reliability: str, *, depth: int = 10) -> QoSProfile:
    """Sensor streams; consumers ask for best effort by default (REP-2003)."""
    return QoSProfile(depth=depth, history=HistoryPolicy.KEEP_LAST,
                      reliability=RELIABILITIES[reliability],
                      durability=DurabilityPolicy.VOLATILE)


def event_qos(*, depth: int = 10) -> QoSProfile:
    """Single messages that must arrive: actions, decisions, commands, diagnostics."""
    return sensor_qos('reliable', depth=depth)


def state_qos() -> QoSProfile:
    """What a late joiner must learn too: episode and motion state."""
    return QoSProfile(depth=1, history=HistoryPolicy.KEEP_LAST,
                      reliability=ReliabilityPolicy.RELIABLE,
                      durability=DurabilityPolicy.TRANSIENT_LOCAL)
