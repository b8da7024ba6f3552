# SPDX-License-Identifier: Apache-2.0
"""What a recording holds: its topics, where its robot was, and when something was decided."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
import dataclasses
import json
import math
from typing import Any

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import yaw_of_quaternion
from asgf_nav_ros.replay.audio_messages import raw_format
from asgf_nav_ros.replay.audio_messages import RawFormat
from asgf_nav_ros.replay.bag_file import BagFile
from asgf_nav_ros.replay.bag_file import RawMessage
from asgf_nav_ros.replay.topic_roles import assign_roles
from asgf_nav_ros.replay.topic_roles import Role
from asgf_nav_ros.sight.view import Camera
from asgf_nav_ros.sound.hearing import HearingSettings

MAX_CHOICES = 100_000
MAX_JSON = 1 << 16  # characters of a decision
_STAMPED = (Role.AUDIO, Role.COLOR, Role.DEPTH, Role.SPECTROGRAM)


@dataclasses.dataclass(frozen=True)
class Choice:
    """A moment to decide at: a recorded decision, or a whole window where there are none.

    step : decisions since the memory was empty.
    action : what was done, '' if nothing is recorded.
    told : the ``decision`` document, empty where only an action is recorded.
    info : the ``policy_info`` document of that time, empty without one.
    color_stamp_s, depth_stamp_s : of the images it was made on, None without any.
    """

    episode: str
    step: int
    stamp_s: float
    log_ns: int
    action: str = ''
    told: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    info: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    color_stamp_s: float | None = None
    depth_stamp_s: float | None = None


class RecordingIndex:
    """Small messages of a recording, and the stamps of its large ones.

    stamps_s : by role, sorted. poses : (stamp_s, Pose). events : (stamp_s, name) of
    ``motion_state``. results : documents of ``episode_result``. hearing : what was done to the
    audio, None if it is not recorded. notes : one line each about what was left out.

    Raises:
        ValueError: it holds nothing, or not the topic that the user chose.
    """

    def __init__(self, bag: BagFile, chosen: Mapping[Role, str]) -> None:
        self.bag = bag
        types = {raw.topic: raw.type_name for raw in bag.messages()}
        if not types:
            raise ValueError(bag.damage or f'{bag.path} holds no messages')
        self.roles, self.notes = assign_roles(types, chosen)
        self.topics = types
        self.stamps_s: dict[Role, list[float]] = {role: [] for role in _STAMPED}
        self.poses: list[tuple[float, Pose]] = []
        self.cameras: list[tuple[float, Camera]] = []
        self.events: list[tuple[float, str]] = []
        self.results: list[dict[str, Any]] = []
        self.hearing: HearingSettings | None = None
        self.raw_audio: RawFormat | None = None
        self.audio_fault = ''  # why its bytes are not samples
        self._infos: list[tuple[int, dict[str, Any]]] = []
        self._episodes: list[tuple[float, str]] = []
        self._decisions: list[tuple[int, dict[str, Any]]] = []
        self._actions: dict[float, tuple[int, str]] = {}
        self._heard: list[tuple[float, int]] = []
        self._bad: dict[str, int] = {}
        for raw in bag.messages():
            if raw.topic in self.roles:
                self._take(self.roles[raw.topic], raw)
        self.notes += [f'{count} times {why}' if count > 1 else why
                       for why, count in self._bad.items()]
        for stamps in self.stamps_s.values():
            stamps.sort()

    @property
    def newest_info(self) -> dict[str, Any]:
        """The last ``policy_info``, empty without one."""
        return self._infos[-1][1] if self._infos else {}

    @property
    def span_s(self) -> float:
        """Recorded seconds, by the stamps of the sensors."""
        ends = [(stamps[0], stamps[-1]) for stamps in self.stamps_s.values() if stamps]
        return max(last for _, last in ends) - min(first for first, _ in ends) if ends else 0.0

    def choices(self, *, window_s: float, tolerance_s: float) -> list[Choice]:
        """Everything that was decided; without that, each whole window of sound.

        Args:
            window_s: of listening.
            tolerance_s: between a window's end and its images, where these are not recorded.

        Raises:
            ValueError: there is nothing to decide on.
        """
        if self._decisions:
            found = [self._told_choice(log_ns, told) for log_ns, told in self._decisions]
        elif self._actions:
            found = [Choice(self._episode_at(stamp_s), -1, stamp_s, log_ns, action,
                            info=self._info_at(log_ns))
                     for stamp_s, (log_ns, action) in self._actions.items()]
        elif self.audio_fault:
            raise ValueError(self.audio_fault)
        else:
            found = self._windows(window_s)
        if not found:
            raise ValueError(f'{self.bag.path} has no audio and no decision to replay; it has '
                             f'{", ".join(sorted(self.topics))!s:.400}: name the audio with '
                             '--topic audio=NAME')
        if len(found) > MAX_CHOICES:
            self.notes.append(f'{len(found)} decisions, the first {MAX_CHOICES} are replayed')
        numbered = _numbered(found[:MAX_CHOICES])
        if lost := _lost(numbered):
            self.notes.append(f'{lost} decisions of these episodes are not in the recording: the '
                              'memory lacks them, and what follows may come out otherwise')
        return [self._with_images(choice, tolerance_s) for choice in numbered]

    def camera_at(self, stamp_s: float) -> Camera | None:
        """The camera as it was described last, or else first."""
        known = [camera for seen_s, camera in self.cameras if seen_s <= stamp_s]
        return known[-1] if known else self.cameras[0][1] if self.cameras else None

    # ---- messages

    def _take(self, role: Role, raw: RawMessage) -> None:
        try:
            if role in _STAMPED:
                self._see_stamp(role, raw)
            else:
                self._read(role, raw, self.bag.deserialize(raw))
        except ValueError as error:
            why = f'left out on {raw.topic}: {error}'
            if why in self._bad or len(self._bad) < 20:
                self._bad[why] = self._bad.get(why, 0) + 1

    def _see_stamp(self, role: Role, raw: RawMessage) -> None:
        self.stamps_s[role].append(raw.stamp_s)
        if role == Role.AUDIO:
            self._heard.append((raw.stamp_s, raw.log_ns))

    def _read(self, role: Role, raw: RawMessage, message: Any) -> None:
        if role == Role.DECISION:
            self._decisions.append((raw.log_ns, decision_document(message.data)))
        elif role == Role.POLICY_INFO:
            self._infos.append((raw.log_ns, json_document(message.data)))
        elif role == Role.SPECTROGRAM_INFO:
            self.hearing = HearingSettings.of_document(json_document(message.data))
        elif role == Role.EPISODE_RESULT:
            self.results.append(json_document(message.data))
        elif role == Role.AUDIO_INFO:
            try:
                self.raw_audio = raw_format(message)
            except ValueError as error:
                self.audio_fault = f'{raw.topic}: {error}'
        elif role == Role.ODOMETRY:
            self.poses.append((_seconds(message.header.stamp), _pose(message)))
        elif role == Role.CAMERA_INFO:
            camera = _camera(message)
            if not self.cameras or self.cameras[-1][1] != camera:
                self.cameras.append((_seconds(message.header.stamp), camera))
        elif role == Role.ACTION:
            _require_action(message.frame_id)
            self._actions.setdefault(_seconds(message.stamp), (raw.log_ns, message.frame_id))
        elif role == Role.EPISODE:
            self._episodes.append((_seconds(message.stamp), message.frame_id))
        elif role == Role.MOTION_STATE:
            event = (_seconds(message.stamp), message.frame_id)
            if not self.events or self.events[-1] != event:
                self.events.append(event)

    # ---- choices

    def _told_choice(self, log_ns: int, told: dict[str, Any]) -> Choice:
        episode = told.get('episode')
        return Choice(
            episode if isinstance(episode, str) else self._episode_at(told['stamp_s']),
            told['step'] if isinstance(told.get('step'), int) else -1, told['stamp_s'], log_ns,
            told['action'], told, self._info_at(log_ns), told.get('color_stamp_s'),
            told.get('depth_stamp_s'))

    def _windows(self, window_s: float) -> list[Choice]:
        """Whole windows one after the other, begun anew after each gap."""
        found, begin_s, last_s = [], -math.inf, -math.inf
        for stamp_s, log_ns in sorted(self._heard):
            if stamp_s - last_s > window_s:
                begin_s = stamp_s
            elif stamp_s - begin_s >= window_s:
                begin_s += window_s
                found.append(Choice('', -1, begin_s, log_ns))
            last_s = stamp_s
        return found

    def _episode_at(self, stamp_s: float) -> str:
        begun = [name for start_s, name in self._episodes if start_s <= stamp_s]
        return begun[-1] if begun else ''

    def _info_at(self, log_ns: int) -> Mapping[str, Any]:
        known = [info for told_ns, info in self._infos if told_ns <= log_ns]
        return known[-1] if known else self._infos[0][1] if self._infos else {}

    def _with_images(self, choice: Choice, tolerance_s: float) -> Choice:
        """Name the images nearest to the window's end where the record does not."""
        found = {}
        for role, name in ((Role.COLOR, 'color_stamp_s'), (Role.DEPTH, 'depth_stamp_s')):
            told_s = getattr(choice, name)
            if not isinstance(told_s, float):
                found[name] = _nearest(self.stamps_s[role], choice.stamp_s, tolerance_s)
        return dataclasses.replace(choice, **found)


