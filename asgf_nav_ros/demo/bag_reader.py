# SPDX-License-Identifier: Apache-2.0
"""Turns the bag of a demo back into episodes, without ROS."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any
from typing import Callable
from typing import Iterator
from typing import Mapping
from typing import Sequence

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores

from asgf_nav_ros.benchmark.recording import EpisodeRecording
from asgf_nav_ros.benchmark.recording import RecordedDecision
from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sight import image_codec
from asgf_nav_ros.sound import pcm
from sim_bridge.episodes import load_house
from sim_bridge.house.plan import House

CLOSE_S = 0.3  # images and spectrogram of a decision are at most so far from its stamp
SAME_TIME_S = 1e-6


@dataclasses.dataclass
class _Stream:
    """Messages of one topic with their header stamps, in their order."""

    stamps_s: list[float] = dataclasses.field(default_factory=list)
    messages: list[Any] = dataclasses.field(default_factory=list)

    def within(self, start_s: float, end_s: float) -> list[tuple[float, Any]]:
        """Return stamps and messages of an episode."""
        return [(stamp_s, message) for stamp_s, message in zip(self.stamps_s, self.messages)
                if start_s - SAME_TIME_S <= stamp_s <= end_s + SAME_TIME_S]

    def nearest(self, time_s: float) -> Any:
        """Return the message whose stamp is nearest to ``time_s``, None without one."""
        if not self.stamps_s:
            return None
        index = int(np.argmin(np.abs(np.array(self.stamps_s) - time_s)))
        return self.messages[index] if abs(self.stamps_s[index] - time_s) < CLOSE_S else None


class RecordedBag:
    """What a demo's rosbag2 holds; topics are found by the end of their names.

    ``plan_of`` finds the floor plan of a house that a result names.

    Raises:
        ValueError: the folder is no rosbag2.
    """

    def __init__(self, path: Path, *, plan_of: Callable[[str], House] = load_house) -> None:
        if not (path / 'metadata.yaml').is_file():
            raise ValueError(f'{path} is not a rosbag2: it has no metadata.yaml')
        self._path, self._plan_of = path, plan_of
        self.results = self._documents('episode_result')
        self._decisions = self._documents('decision')

    def decisions(self, episode: str) -> list[Mapping[str, Any]]:
        """Return what the policy told about its decisions in an episode."""
        return [decision for decision in self._decisions if decision['episode'] == episode]

    def recordings(self, contract: PolicyContract) -> list[EpisodeRecording]:
        """Return every finished episode of a policy with ``contract``, ready to be drawn."""
        wanted_s = [decision['stamp_s'] for decision in self._decisions]
        streams = {topic: self._stream(topic) for topic in ('odom', 'motion_state', 'audio')}
        for topic in ('color/image', 'depth/image', 'spectrogram'):
            streams[topic] = self._stream(topic, near_s=wanted_s)
        return [self._recording(result, streams, contract) for result in self.results]

    def _documents(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(message.data) for message in self._messages(topic)]

    def _messages(self, topic: str) -> Iterator[Any]:
        """Yield the messages of a topic."""
        types = get_typestore(Stores.ROS2_JAZZY)
        with AnyReader([self._path], default_typestore=types) as reader:
            connections = [connection for connection in reader.connections
                           if connection.topic.endswith(f'/{topic}')]
            for connection, _, data in reader.messages(connections=connections):
                yield reader.deserialize(data, connection.msgtype)

    def _stream(self, topic: str, *, near_s: Sequence[float] | None = None) -> _Stream:
        """Collect a topic, or only what lies near some times: images are large."""
        stream, near = _Stream(), None if near_s is None else np.array(near_s)
        for message in self._messages(topic):
            stamp = message.stamp if hasattr(message, 'stamp') else message.header.stamp
            stamp_s = stamp.sec + 1e-9 * stamp.nanosec
            if near is None or (near.size and np.abs(near - stamp_s).min() < CLOSE_S):
                stream.stamps_s.append(stamp_s)
                stream.messages.append(message)
        return stream

    def _recording(self, result: Mapping[str, Any], streams: Mapping[str, _Stream],
                   contract: PolicyContract) -> EpisodeRecording:
        start_s, end_s = result['start_s'], result['start_s'] + result['sim_time_s']
        blocks = streams['audio'].within(start_s, end_s)
        told = self.decisions(result['episode'])
        # Until it first decides it listens, whatever state the last episode's end left behind.
        decides_s = told[0]['stamp_s'] if told else end_s
        decisions = (_decision(each, streams) for each in told)
        return EpisodeRecording(
            name=f'episode {self.results.index(result) + 1} of {len(self.results)}',
            sound_name=result['sound'].replace('_', ' '), house=self._plan_of(result['house']),
            source_xy=np.array(result['source_xyz'][:2]), start_s=start_s, end_s=end_s,
            poses=_poses(streams['odom'].within(start_s, end_s), result['start_pose']),
            decisions=tuple(decision for decision in decisions if decision is not None),
            motion_states=tuple((stamp_s, message.frame_id) for stamp_s, message
                                in streams['motion_state'].within(decides_s, end_s)),
            sound=_sound(blocks), sound_start_s=blocks[0][0] if blocks else start_s,
            sample_rate_hz=contract.sample_rate_hz,
            succeeded=result['success'])


def _poses(odometry: Sequence[tuple[float, Any]], start_pose: Sequence[float]) -> np.ndarray:
    """Return (n, 4) times and poses in the plan: odometry begins at zero, where the robot starts.
    """
    x, y, yaw = start_pose
    cos, sin = math.cos(yaw), math.sin(yaw)
    rows = [(stamp_s, message.pose.pose.position.x, message.pose.pose.position.y,
             2 * math.atan2(message.pose.pose.orientation.z, message.pose.pose.orientation.w))
            for stamp_s, message in odometry]
    times_s, forward, left, turned = np.array(rows).reshape(-1, 4).T
    return np.column_stack([times_s, x + cos * forward - sin * left,
                            y + sin * forward + cos * left, yaw + turned])


def _sound(blocks: Sequence[tuple[float, Any]]) -> np.ndarray:
    """Return the joined samples, (2, n) float32."""
    parts = [pcm.decode_pcm(message.data, **_fields(message)) for _, message in blocks]
    return np.concatenate(parts, axis=1) if parts else np.zeros((2, 0), np.float32)


def _decision(told: Mapping[str, Any], streams: Mapping[str, _Stream]) -> RecordedDecision | None:
    """Return a decision with what it was made on, None if the bag lacks some of it."""
    stamp_s = told['stamp_s']
    color, depth, spectrogram = (streams[topic].nearest(stamp_s) for topic
                                 in ('color/image', 'depth/image', 'spectrogram'))
    if color is None or depth is None or spectrogram is None:
        return None
    return RecordedDecision(
        window_end_s=stamp_s, action=Action[told['action']],
        probabilities=np.array([told['probabilities'].get(action.name, 0.0)
                                for action in Action]),
        gate=told['gate'], attention=np.array(told['attention']),
        frame_weights=np.array(told['frame_weights']),
        sound_azimuth_rad=told['sound_azimuth_rad'], sound_path_m=told['sound_distance_m'],
        latency_ms=told['latency_ms'],
        rgb=image_codec.decode_color(color.data, **_fields(color)),
        depth=image_codec.decode_depth(depth.data, **_fields(depth)),
        spectrogram=image_codec.decode_planes(spectrogram.data, **_fields(spectrogram)))


def _fields(message: Any) -> dict[str, Any]:
    return {'encoding': message.encoding, 'height': message.height, 'width': message.width,
            'step': message.step, 'is_bigendian': bool(message.is_bigendian)}
