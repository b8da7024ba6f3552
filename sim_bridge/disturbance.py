# SPDX-License-Identifier: Apache-2.0
"""What goes wrong for one agent in one episode of the grid world."""

from __future__ import annotations

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Disturbance:
    """Everything is off by default.

    noise : (2, window_samples) float32 at the robot's ears, heard in a loop of random phase.
    distractor : (window_samples,) float32, a second dry sound, with its level; it stands at
        ``distractor_source`` of the house and sounds from step ``distractor_from`` on.
    sounding : (k,) bool, at which steps the goal sounds, repeated; None is always. From step
        ``silent_from`` on it never sounds again.
    ear_gain_db : left ear over right ear.
    skew_samples : by which the right ear is late.
    bandwidth_hz : of the microphones.
    lost_audio, lost_frames : probability that a part of a window, or an image, is missing.
    slip : probability that a step forward is not carried out.
    """

    noise: np.ndarray | None = None
    distractor: np.ndarray | None = None
    distractor_source: int = 0
    distractor_from: int = 0
    sounding: np.ndarray | None = None
    silent_from: float = math.inf
    ear_gain_db: float = 0.0
    skew_samples: float = 0.0
    bandwidth_hz: float = math.inf
    lost_audio: float = 0.0
    lost_frames: float = 0.0
    slip: float = 0.0

    def __post_init__(self) -> None:
        for name in ('lost_audio', 'lost_frames', 'slip'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {getattr(self, name)}')
        if not self.bandwidth_hz > 0:
            raise ValueError(f'bandwidth_hz must be positive, got {self.bandwidth_hz}')

    def sounds_at(self, step: int) -> bool:
        """Whether the goal sounds at a step, 0 for the first."""
        if step >= self.silent_from:
            return False
        return self.sounding is None or bool(self.sounding[step % len(self.sounding)])

    def microphones(self, samples: int, sample_rate_hz: int) -> np.ndarray:
        """Transfer function of both ears over that of perfect ones, (2, samples // 2 + 1)."""
        frequency_hz = np.fft.rfftfreq(samples, 1 / sample_rate_hz)
        gain = 10 ** (self.ear_gain_db / 40)
        late = np.exp(-2j * np.pi * frequency_hz * self.skew_samples / sample_rate_hz)
        passes = 1 / np.sqrt(1 + (frequency_hz / self.bandwidth_hz) ** 12)
        return np.stack([gain * passes, late * passes / gain]).astype(np.complex64)


UNDISTURBED = Disturbance()
