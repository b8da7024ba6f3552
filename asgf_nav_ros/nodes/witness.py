# SPDX-License-Identifier: Apache-2.0
"""Node ``witness``: tells when the messages of some topics were published, for measurements.

On stdout it prints JSON, one line a message. ``published_s`` is the time at which the publisher's
process handed the message over, by the clock of the machine: a witness that is late itself does
not change it. ``clock_s`` is the graph's clock when the message came.

    {"event": "ready"}, {"event": "action", "published_s": 1.5, "name": "STOP", ...}
"""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
import json
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter

QUEUE = 1000  # messages; nothing is to be missed while the machine is busy
LONG_LISTS = ('poses', 'action_names')


@dataclasses.dataclass(frozen=True, kw_only=True)
class WitnessParameters(NodeParameters):
    """Parameters of ``witness``."""

    topics: str = parameter('action', 'What to tell about, separated by commas.')
    cmd_vel_stamped: bool = parameter(False, 'cmd_vel is TwistStamped rather than Twist.')


class WitnessNode(ManagedNode):
    """Prints a line for each message that comes."""

    def __init__(self, **options: Any) -> None:
        super().__init__('witness', WitnessParameters, **options)

    def set_up(self) -> None:
        """Find out how to tell about each topic."""
        known, wanted = self._known(), self.settings.topics.split(',')
        unknown = [topic for topic in wanted if topic not in known]
        if unknown:
            raise ValueError(f'topics must be some of {", ".join(known)}, got {unknown[0]!r}')
        self._wanted = {topic: known[topic] for topic in wanted}

    def start(self) -> None:
        """Listen; ``listen`` would keep the times of messages to itself."""
        self._subscriptions_of_active = [
            self.create_subscription(kind, topic, self._teller(topic, facts), qos)
            for topic, (kind, qos, facts) in self._wanted.items()]
        tell('ready')

    def halt(self) -> None:
        """Stop listening."""
        for subscription in self._subscriptions_of_active:
            self.destroy_subscription(subscription)

    def _known(self) -> dict[str, tuple[type, QoSProfile, Callable[[Any], dict[str, Any]]]]:
        sensor = graph.sensor_qos(self.settings.sensor_reliability, depth=QUEUE)
        event = graph.event_qos(depth=QUEUE)
        twist = TwistStamped if self.settings.cmd_vel_stamped else Twist
        return {
            graph.AUDIO: (Image, sensor, sound_facts),
            graph.SPECTROGRAM: (Image, event, stamp_facts),
            graph.DEPTH: (Image, sensor, stamp_facts),
            graph.ACTION: (Header, event, header_facts),
            graph.CMD_VEL: (twist, event, lambda _: {}),
            graph.MOTION_STATE: (Header, graph.state_qos(), header_facts),
            graph.DIAGNOSTICS: (DiagnosticArray, event, status_facts),
            graph.EPISODE_RESULT: (String, event, result_facts)}

    def _teller(self, topic: str, facts: Callable[[Any], dict[str, Any]]) -> Callable:
        # rclpy hands the times of a message to callbacks that take two arguments.
        def take(message: Any, times: dict[str, int]) -> None:
            tell(topic, published_s=times['source_timestamp'] / messages.NANOSECONDS,
                 clock_s=self.now_s, **facts(message))

        return take


def sound_facts(message: Image) -> dict[str, Any]:
    """Stamp of the first sample, seconds, and the number of samples."""
    return {**stamp_facts(message), 'samples': message.width}


def stamp_facts(message: Image) -> dict[str, Any]:
    """Stamp, seconds."""
    return {'stamp_s': messages.seconds(message.header.stamp)}


def header_facts(message: Header) -> dict[str, Any]:
    """The name that it carries, and its stamp, seconds."""
    return {'name': message.frame_id[:40], 'stamp_s': messages.seconds(message.stamp)}


def status_facts(message: DiagnosticArray) -> dict[str, Any]:
    """What the node of the first status says about itself."""
    status = message.status[0]
    return {'node': status.name.rpartition('/')[2], 'level': status.level[0],
            'text': status.message, 'values': {pair.key: pair.value for pair in status.values}}


def result_facts(message: String) -> dict[str, Any]:
    """The document without its long lists."""
    document = json.loads(message.data)
    return {name: value for name, value in document.items() if name not in LONG_LISTS}


def tell(event: str, **facts: Any) -> None:
    """Print one event."""
    print(json.dumps({'event': event, **facts}), flush=True)


def main() -> None:
    """Run the node."""
    sys.exit(run(WitnessNode))


if __name__ == '__main__':
    main()
