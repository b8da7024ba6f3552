# SPDX-License-Identifier: Apache-2.0
"""What a node says about itself: one ``diagnostics`` status, and a log line when it changes."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue
from rclpy.node import Node

from asgf_nav_ros.nodes import graph

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
# The same complaint is logged again after this time only.
REPEAT_S = 10.0
# Complaints in which only numbers change are published so often at most.
LEAST_PERIOD_S = 0.1
# A message may quote what it was sent, which may be anything.
LONGEST_TEXT = 300
# A complaint without an end of its own is over after this time.
FADE_S = 3.0


@dataclasses.dataclass(frozen=True)
class _Complaint:
    text: str
    level: bytes
    at_s: float
    fades: bool


class Diagnostics:
    """Collects complaints by subject and values by name, publishes them as one status."""

    def __init__(self, node: Node, *, now_s: Any) -> None:
        """Publish for ``node``; ``now_s()`` is a steady time in seconds."""
        self._node, self._now_s = node, now_s
        self._publisher = node.create_publisher(
            DiagnosticArray, graph.DIAGNOSTICS, graph.event_qos())
        self._complaints: dict[str, _Complaint] = {}
        self._logged: dict[str, tuple[str, float]] = {}
        self._values: dict[str, str] = {}
        self._published_s = -LEAST_PERIOD_S

    def complain(self, subject: str, text: str, *, level: bytes = WARN,
                 fades: bool = True) -> None:
        """Report one line about a subject, in the log too unless it was just said.

        Args:
            subject: what it is about, e.g. a topic.
            text: what was wanted and what came; becomes one line.
            level: WARN or ERROR.
            fades: over by itself after a few seconds; else ``settle`` ends it.
        """
        now_s, text = self._now_s(), ' '.join(text[:LONGEST_TEXT].split())
        known = self._complaints.get(subject)
        self._complaints[subject] = _Complaint(text, level, now_s, fades)
        if self._is_news(subject, text, now_s, fades):
            self._log(f'{subject}: {text}', level)
        soon = now_s - self._published_s < LEAST_PERIOD_S
        if known is None or not (_alike(known.text, text) if soon else known.text == text):
            self.publish()

    def _is_news(self, subject: str, text: str, now_s: float, fades: bool) -> bool:
        """Whether to log: numbers change each time in complaints that fade."""
        said, at_s = self._logged.get(subject, ('', -REPEAT_S))
        if now_s - at_s < REPEAT_S and (fades or _alike(said, text)):
            return False
        self._logged[subject] = (text, now_s)
        return True

    def _log(self, line: str, level: bytes) -> None:
        if level == ERROR:  # rclpy ties a level to the place of the call
            self._node.get_logger().error(line)
        else:
            self._node.get_logger().warning(line)

    def settle(self, subject: str) -> None:
        """End a complaint."""
        if self._complaints.pop(subject, None) is not None:
            self.publish()

    def tell(self, **values: Any) -> None:
        """Set values of the status; published with the next one."""
        for name, value in values.items():
            self._values[name] = f'{value:.4g}' if isinstance(value, float) else str(value)

    def publish(self) -> None:
        """Publish the status as it stands."""
        now_s = self._now_s()
        self._complaints = {subject: known for subject, known in self._complaints.items()
                            if not known.fades or now_s - known.at_s < FADE_S}
        status = DiagnosticStatus(
            name=self._node.get_fully_qualified_name(), hardware_id='', level=OK, message='ok')
        if self._complaints:
            status.level = max(known.level for known in self._complaints.values())
            status.message = '; '.join(f'{subject}: {known.text}'
                                       for subject, known in self._complaints.items())
        status.values = [KeyValue(key=key, value=value) for key, value in self._values.items()]
        self._published_s = now_s
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def _alike(text: str, other: str) -> bool:
    """Whether two texts differ in numbers only."""
    return re.sub(r'[\d.]+', '', text) == re.sub(r'[\d.]+', '', other)
