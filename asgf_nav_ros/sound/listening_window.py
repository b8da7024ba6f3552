# SPDX-License-Identifier: Apache-2.0
"""Whole windows out of stamped chunks of audio, and what was wrong with the stamps."""

from __future__ import annotations

import dataclasses
import enum
import math
from typing import NamedTuple

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.recent_samples import RecentSamples
from asgf_nav_ros.sound.stamp_rate import StampRate

# Part of a stamp's error that the clock of the window follows with each chunk: averages jitter
# over some 20 chunks, and 1000 ppm between two crystals still leave only 0.4 ms at 20 ms a chunk.
_CLOCK_GAIN = 0.05


class SpanFault(enum.Enum):
    """Why samples were dropped or are not trusted."""

    GAP = 'gap'
    OVERLAP = 'overlap'
    REPEATED = 'repeated'
    CLOCK_JUMPED_BACK = 'clock_jumped_back'
    WRONG_RATE = 'wrong_rate'


@dataclasses.dataclass(frozen=True)
class SpanEvent:
    """One fault between two stamps (seconds) and its reason in one line."""

    fault: SpanFault
    start_s: float
    end_s: float
    reason: str


class Window(NamedTuple):
    """``audio`` (2, window_samples) float32 in [-1, 1] and the stamp of its end, seconds."""

    audio: np.ndarray
    end_s: float


