# SPDX-License-Identifier: Apache-2.0
"""The sensors of a recording in the order and at the times at which the robot had them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Iterator

from asgf_nav_ros.replay.bag_file import BagFile
from asgf_nav_ros.replay.bag_file import NANOSECONDS
from asgf_nav_ros.replay.bag_file import RawMessage
from asgf_nav_ros.replay.topic_roles import assign_roles
from asgf_nav_ros.replay.topic_roles import Role

SENSORS = (Role.AUDIO, Role.AUDIO_INFO, Role.COLOR, Role.DEPTH, Role.CAMERA_INFO, Role.ODOMETRY)
STATES = (Role.MOTION_STATE, Role.EPISODE)  # without a live motion they say when it is whose turn
SAME_CLOCK_S = 1.0


class Playback:
    """What is due at a time of the recording.

    Times are those of the stamps: of the recorded ``clock`` if there is one, else the recorder's
    own, moved where that was another clock than that of the sensors.

    Raises:
        ValueError: the recording has nothing to play, or not the topic that the user chose.
    """

    def __init__(self, bag: BagFile, chosen: Mapping[Role, str]) -> None:
        self._bag = bag
        types = {raw.topic: raw.type_name for raw in bag.messages()}
        if not types:
            raise ValueError(bag.damage or f'{bag.path} holds no messages')
        self._roles, self.notes = assign_roles(types, chosen)
        self.types = {role: types[topic] for topic, role in self._roles.items()
                      if role in (*SENSORS, *STATES)}
        if not any(role in self.types for role in SENSORS):
            raise ValueError(f'{bag.path} has no topic of a sensor; it has '
                             f'{", ".join(sorted(types))!s:.400}')
        self._by_clock = Role.CLOCK in self._roles.values()
        self.restart()

    def restart(self) -> None:
        """Begin at the first message."""
        self._source = self._timed()
        self._next = next(self._source, None)
        self.start_s = self._next[0] if self._next else 0.0

    @property
    def ended(self) -> bool:
        """Whether everything was handed out."""
        return self._next is None

    def due(self, time_s: float) -> Iterator[tuple[Role, RawMessage]]:
        """Hand out what was recorded until ``time_s``."""
        while self._next is not None and self._next[0] <= time_s:
            _, role, raw = self._next
            self._next = next(self._source, None)
            yield role, raw

    def name_of(self, raw: RawMessage) -> str:
        """Return the ``frame_id`` of a state, empty if it cannot be read."""
        try:
            return self._bag.deserialize(raw).frame_id
        except ValueError:  # who listens refuses it with a reason
            return ''

    def _timed(self) -> Iterator[tuple[float, Role, RawMessage]]:
        time_s, ahead_s = 0.0, None
        for raw in self._bag.messages():
            role = self._roles.get(raw.topic)
            if role == Role.CLOCK:
                time_s = max(time_s, _clock_s(raw))
            if role not in self.types:
                continue
            if not self._by_clock:
                log_s = raw.log_ns / NANOSECONDS
                if ahead_s is None:
                    ahead_s = _ahead_s(raw, log_s)
                time_s = max(time_s, log_s + ahead_s)
            if time_s > 0:
                yield time_s, role, raw


def _clock_s(raw: RawMessage) -> float:
    """Seconds of a ``clock``, which lies where headers have their stamp."""
    return raw.stamp_s


def _ahead_s(raw: RawMessage, log_s: float) -> float:
    """Return how far the sensors' clock is ahead of the recorder's."""
    ahead_s = raw.stamp_s - log_s
    return ahead_s if abs(ahead_s) > SAME_CLOCK_S else 0.0
