# SPDX-License-Identifier: Apache-2.0
"""Node ``recorder``: writes the graph's topics to a rosbag2 and tells its parent how it goes.

On stdout it prints JSON, one line each: ``{"event": "ready"}``, then for every message of these
topics ``{"event": "episode" | "action" | "episode_result", ...}``. With ``start_motion`` it gives
the start: a simulation that waits for motion to be enabled then loses nothing of its beginning.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
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

BAG_VERSION = 9  # of rosbag2's metadata, that of Jazzy
ENABLE = 'motion/enable'
WATCH_PERIOD_S = 0.1
QUEUE = 1000  # messages; a disk may pause
LAST_WORDS_S = 0.5  # wall time for what is under way when the last result comes


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecorderParameters(NodeParameters):
    """Parameters of ``recorder``."""

    bag_path: str = parameter('', 'Folder of the bag; it must not exist yet.')
    episodes: int = parameter(
        0, 'End after so many results; 0 records until told to end.', low=0, high=100000)
    cmd_vel_stamped: bool = parameter(True, 'cmd_vel is TwistStamped rather than Twist.')
    start_motion: bool = parameter(
        False, 'Call motion/enable as soon as every topic has a publisher.')


class RecorderNode(ManagedNode):
    """Passes serialized messages from the graph to the bag."""

    def __init__(self, **options: Any) -> None:
        super().__init__('recorder', RecorderParameters, **options)

    def set_up(self) -> None:
        """Open the bag."""
        if not self.settings.bag_path:
            raise ValueError('bag_path must name a folder to write, got none')
        self._results = 0
        self._types = get_typestore(Stores.ROS2_JAZZY)
        try:
            self._writer = Writer(Path(self.settings.bag_path), version=BAG_VERSION,
                                  storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except WriterError as error:
            raise ValueError(str(error)) from error

    def start(self) -> None:
        """Record every topic."""
        for kind, topic, qos in self._topics():
            self._record(kind, topic, qos)
        if self.settings.start_motion:
            self._enable, self._gone = self.create_client(SetBool, ENABLE), False
            self.every(WATCH_PERIOD_S, self._go_when_complete, clock=self.steady)
        tell('ready')

    def halt(self) -> None:
        """Close the bag: without its index no reader opens it."""
        self._writer.close()

    def _topics(self) -> list[tuple[type, str, QoSProfile]]:
        sensor = graph.sensor_qos(self.settings.sensor_reliability, depth=QUEUE)
        event, state = graph.event_qos(depth=QUEUE), graph.state_qos()
        twist = TwistStamped if self.settings.cmd_vel_stamped else Twist
        return [
            (Clock, graph.CLOCK, sensor), (Image, graph.AUDIO, sensor),
            (Image, graph.COLOR, sensor), (Image, graph.DEPTH, sensor),
            (CameraInfo, graph.CAMERA_INFO, sensor), (Odometry, graph.ODOMETRY, sensor),
            (Image, graph.SPECTROGRAM, event), (Header, graph.ACTION, event),
            (String, graph.DECISION, event), (twist, graph.CMD_VEL, event),
            (DiagnosticArray, graph.DIAGNOSTICS, event), (String, graph.EPISODE_RESULT, event),
            (Header, graph.EPISODE, state), (Header, graph.MOTION_STATE, state)]

    def _record(self, kind: type, topic: str, qos: QoSProfile) -> None:
        package, name = kind.__module__.partition('.')[0], kind.__name__
        connection = self._writer.add_connection(
            self.resolve_topic_name(topic), f'{package}/msg/{name}', typestore=self._types)
        announce = {graph.EPISODE: tell_header, graph.ACTION: tell_header,
                    graph.EPISODE_RESULT: self._on_result}.get(topic)

        def write(serialized: bytes) -> None:
            self._writer.write(connection, self.get_clock().now().nanoseconds, serialized)
            if announce is not None:
                announce(topic, deserialize_message(serialized, kind))

        self.create_subscription(kind, topic, write, qos, raw=True)

    def _go_when_complete(self) -> None:
        topics = [topic for _, topic, _ in self._topics()]
        complete = all(map(self.count_publishers, topics)) and self._enable.service_is_ready()
        if complete and not self._gone:
            self._enable.call_async(SetBool.Request(data=True))
            self._gone = True

    def _on_result(self, topic: str, message: String) -> None:
        tell(topic, **json.loads(message.data))
        self._results += 1
        if self._results == self.settings.episodes:
            self.every(LAST_WORDS_S, lambda: self.finish(0), clock=self.steady)


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
