# SPDX-License-Identifier: Apache-2.0
"""From recorded blocks to stamped audio for the policy, and what was lost on the way."""

from __future__ import annotations

import dataclasses
from typing import Iterator
from typing import NamedTuple

import numpy as np

from asgf_nav_ros.sound.ear_signal import EarSignal
from asgf_nav_ros.sound.ear_signal import EarWiring
from asgf_nav_ros.sound.microphone import Block
from asgf_nav_ros.sound.microphone_keeper import Recording
from asgf_nav_ros.sound.sample_clock import SampleClock


class StampedAudio(NamedTuple):
    """``audio`` (2, n) float32, left ear first, and when its first sample was taken.

    ``start_s`` is of ``time.monotonic``; ``recorded`` (2, m) float32 is what came from the
    device meanwhile, without gain and at its own rate.
    """

    start_s: float
    audio: np.ndarray
    recorded: np.ndarray


@dataclasses.dataclass
class CaptureCounts:
    """What went wrong since the beginning."""

    openings: int = 0
    overruns: int = 0  # samples were lost
    underruns: int = 0
    refused: int = 0  # blocks with NaN, or of the wrong shape
    last_refusal: str = ''


class Capture:
    """Follows a microphone through its openings; after a loss it begins a new stretch."""

    def __init__(self, wiring: EarWiring, *, to_hz: int, delay_s: float = 0.0) -> None:
        """Deliver ``to_hz``; ``delay_s`` lies between the air and the arrival of a sample."""
        self._wiring, self._to_hz, self._delay_s = wiring, to_hz, delay_s
        self._opening = 0
        self.counts = CaptureCounts()

    def push(self, recording: Recording) -> list[StampedAudio]:
        """Take what came; the stamps of a stretch without loss join up."""
        if recording.opening != self._opening:
            self._opening = recording.opening
            self.counts.openings += 1
            self._from_hz = recording.rate_hz
            self._clock = SampleClock(self._from_hz)
            self._begin()
        return [stamped for block in recording.blocks for stamped in self._take(block)]

    def _begin(self) -> None:
        self._clock.reset()
        self._signal = EarSignal(self._wiring, from_hz=self._from_hz, to_hz=self._to_hz)
        self._taken = self._given = 0

    def _take(self, block: Block) -> Iterator[StampedAudio]:
        self.counts.underruns += block.underrun
        if block.overrun or self._clock.lost_samples:
            self.counts.overruns += 1
            self._begin()
        elif self._clock.ran_ahead:
            self._begin()
        samples = len(block.samples)
        start_s = self._clock.push(samples, block.arrival_s)
        if start_s is None:
            return
        try:
            recorded = self._signal.ears(block.samples)
        except ValueError as error:
            self.counts.refused += 1
            self.counts.last_refusal = str(error)
            self._begin()
            return
        audio = self._signal.push(recorded)
        # Where the resampler is behind or ahead of the block, so is the stamp.
        ahead_s = self._given / self._to_hz - self._taken / self._from_hz
        self._taken += samples
        self._given += audio.shape[1]
        if audio.shape[1]:
            yield StampedAudio(start_s + ahead_s - self._delay_s, audio, recorded)
