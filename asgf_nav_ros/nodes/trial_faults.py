# SPDX-License-Identifier: Apache-2.0
"""What may go wrong between a robot's sensors and the graph, done to real messages."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.sound import pcm

LOSS_SHARE = 0.3
SLOW_EVERY = 40  # of the messages of a stream that comes too rarely
LATE_S = 10.0
RATE_FACTOR = 3  # 48 kHz where 16 kHz are said
HUGE = 2 ** 31 - 1
LONG_TEXT = 1 << 20
OBSTACLE_M = 0.1
BLOAT_ROWS = 100


class TrialFault:
    """One fault of one stream, or of all where ``stream`` is empty.

    A name that is none of the methods of a stream (``_on_...``) is a fault of the clock or an
    intruder, see ``clock_step_s`` and ``intrude``.
    """

    def __init__(self, name: str, stream: str, rng: np.random.Generator) -> None:
        self.name, self.stream = name, stream
        self._rng = rng
        self._kept: dict[str, Any] = {}
        self._count = 0
        self._jumped = False
        self.intruder: Any = None

    def apply(self, topic: str, message: Any, now_s: float) -> list[Any]:
        """What is published in place of ``message``."""
        concerned = self.stream in ('', topic)
        change = getattr(self, f'_on_{self.name}', None) if self.name and concerned else None
        return [message] if change is None else change(topic, message)

    def clock_step_s(self, tick_s: float) -> float:
        """How far the clock goes on at this tick."""
        if self.name == 'clock_stops':
            return 0.0
        jumps = {'clock_forward': 100.0, 'clock_back': -100.0}
        if self.name in jumps and not self._jumped:
            self._jumped = True
            return jumps[self.name]
        return tick_s

    def retire(self, node: Node) -> None:
        """Take away what the fault brought."""
        if self.intruder is not None:
            node.destroy_publisher(self.intruder)

    def _on_silent(self, topic: str, message: Any) -> list[Any]:
        return []

    def _on_loss(self, topic: str, message: Any) -> list[Any]:
        return [] if self._rng.random() < LOSS_SHARE else [message]

    def _on_slow(self, topic: str, message: Any) -> list[Any]:
        self._count += 1
        return [] if self._count % SLOW_EVERY else [message]

    def _on_frozen(self, topic: str, message: Any) -> list[Any]:
        kept = self._kept.setdefault(topic, message)
        frozen = copy.copy(kept)
        frozen.header = message.header
        return [frozen]

    def _on_same_stamp(self, topic: str, message: Any) -> list[Any]:
        message.header = self._kept.setdefault(topic, message.header)
        return [message]

    def _on_no_stamp(self, topic: str, message: Any) -> list[Any]:
        message.header.stamp = messages.stamp_of(0.0)
        return [message]

    def _on_late_stamp(self, topic: str, message: Any) -> list[Any]:
        return self._shift(message, -LATE_S)

    def _on_early_stamp(self, topic: str, message: Any) -> list[Any]:
        return self._shift(message, LATE_S)

    def _on_nan(self, topic: str, message: Any) -> list[Any]:
        return [_filled(message, math.nan)]

    def _on_inf(self, topic: str, message: Any) -> list[Any]:
        return [_filled(message, math.inf)]

    def _on_empty(self, topic: str, message: Any) -> list[Any]:
        empty = type(message)()
        empty.header = message.header
        return [empty]

    def _on_oversized(self, topic: str, message: Any) -> list[Any]:
        """Sizes that no buffer has; for odometry, a pose beyond any floor."""
        if hasattr(message, 'height'):
            message.height = message.width = HUGE
        else:
            message.pose.pose.position.x = 1e300
        return [message]

    def _on_bloat(self, topic: str, message: Any) -> list[Any]:
        """Well formed, and some megabytes: for processes that have none left."""
        message.data = bytes(message.data) * BLOAT_ROWS
        if message.encoding == pcm.ENCODING:
            message.width *= BLOAT_ROWS
            message.step *= BLOAT_ROWS
        else:
            message.height *= BLOAT_ROWS
        return [message]

    def _on_truncated(self, topic: str, message: Any) -> list[Any]:
        message.data = message.data[:len(message.data) // 2]
        return [message]

    def _on_encoding(self, topic: str, message: Any) -> list[Any]:
        message.encoding = 'yuv422'
        return [message]

    def _on_rate(self, topic: str, message: Any) -> list[Any]:
        audio = np.repeat(messages.audio_of(message), RATE_FACTOR, axis=1)
        return [self._sound(message, audio)]

    def _on_dead_left(self, topic: str, message: Any) -> list[Any]:
        return [self._heard(message, [[0], [1]])]

    def _on_dead_right(self, topic: str, message: Any) -> list[Any]:
        return [self._heard(message, [[1], [0]])]

    def _on_dead(self, topic: str, message: Any) -> list[Any]:
        return [self._heard(message, [[0], [0]])]

    def _on_clipped(self, topic: str, message: Any) -> list[Any]:
        return [self._heard(message, [[100], [100]])]

    def _on_mono(self, topic: str, message: Any) -> list[Any]:
        audio = messages.audio_of(message)
        return [self._sound(message, audio[[0, 0]])]

    def _on_swapped(self, topic: str, message: Any) -> list[Any]:
        audio = messages.audio_of(message)
        return [self._sound(message, audio[::-1])]

    def _on_obstacle(self, topic: str, message: Any) -> list[Any]:
        depth = np.minimum(messages.depth_of(message), np.float32(OBSTACLE_M))
        return [messages.depth_message(
            depth, messages.seconds(message.header.stamp), message.header.frame_id)]

    def _heard(self, message: Image, gains: list) -> Image:
        audio = messages.audio_of(message) * np.array(gains, np.float32)
        return self._sound(message, np.clip(audio, -1, 1))

    @staticmethod
    def _sound(message: Image, audio: np.ndarray) -> Image:
        return messages.audio_message(
            audio, messages.seconds(message.header.stamp), message.header.frame_id)

    @staticmethod
    def _shift(message: Any, by_s: float) -> list[Any]:
        stamp_s = messages.seconds(message.header.stamp) + by_s
        message.header.stamp = messages.stamp_of(stamp_s)
        return [message]


def _filled(message: Any, value: float) -> Any:
    """Every number of odometry or a float image is ``value``."""
    if hasattr(message, 'pose'):
        message.pose.pose.position.x = value
        message.twist.twist.linear.x = value
    elif hasattr(message, 'k'):
        message.k = [value] * 9
    else:
        message.data = np.full(message.height * message.width, value, '<f4').tobytes()
    return message


def intrude(node: Node, fault: TrialFault, spectrogram_shape: tuple[int, int, int]) -> None:
    """Publish on a topic that belongs to another node, at each tick, where the fault says so."""
    text = {'intruder_empty': '', 'intruder_nan': 'nan', 'intruder_unknown': 'FLY',
            'intruder_oversized': LONG_TEXT * 'x'}.get(fault.name)
    planes = fault.name.startswith('planes_')
    if text is None and not planes:
        return
    if fault.intruder is None:
        late = fault.stream in (graph.EPISODE, graph.MOTION_STATE)
        qos = graph.state_qos() if late else graph.event_qos()
        fault.intruder = node.create_publisher(Image if planes else Header, fault.stream, qos)
    fault.intruder.publish(_planes(fault.name, spectrogram_shape, node.now_s) if planes
                           else messages.header(text, node.now_s))


def _planes(name: str, shape: tuple[int, int, int], now_s: float) -> Image:
    """A spectrogram that is none."""
    value = {'planes_nan': math.nan, 'planes_inf': math.inf}.get(name, 0.0)
    shape = (3, 3, 1) if name == 'planes_shape' else shape
    message = messages.spectrogram_message(np.full(shape, value, np.float32), now_s, 'ears')
    if name == 'planes_empty':
        message.data = b''
    if name == 'planes_oversized':
        message.height = HUGE
    return message
