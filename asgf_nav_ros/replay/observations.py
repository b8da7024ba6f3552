# SPDX-License-Identifier: Apache-2.0
"""What a policy was given at each choice of a recording, put together again in one pass."""

from __future__ import annotations

import collections
from collections.abc import Mapping
import dataclasses
import math
from typing import Any
from typing import Iterator
from typing import Sequence

import numpy as np

from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.replay.audio_messages import decode_audio
from asgf_nav_ros.replay.audio_messages import IMAGE
from asgf_nav_ros.replay.audio_messages import RawFormat
from asgf_nav_ros.replay.bag_file import RawMessage
from asgf_nav_ros.replay.recording_index import Choice
from asgf_nav_ros.replay.recording_index import RecordingIndex
from asgf_nav_ros.replay.topic_roles import COMPRESSED
from asgf_nav_ros.replay.topic_roles import Role
from asgf_nav_ros.sight import image_codec
from asgf_nav_ros.sight.compressed_image import decode_compressed_color
from asgf_nav_ros.sight.view import View
from asgf_nav_ros.sound.hearing import Hearing
from asgf_nav_ros.sound.hearing import HearingSettings
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.resampler import Resampler

PATIENCE_S = 5.0  # of the recorder's clock: what has not come by then was never recorded
OWN_JITTER_S = 0.005
DRIVER_JITTER_S = 0.05  # drivers stamp blocks when they arrive
# What makes the spectrogram of one contract good for another.
_TRANSFORM = ('sample_rate_hz', 'window_s', 'input_gain', 'n_fft', 'win_length', 'hop_length',
              'pool', 'audio_channels')
_PARTS = {'color': 'a color image', 'depth': 'a depth image', 'spectrogram': 'a window of sound'}


@dataclasses.dataclass(eq=False)
class Gathered:
    """The parts of one observation as they are found; ``faults`` says why some are not."""

    choice: Choice
    color: np.ndarray | None = None
    depth: np.ndarray | None = None
    spectrogram: np.ndarray | None = None
    faults: list[str] = dataclasses.field(default_factory=list)
    handed_out: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    @property
    def missing(self) -> list[str]:
        """What is not there."""
        return [words for name, words in _PARTS.items() if getattr(self, name) is None]

    def observation(self) -> Observation:
        """For the policy; ``motion`` is left to the caller."""
        return Observation(rgb=np.ascontiguousarray(self.color), depth=self.depth,
                           spectrogram=self.spectrogram, stamp_s=self.choice.stamp_s)