class ListeningWindow:
    """Joins chunks by their stamps and hands out windows without holes.

    After a gap or a clock that jumps back it starts anew, so no window ever spans one; what
    overlaps is trimmed. While the stamps say that the samples come at another rate than the
    contract's (chunks that always overlap look the same) there are no windows at all. Three
    windows are remembered, however long it runs.
    """

    def __init__(self, contract: PolicyContract, *, jitter_s: float = 0.005) -> None:
        """Tolerate stamps that are off by up to ``jitter_s``.

        Raises:
            ValueError: jitter_s is not within half a sample and half a window.
        """
        half_sample_s = 0.5 / contract.sample_rate_hz
        if not half_sample_s <= jitter_s <= contract.window_s / 2:
            raise ValueError(f'jitter_s must be in [{half_sample_s:.2g}, '
                             f'{contract.window_s / 2:g}], got {jitter_s}')
        self._rate_hz = contract.sample_rate_hz
        self._samples = contract.window_samples
        self._jitter_s = jitter_s
        self.reset()

    def reset(self) -> None:
        """Forget all audio and everything known about the stamps."""
        self._rate = StampRate(self._rate_hz, jitter_s=self._jitter_s)
        self._recent = RecentSamples((2,), keep=3 * self._samples)
        self._first = 0  # index of the oldest sample since the last interruption
        self._end_s = math.nan  # stamp of the end of the newest sample
        self._last: tuple[float, np.ndarray] | None = None

    @property
    def held_s(self) -> float:
        """Seconds of audio without interruption that are held."""
        return (self._recent.end - self._oldest) / self._rate_hz

    @property
    def measured_rate_hz(self) -> float:
        """Samples per second by the stamps; NaN until about a second has come."""
        return self._rate.measured_hz

    def push(self, stamp_s: float, audio: np.ndarray) -> tuple[SpanEvent, ...]:
        """Take a chunk; faults of its stamp are returned, not raised.

        Args:
            stamp_s: time of the chunk's first sample, seconds.
            audio: (2, n) float32 in [-1, 1], n > 0.

        Returns:
            What was dropped or distrusted, usually nothing.

        Raises:
            ValueError: the stamp is not finite, or audio has another shape or type or is not
                finite; nothing is taken then.
        """
        _check_chunk(stamp_s, audio)
        if self._is_repeated(stamp_s, audio):
            return (self._event(SpanFault.REPEATED, stamp_s, audio,
                                f'the chunk of {stamp_s:.4f} s came twice, dropped one'),)
        joint = self._join(stamp_s, audio)
        self._last = (stamp_s, audio.copy())
        rate = self._check_rate(stamp_s, audio)
        return tuple(event for event in (joint, rate) if event is not None)

    def _is_repeated(self, stamp_s: float, audio: np.ndarray) -> bool:
        if self._last is None:
            return False
        same_time = abs(stamp_s - self._last[0]) < 0.5 / self._rate_hz
        return same_time and np.array_equal(audio, self._last[1])

    def _join(self, stamp_s: float, audio: np.ndarray) -> SpanEvent | None:
        if self._last is None:
            self._restart(stamp_s, audio)
            return None
        late_s = stamp_s - self._end_s
        if abs(late_s) <= self._jitter_s:
            self._append(audio)
            self._end_s += _CLOCK_GAIN * late_s
            return None
        if late_s > 0:
            return self._skip_gap(stamp_s, audio)
        if stamp_s <= self._last[0]:
            return self._jump_back(stamp_s, audio)
        return self._trim(stamp_s, audio)

    def _skip_gap(self, stamp_s: float, audio: np.ndarray) -> SpanEvent:
        end_s = self._end_s
        self._restart(stamp_s, audio)
        return SpanEvent(
            SpanFault.GAP, end_s, stamp_s,
            f'{stamp_s - end_s:.4f} s of audio are missing before {stamp_s:.4f} s')

    def _jump_back(self, stamp_s: float, audio: np.ndarray) -> SpanEvent:
        jump_s = self._end_s - stamp_s
        self._rate.reset()
        self._restart(stamp_s, audio)
        return self._event(SpanFault.CLOCK_JUMPED_BACK, stamp_s, audio,
                           f'stamps jumped back by {jump_s:.4f} s to {stamp_s:.4f} s')

    def _trim(self, stamp_s: float, audio: np.ndarray) -> SpanEvent:
        """Keep only the end of a chunk that starts before the last one has ended."""
        end_s = self._end_s
        rest = audio[:, round((end_s - stamp_s) * self._rate_hz):]
        if rest.size:
            self._append(rest)
        return SpanEvent(
            SpanFault.OVERLAP, stamp_s, end_s,
            f'{end_s - stamp_s:.4f} s of audio from {stamp_s:.4f} s on came again, dropped')

    def _restart(self, stamp_s: float, audio: np.ndarray) -> None:
        self._first = self._recent.end
        self._end_s = stamp_s
        self._append(audio)

    def _append(self, audio: np.ndarray) -> None:
        self._recent.append(audio)
        self._end_s += audio.shape[1] / self._rate_hz

    def _check_rate(self, stamp_s: float, audio: np.ndarray) -> SpanEvent | None:
        was_wrong = self._rate.is_wrong
        self._rate.push(stamp_s, audio.shape[1])
        if was_wrong or not self._rate.is_wrong:
            return None
        return self._event(
            SpanFault.WRONG_RATE, stamp_s, audio,
            f'the policy wants sample_rate_hz={self._rate_hz}, by its stamps the stream has '
            f'{self.measured_rate_hz:.0f}')

    def _event(
            self, fault: SpanFault, stamp_s: float, audio: np.ndarray, reason: str) -> SpanEvent:
        return SpanEvent(fault, stamp_s, stamp_s + audio.shape[1] / self._rate_hz, reason)

    @property
    def _oldest(self) -> int:
        return max(self._first, self._recent.start)

    def window_after(self, start_s: float) -> Window | None:
        """The first window recorded wholly after ``start_s``, or None until it is there.

        Once that one has left the memory, it is the oldest that is still held.

        Raises:
            ValueError: start_s is not finite.
        """
        start = self._start_after(start_s)
        return None if start is None else self._window(start)

    def newest_after(self, start_s: float) -> Window | None:
        """The window that ends with the newest sample, if ``window_after`` has one.

        Raises:
            ValueError: start_s is not finite.
        """
        return None if self._start_after(start_s) is None else self.newest()

    def newest(self) -> Window | None:
        """The window that ends with the newest sample, or None while there is none."""
        return self._window(self._recent.end - self._samples) if self._has_window else None

    @property
    def _has_window(self) -> bool:
        return not self._rate.is_wrong and self._recent.end - self._oldest >= self._samples

    def _start_after(self, start_s: float) -> int | None:
        """Index of the first sample of ``window_after``."""
        if not math.isfinite(start_s):
            raise ValueError(f'start_s must be finite, got {start_s}')
        if not self._has_window:
            return None
        before_end = math.floor((self._end_s - start_s) * self._rate_hz + 0.5)
        start = max(self._oldest, self._recent.end - max(before_end, 0))
        return start if start + self._samples <= self._recent.end else None

    def _window(self, start: int) -> Window:
        stop = start + self._samples
        end_s = self._end_s - (self._recent.end - stop) / self._rate_hz
        return Window(self._recent.part(start, stop).copy(), end_s)


def _check_chunk(stamp_s: float, audio: np.ndarray) -> None:
    if not math.isfinite(stamp_s):
        raise ValueError(f'stamp_s must be finite, got {stamp_s}')
    if audio.ndim != 2 or audio.shape[0] != 2 or audio.shape[1] == 0:
        raise ValueError(f'audio must be (2, n) with n > 0, got {audio.shape}')
    if audio.dtype != np.float32:
        raise ValueError(f'audio must be float32, got {audio.dtype.name}')
    if not np.isfinite(audio).all():
        raise ValueError('audio must be finite, got NaN or infinity')
