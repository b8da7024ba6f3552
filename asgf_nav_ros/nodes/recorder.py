# SPDX-License-Identifier: Apache-2.0
"""Node ``recorder``: writes the graph's topics to a rosbag2 and tells its parent how it goes.

On stdout it prints JSON, one line each: ``{"event": "ready"}``, then for every message of these
topics ``{"event": "episode" | "action" | "episode_result", ...}``. With ``start_motion`` it gives
the start: a simulation that waits for motion to be enabled then loses nothing of its beginning.

Before a full disk damages the bag it is closed in good order, and the node ends with an error.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import math
from pathlib import Path
import shutil
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.rosbag2 import WriterError
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String
from std_srvs.srv import SetBool

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.replay.audio_messages import register_audio_types

BAG_VERSION = 9  # of rosbag2's metadata, that of Jazzy
ENABLE = 'motion/enable'
WATCH_PERIOD_S = 0.1
HEARING_PATIENCE_S = 10.0  # then motion is started though a node, a foreign one, said nothing
QUEUE = 1000  # messages; a disk may pause
LAST_WORDS_S = 0.5  # wall time for what is under way when the last result comes
DISK_PERIOD_S = 1.0
AUDIO_TYPES = {
    'image': ('sensor_msgs', 'Image'),
    'audio_data_stamped': ('audio_common_msgs', 'AudioDataStamped'),
    'audio_stamped': ('audio_common_msgs', 'AudioStamped')}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecorderParameters(NodeParameters):
    """Parameters of ``recorder``."""

    bag_path: str = parameter(
        '', 'Folder of the bag, which must not exist yet; %Y%m%d-%H%M%S and the like stand for '
        'the time of the start.')
    least_free_mb: int = parameter(
        200, 'End in good order when the disk has less left, MB.', low=1, high=1000000)
    audio_msg_type: str = parameter(
        'image', 'Messages on audio: those of this package, or of either audio_common_msgs.',
        choices=tuple(AUDIO_TYPES))
    episodes: int = parameter(
        0, 'End after so many results; 0 records until told to end.', low=0, high=100000)
    cmd_vel_stamped: bool = parameter(True, 'cmd_vel is TwistStamped rather than Twist.')
    start_motion: bool = parameter(
        False, 'Call motion/enable as soon as every topic has publishers that know of the '
        'recorder.')


class RecorderNode(ManagedNode):
    """Passes serialized messages from the graph to the bag."""

    def __init__(self, **options: Any) -> None:
        super().__init__('recorder', RecorderParameters, **options)

    def set_up(self) -> None:
        """Open the bag."""
        if not self.settings.bag_path:
            raise ValueError('bag_path must name a folder to write, got none')
        self._results = 0
        self._audio_type = message_type(self.settings.audio_msg_type)
        self._types = get_typestore(Stores.ROS2_JAZZY)
        register_audio_types(self._types, self.settings.audio_msg_type)
        self._folder = Path(time.strftime(self.settings.bag_path))
        try:
            self._writer = Writer(self._folder, version=BAG_VERSION,
                                  storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except WriterError as error:
            raise ValueError(str(error)) from error

    def start(self) -> None:
        """Record every topic."""
        self._heard_of: set[str] = set()
        self._readers = [self._record(kind, topic, qos) for kind, topic, qos in self._topics()]
        self.every(DISK_PERIOD_S, self._watch_disk, clock=self.steady)
        if self.settings.start_motion:
            self._enable = self.create_client(SetBool, ENABLE)
            self._gone, self._complete_s = False, math.inf
            self.every(WATCH_PERIOD_S, self._go_when_complete, clock=self.steady)
        tell('ready')

    def halt(self) -> None:
        """Close the bag: without its index few readers open it."""
        try:
            self._writer.close()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._writer.abort()
            self.fail(f'the bag {self._folder} has no index, asgf-nav replay reads it: {error}')

    def _topics(self) -> list[tuple[type, str, QoSProfile]]:
        """What is recorded; ``diagnostics`` comes last, see ``_unheard_of``."""
        sensor = graph.sensor_qos(self.settings.sensor_reliability, depth=QUEUE)
        event, state = graph.event_qos(depth=QUEUE), graph.state_qos()
        twist = TwistStamped if self.settings.cmd_vel_stamped else Twist
        return [
            (Clock, graph.CLOCK, sensor), (self._audio_type, graph.AUDIO, sensor),
            (Image, graph.COLOR, sensor), (Image, graph.DEPTH, sensor),
            (CameraInfo, graph.CAMERA_INFO, sensor), (Odometry, graph.ODOMETRY, sensor),
            (Image, graph.SPECTROGRAM, event), (Header, graph.ACTION, event),
            (String, graph.DECISION, event), (twist, graph.CMD_VEL, event),
            (String, graph.EPISODE_RESULT, event),
            (Header, graph.EPISODE, state), (Header, graph.MOTION_STATE, state),
            (String, graph.SPECTROGRAM_INFO, state), (String, graph.POLICY_INFO, state),
            (DiagnosticArray, graph.DIAGNOSTICS, event)]

    def _record(self, kind: type, topic: str, qos: QoSProfile) -> Subscription:
        package, name = kind.__module__.partition('.')[0], kind.__name__
        connection = self._writer.add_connection(
            self.resolve_topic_name(topic), f'{package}/msg/{name}', typestore=self._types)
        announce = {graph.EPISODE: tell_header, graph.ACTION: tell_header,
                    graph.EPISODE_RESULT: self._on_result,
                    graph.POLICY_INFO: self._on_policy_info,
                    graph.DIAGNOSTICS: self._on_diagnostics}.get(topic)
        if topic == graph.DIAGNOSTICS and not self.settings.start_motion:
            announce = None

        def write(serialized: bytes) -> None:
            if self.finished:
                return
            try:
                self._writer.write(connection, self.get_clock().now().nanoseconds, serialized)
            except OSError as error:
                self.fail(f'cannot write to {self._folder}: {error}')
                return
            if announce is not None:
                announce(topic, deserialize_message(serialized, kind))

        return self.create_subscription(kind, topic, write, qos, raw=True)

    def _go_when_complete(self) -> None:
        if self._gone or not self._enable.service_is_ready():
            return
        now_s, unheard = time.monotonic(), self._unheard_of()
        if unheard is None:
            return
        self._complete_s = min(self._complete_s, now_s)
        if not unheard or now_s - self._complete_s > HEARING_PATIENCE_S:
            self._enable.call_async(SetBool.Request(data=True))
            self._gone = True

    def _unheard_of(self) -> set[str] | None:
        """Names of nodes that may not send to every reader yet; None while publishers are missing.

        That this node knows a publisher does not say that the publisher knows its reader. But
        readers are announced in the order in which they were made: a node from which the last one
        has had a message knows them all.
        """
        names: set[str] = set()
        for reader in self._readers:
            publishers = self.get_publishers_info_by_topic(reader.topic_name)
            if not 0 < len(publishers) <= reader.get_publisher_count():
                return None
            names |= {f'{info.node_namespace.rstrip("/")}/{info.node_name}' for info in publishers}
        return names - self._heard_of

    def _on_diagnostics(self, _: str, message: DiagnosticArray) -> None:
        self._heard_of |= {status.name for status in message.status}

    def _watch_disk(self) -> None:
        free_mb = shutil.disk_usage(self._folder).free / 1e6
        self.diagnostics.tell(bag=str(self._folder), free_mb=free_mb)
        if free_mb < self.settings.least_free_mb and not self.finished:
            self.fail(f'recording ends: {free_mb:.0f} MB are left for {self._folder}, '
                      f'least_free_mb is {self.settings.least_free_mb}')

    def _on_policy_info(self, _: str, message: String) -> None:
        """Keep the newest one where tools look without reading messages."""
        self._writer.set_custom_data(graph.POLICY_INFO, message.data)

    def _on_result(self, topic: str, message: String) -> None:
        tell(topic, **json.loads(message.data))
        self._results += 1
        if self._results == self.settings.episodes:
            self.every(LAST_WORDS_S, lambda: self.finish(0), clock=self.steady)


def message_type(audio_msg_type: str) -> type:
    """The class of ``audio`` messages, imported only here: most robots have no audio_common_msgs.

    Raises:
        ValueError: no such package, or another one of that name.
    """
    package, name = AUDIO_TYPES[audio_msg_type]
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (AttributeError, ImportError) as error:
        raise ValueError(f'audio_msg_type {audio_msg_type} needs {package}/msg/{name}, which is '
                         f'not installed: {error}') from error


def tell_header(topic: str, message: Header) -> None:
    """Print the name that an ``action`` or ``episode`` carries."""
    tell(topic, name=message.frame_id)


def tell(event: str, **facts: Any) -> None:
    """Print one event."""
    print(json.dumps({'event': event, **facts}), flush=True)


def main() -> None:
    """Run the node."""
    sys.exit(run(RecorderNode))


if __name__ == '__main__':
    main()