def _numbered(choices: list[Choice]) -> list[Choice]:
    """Count the steps of each episode where the record does not."""
    numbered, step, episode = [], 0, None
    for choice in choices:
        step = step + 1 if choice.episode == episode else 0
        episode = choice.episode
        numbered.append(dataclasses.replace(choice, step=step) if choice.step < 0 else choice)
    return numbered


def _lost(choices: list[Choice]) -> int:
    """Steps that are missing at the beginning of the recording or in between."""
    lost, expected = 0, 0
    for choice in choices:
        expected = expected if choice.step >= expected else 0  # the memory was emptied
        lost += choice.step - expected
        expected = choice.step + 1
    return lost


def _nearest(stamps_s: list[float], stamp_s: float, tolerance_s: float) -> float | None:
    index = bisect.bisect_left(stamps_s, stamp_s)
    near = min(stamps_s[max(index - 1, 0):index + 1], key=lambda s: abs(s - stamp_s),
               default=math.inf)
    return near if abs(near - stamp_s) <= tolerance_s else None


def json_document(text: str) -> dict[str, Any]:
    """Read a JSON object of bounded length.

    Raises:
        ValueError: it is something else.
    """
    try:
        document = json.loads(text) if len(text) <= MAX_JSON else None
    except (ValueError, RecursionError) as error:
        raise ValueError(f'it must be JSON, got {text!r:.60}') from error
    if not isinstance(document, dict):
        raise ValueError(f'it must be a JSON object of at most {MAX_JSON} characters, '
                         f'got {text!r:.60}')
    return document


