# SPDX-License-Identifier: Apache-2.0
"""The subscriptions of an active node: what comes, what is refused, and why nothing comes."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy

from asgf_nav_ros.motion.stream_watch import StreamWatch
from asgf_nav_ros.nodes import messages

# An input that has not come by then is named in the log.
PATIENCE_S = 3.0


@dataclasses.dataclass
class _Input:
    subscription: Any
    qos: QoSProfile
    waited_since_s: float
    watch: StreamWatch
    came: bool


class Inputs:
    """Subscribes for a node and watches each stream."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._entries: list[_Input] = []

    def add(self, kind: type, topic: str, callback: Callable[[Any], None], qos: QoSProfile, *,
            refuse: Callable[[str, ValueError], None], awaited: bool, stamped: bool,
            fresh_s: float | None) -> None:
        """Subscribe as ``ManagedNode.listen`` says; ``refuse(topic, error)`` hears of refusals."""
        entry = _Input(None, qos, time.monotonic(),
                       StreamWatch(topic, fresh_s=fresh_s, stamped=stamped), came=not awaited)

        def guarded(message: Any) -> None:
            entry.came = True
            stamp_s = messages.seconds(message.header.stamp) if stamped else 0.0
            try:
                entry.watch.see(stamp_s, self._now_s)
                callback(message)
            except ValueError as error:
                entry.watch.refuse(str(error), self._now_s)
                refuse(topic, error)

        entry.subscription = self._node.create_subscription(kind, topic, guarded, qos)
        self._entries.append(entry)

    def close(self) -> None:
        """Unsubscribe from everything."""
        for entry in self._entries:
            self._node.destroy_subscription(entry.subscription)
        self._entries = []

    def forget(self) -> None:
        """Forget times, after the clock jumped."""
        for entry in self._entries:
            entry.watch.forget()

    def wait_anew(self) -> None:
        """Start to wait for what has not come: nothing could come so far."""
        for entry in self._entries:
            entry.waited_since_s = time.monotonic()

    def complaints(self, now_s: float) -> list[str]:
        """Why the node is not well, refused messages first."""
        watches = [entry.watch for entry in self._entries]
        return [*filter(None, (watch.refusal(now_s) for watch in watches)),
                *filter(None, (watch.lack(now_s) for watch in watches))]

    def lacks(self, now_s: float) -> list[str]:
        """Which inputs are not there, or not there any more, and why as far as can be told."""
        return [why for entry in self._entries if (why := self._lack(entry, now_s))]

    @property
    def _now_s(self) -> float:
        return self._node.get_clock().now().nanoseconds * 1e-9

    def _lack(self, entry: _Input, now_s: float) -> str:
        name = entry.subscription.topic_name
        if entry.came:
            lack = entry.watch.lack(now_s)
        elif time.monotonic() - entry.waited_since_s < PATIENCE_S:
            return ''
        else:
            lack = f'nothing has come on {name} yet'
        return lack and (self._why_unconnected(entry, name) or lack)

    def _why_unconnected(self, entry: _Input, name: str) -> str:
        """Nobody there, or quality of service that does not match."""
        offers = [info.qos_profile for info in self._node.get_publishers_info_by_topic(name)]
        if not offers:
            return f'nobody publishes {name}'
        if entry.qos.reliability == ReliabilityPolicy.RELIABLE and any(
                offer.reliability == ReliabilityPolicy.BEST_EFFORT for offer in offers):
            return (f'{name} is offered as best effort, but asked for as reliable: set '
                    'sensor_reliability to best_effort here or to reliable there')
        if entry.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL and any(
                offer.durability == DurabilityPolicy.VOLATILE for offer in offers):
            return f'{name} is offered as volatile, but asked for as transient local'
        return ''
