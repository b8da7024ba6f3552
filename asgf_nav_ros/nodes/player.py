# SPDX-License-Identifier: Apache-2.0
"""Node ``player``: plays the sensors of a recording into the live graph, and its clock."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
import sys
import time
from typing import Any

from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.replay.bag_file import BagFile
from asgf_nav_ros.replay.bag_file import RawMessage
from asgf_nav_ros.replay.playback import Playback
from asgf_nav_ros.replay.playback import STATES
from asgf_nav_ros.replay.topic_roles import parse_choices
from asgf_nav_ros.replay.topic_roles import Role

TICK_S = 0.005
AT_ONCE = 500  # messages a tick: what is late must not starve the node
AWAITED = (Role.AUDIO, Role.COLOR)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlayerParameters(NodeParameters):
    """Parameters of ``player``."""

    bag_path: str = parameter('', 'The recording: folder of a rosbag2, or a file .mcap or .db3.')
    topics: str = parameter(
        '', 'Topics whose names do not tell what they are: color=/a/image,depth=/b/image.')
    rate: float = parameter(1.0, 'Recorded seconds a second.', low=0.01, high=100)
    loop: bool = parameter(False, 'Begin again at the end; the clock goes back then.')
    play_states: bool = parameter(
        True, 'Play motion_state and episode too; false where a live motion tells them.')
    action_wait_s: float = parameter(
        3.0, 'Before the recorded robot moves on, let the clock stand still for so long until '
        'the live policy has decided too: it may be slower than that of the recording.',
        low=0, high=60)
    audience_timeout_s: float = parameter(
        20.0, 'Begin without listeners to audio and color after so long.', low=0, high=600)


class PlayerNode(ManagedNode):
    """Publishes serialized messages on the names that the graph has for them."""

    def __init__(self, **options: Any) -> None:
        super().__init__('player', PlayerParameters, **options)

    def set_up(self) -> None:
        """Look into the recording and advertise what it has."""
        settings = self.settings
        if not settings.bag_path:
            raise ValueError('bag_path must name a recording, got none')
        path = Path(settings.bag_path)
        if path.suffix == '.bag':
            raise ValueError(f'{path} is a bag of ROS 1, whose messages are others: asgf-nav '
                             'replay decides again from it')
        self._playback = Playback(
            BagFile(path), parse_choices(filter(None, settings.topics.split(','))))
        self._time = self.advertise(Clock, graph.CLOCK, graph.sensor_qos('reliable', depth=1))
        skipped = () if settings.play_states else STATES
        self._voices = {
            role: self.advertise(_message_type(kind), role.value, self._qos(role))
            for role, kind in self._playback.types.items() if role not in skipped}

    def start(self) -> None:
        """Wait for listeners, then play."""
        for note in self._playback.notes:
            self.get_logger().info(note)
        self._asked_s, self._began_s = time.monotonic(), None
        self._begin()
        if Role.MOTION_STATE in self._voices:
            self.listen(Header, graph.ACTION, self._on_action, graph.event_qos(), awaited=False)
        self.every(TICK_S, self._tick, clock=self.steady)

    def _begin(self) -> None:
        """Forget what the live policy did."""
        self._acted = self._over = False  # since the recorded robot last moved on
        self._state = ''
        self._held: tuple[RawMessage, float] | None = None
        self._ended_s: float | None = None

    def _qos(self, role: Role) -> QoSProfile:
        if role in STATES:
            return graph.state_qos()
        return graph.sensor_qos('reliable', depth=graph.DEPTH_OF_AUDIO)

    def _tick(self) -> None:
        if self.finished:
            return
        now_s, playback = time.monotonic(), self._playback
        if self._began_s is None:
            self._tell_time(playback.start_s)
            if self._has_audience() or now_s - self._asked_s > self.settings.audience_timeout_s:
                self._began_s = now_s
            return
        if self._held is not None and not self._let_go(now_s):
            return
        time_s = playback.start_s + (now_s - self._began_s) * self.settings.rate
        self._tell_time(time_s)
        for _, (role, raw) in zip(range(AT_ONCE), playback.due(time_s)):
            if role in self._voices and not self._play(role, raw):
                self._held = (raw, now_s)
                return
        self.diagnostics.tell(played_s=time_s - playback.start_s)
        if playback.ended and self._has_decided(now_s):
            self._end()

    def _play(self, role: Role, raw: RawMessage) -> bool:
        """Publish a message; false if it must wait for the live policy."""
        if role == Role.EPISODE:
            self._acted = self._over = False
        elif role == Role.MOTION_STATE and self._moves(raw):
            if not self._acted and self.settings.action_wait_s and self.count_publishers(
                    graph.ACTION):
                return False
            self._acted = self._over
        self._voices[role].publish(bytes(raw.data))
        return True

    def _let_go(self, now_s: float) -> bool:
        """Play what was held once its time has come; the time until then does not count."""
        raw, since_s = self._held
        if not self._acted and now_s - since_s < self.settings.action_wait_s:
            return False
        self._began_s += now_s - since_s
        self._held, self._acted = None, self._over
        self._voices[Role.MOTION_STATE].publish(bytes(raw.data))
        return True

    def _has_decided(self, now_s: float) -> bool:
        """Whether the live policy has decided on the last window, or had its time for that."""
        if self._ended_s is None:
            self._ended_s = now_s
        waited_s = now_s - self._ended_s
        rests = Role.MOTION_STATE in self._voices and self._state != MotionState.MOVING.value
        owes = rests and not self._acted and self.count_publishers(graph.ACTION) > 0
        return not owes or waited_s > self.settings.action_wait_s

    def _moves(self, raw: RawMessage) -> bool:
        """Whether this ``motion_state`` is the first of a motion."""
        state = self._playback.name_of(raw)
        begins = state != self._state and state == MotionState.MOVING.value
        self._state = state
        return begins

    def _on_action(self, message: Header) -> None:
        self._acted, self._over = True, message.frame_id == Action.STOP.name

    def _has_audience(self) -> bool:
        return all(publisher.get_subscription_count() for role, publisher
                   in self._voices.items() if role in AWAITED)

    def _tell_time(self, time_s: float) -> None:
        self._time.publish(Clock(clock=messages.stamp_of(time_s)))

    def _end(self) -> None:
        if self.settings.loop:
            self._playback.restart()
            self._begin()
            self._began_s = time.monotonic()
        else:
            self.get_logger().info('the recording is over')
            self.finish(0)


def _message_type(type_name: str) -> type:
    """Return the class of ``package/msg/Name``.

    Raises:
        ValueError: its package is not installed.
    """
    package, _, name = type_name.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (AttributeError, ImportError) as error:
        raise ValueError(f'the recording has {type_name}, which is not installed: '
                         f'{error}') from error


def main() -> None:
    """Run the node."""
    sys.exit(run(PlayerNode))


if __name__ == '__main__':
    main()