def decision_document(text: str) -> dict[str, Any]:
    """Read what the policy tells about a decision.

    Raises:
        ValueError: no JSON object with a stamp and an action.
    """
    document = json_document(text)
    stamp_s, action = document.get('stamp_s'), document.get('action')
    if not isinstance(stamp_s, float) or not math.isfinite(stamp_s):
        raise ValueError(f'a decision must have a stamp_s in seconds, got {stamp_s!r:.40}')
    _require_action(action)
    return document


def _require_action(name: Any) -> None:
    if not isinstance(name, str) or name not in Action.__members__:
        raise ValueError(f'a decision must have an action of {list(Action.__members__)}, '
                         f'got {name!r:.40}')


def _seconds(stamp: Any) -> float:
    return stamp.sec + stamp.nanosec * 1e-9


def _pose(message: Any) -> Pose:
    position, turned = message.pose.pose.position, message.pose.pose.orientation
    return Pose(position.x, position.y,
                yaw_of_quaternion(turned.x, turned.y, turned.z, turned.w))


def _camera(message: Any) -> Camera:
    """Pinhole camera of a ROS 2 or ROS 1 camera_info."""
    k = np.asarray(message.k if hasattr(message, 'k') else message.K)
    return Camera(width=message.width, height=message.height, fx=float(k[0]), fy=float(k[4]),
                  cx=float(k[2]), cy=float(k[5]))