class ObservationPass:
    """Goes through a recording once and hands out its choices in their order.

    Memory holds the choices of some seconds, however long the recording is.
    """

    def __init__(self, index: RecordingIndex, choices: Sequence[Choice],
                 contract: PolicyContract, *, full_scale: float | None = None) -> None:
        """Look for what a policy with ``contract`` wants.

        Args:
            index: of the recording.
            choices: of the index.
            contract: of the policy that decides again.
            full_scale: level that full scale of the audio stands for; None takes the recorded
                one, or else the usual one.
        """
        self._index, self._contract = index, contract
        self._pending = collections.deque(map(Gathered, choices))
        self._colors, self._depths, self._spectrograms, self._windows = {}, {}, {}, (
            collections.deque())
        heard = set(index.stamps_s[Role.SPECTROGRAM])
        for gathered in self._pending:
            choice = gathered.choice
            _note(self._colors, choice.color_stamp_s, gathered)
            _note(self._depths, choice.depth_stamp_s, gathered)
            if choice.stamp_s in heard and _same_transform(choice, contract):
                _note(self._spectrograms, choice.stamp_s, gathered)
            else:
                self._windows.append(gathered)
        self._hearing = _hearing(index, contract, full_scale, gated=bool(self._windows))
        raw = index.raw_audio or RawFormat(contract.sample_rate_hz)
        self._raw_audio, self._listening = raw, None
        self._views: dict[Any, View] = {}

    def __iter__(self) -> Iterator[Gathered]:
        for raw in self._index.bag.messages():
            role = self._index.roles.get(raw.topic)
            try:
                self._take(role, raw)
            except ValueError as error:
                self._blame(raw, error)
            yield from self._finished(raw.log_ns)
        yield from self._finished(math.inf)

    def _finished(self, log_ns: float) -> Iterator[Gathered]:
        while self._pending:
            first = self._pending[0]
            if not first.complete and log_ns < first.choice.log_ns + PATIENCE_S * 1e9:
                return
            first.handed_out = True
            yield self._pending.popleft()

    def _take(self, role: Role | None, raw: RawMessage) -> None:
        if role == Role.COLOR and (wanted := self._colors.pop(raw.stamp_s, None)):
            image = self._color(raw)
            for gathered in wanted:
                gathered.color = image
        elif role == Role.DEPTH and (wanted := self._depths.pop(raw.stamp_s, None)):
            image = self._depth(raw)
            for gathered in wanted:
                gathered.depth = image
        elif role == Role.SPECTROGRAM and (
                wanted := self._spectrograms.pop(raw.stamp_s, None)):
            message = self._index.bag.deserialize(raw)
            planes = image_codec.decode_planes(message.data, **_fields(message))
            for gathered in wanted:
                gathered.spectrogram = planes
        elif role == Role.AUDIO and self._windows:
            if self._index.audio_fault:
                raise ValueError(self._index.audio_fault)
            self._hear(raw)

    def _blame(self, raw: RawMessage, error: ValueError) -> None:
        """Let the next choice say it: later ones wait for other messages."""
        if self._pending and not self._pending[0].faults:
            self._pending[0].faults.append(f'{raw.topic}: {error}')

    # ---- sight

    def _color(self, raw: RawMessage) -> np.ndarray:
        message = self._index.bag.deserialize(raw)
        if raw.type_name == COMPRESSED:
            rgb = decode_compressed_color(message.data)
        else:
            rgb = image_codec.decode_color(message.data, **_fields(message))
        return self._view(raw.stamp_s).color(rgb)

    def _depth(self, raw: RawMessage) -> np.ndarray:
        message = self._index.bag.deserialize(raw)
        depth = image_codec.decode_depth(message.data, **_fields(message))
        return self._view(raw.stamp_s).depth(depth)

    def _view(self, stamp_s: float) -> View:
        camera = self._index.camera_at(stamp_s)
        if camera is None:
            raise ValueError('images without a camera_info, choose one with '
                             '--topic camera_info=NAME')
        if camera not in self._views:
            view = View(camera, self._contract, **_view_settings(self._index.newest_info))
            if view.shortfall:
                self._index.notes.append(f'{view.shortfall}: the rest is black, without depth')
            self._views[camera] = view
        return self._views[camera]

    # ---- hearing

    def _hear(self, raw: RawMessage) -> None:
        message = self._index.bag.deserialize(raw)
        audio, rate_hz = decode_audio(message, raw.type_name, self._raw_audio)
        if self._listening is None or self._native.sample_rate_hz != rate_hz:
            self._native = dataclasses.replace(self._contract, sample_rate_hz=rate_hz)
            self._jitter_s = OWN_JITTER_S if raw.type_name == IMAGE else DRIVER_JITTER_S
            self._listening = ListeningWindow(self._native, jitter_s=self._jitter_s)
        self._listening.push(raw.stamp_s, audio)
        while self._windows and self._answer(self._windows[0]):
            self._windows.popleft()

    def _answer(self, gathered: Gathered) -> bool:
        """Give a choice its window if that is whole by now; false to ask again later."""
        stamp_s = gathered.choice.stamp_s
        window = self._listening.window_after(stamp_s - self._contract.window_s)
        if window is None:
            return gathered.handed_out
        if abs(window.end_s - stamp_s) > self._jitter_s:
            gathered.faults.append('the audio of its window has a gap')
            return True
        gathered.spectrogram = self._hearing.spectrogram(self._at_rate(window.audio))
        return True

    def _at_rate(self, audio: np.ndarray) -> np.ndarray:
        rate_hz, samples = self._native.sample_rate_hz, self._contract.window_samples
        if rate_hz == self._contract.sample_rate_hz:
            return audio
        resampled = Resampler(rate_hz, self._contract.sample_rate_hz)
        parts = [resampled.push(audio), resampled.push(np.zeros((2, rate_hz // 4), np.float32))]
        return np.ascontiguousarray(np.concatenate(parts, axis=1)[:, :samples])


def _hearing(index: RecordingIndex, contract: PolicyContract, full_scale: float | None, *,
             gated: bool) -> Hearing:
    """Hear as the robot did; where its noise profile does not fit, a note says so."""
    settings = index.hearing or HearingSettings()
    if full_scale is not None:
        settings = dataclasses.replace(settings, full_scale=full_scale)
    try:
        return Hearing(settings, contract)
    except ValueError as error:
        if gated:
            index.notes.append(f'spectrograms are computed without the noise gate: {error}')
        return Hearing(dataclasses.replace(settings, profile=None), contract)


def _view_settings(info: Mapping[str, Any]) -> dict[str, float]:
    """What the policy node was told about cameras that see too little, as far as recorded."""
    told = info.get('view')
    return {name: float(told[name]) for name in ('tolerance_rad', 'least_share')
            if isinstance(told, dict) and isinstance(told.get(name), (int, float))}


def _note(wanted: dict[float, list[Gathered]], stamp_s: float | None,
          gathered: Gathered) -> None:
    if stamp_s is not None:
        wanted.setdefault(stamp_s, []).append(gathered)


def _same_transform(choice: Choice, contract: PolicyContract) -> bool:
    """Whether the recorded spectrogram is what the policy wants; old records do not say."""
    recorded = choice.info.get('contract')
    if not isinstance(recorded, dict):
        return True
    wanted = dataclasses.asdict(contract)
    return all(recorded.get(name) == (list(wanted[name]) if isinstance(wanted[name], tuple)
                                      else wanted[name]) for name in _TRANSFORM)


def _fields(message: Any) -> dict[str, Any]:
    return {'encoding': message.encoding, 'height': message.height, 'width': message.width,
            'step': message.step, 'is_bigendian': bool(message.is_bigendian)}
