# SPDX-License-Identifier: Apache-2.0
"""How loud each ear is, and what is wrong with it, over stretches of fixed length."""

from __future__ import annotations

import dataclasses

import numpy as np

from asgf_nav_ros.sound.audio_condition import audio_conditions
from asgf_nav_ros.sound.audio_condition import AudioCondition

FLOOR_DB = -120.0


@dataclasses.dataclass(frozen=True)
class Level:
    """Levels of (left, right) against full scale, and the faults, gravest first."""

    rms_db: tuple[float, float]
    peak_db: tuple[float, float]
    conditions: tuple[AudioCondition, ...]


def level_of(audio: np.ndarray) -> Level:
    """Measure (2, n) float32 in [-1, 1], n > 0; NaN and infinity count as silence."""
    finite = np.nan_to_num(audio, nan=0.0, posinf=0.0, neginf=0.0).astype(float)
    return Level(rms_db=_decibels(np.sqrt(np.mean(finite ** 2, axis=1))),
                 peak_db=_decibels(np.abs(finite).max(axis=1)),
                 conditions=audio_conditions(audio))


def _decibels(amplitudes: np.ndarray) -> tuple[float, float]:
    levels = 20 * np.log10(np.maximum(amplitudes, 10 ** (FLOOR_DB / 20)))
    return float(levels[0]), float(levels[1])


class LevelMeter:
    """Collects blocks and measures each whole stretch once."""

    def __init__(self, *, stretch_samples: int) -> None:
        """Measure every ``stretch_samples`` samples.

        Raises:
            ValueError: that is not positive.
        """
        if stretch_samples <= 0:
            raise ValueError(f'stretch_samples must be positive, got {stretch_samples}')
        self._stretch_samples = stretch_samples
        self._reset()

    def _reset(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._count = 0

    def push(self, audio: np.ndarray) -> Level | None:
        """Take (2, n) float32; the level when a stretch is full, else None."""
        self._blocks.append(audio)
        self._count += audio.shape[1]
        if self._count < self._stretch_samples:
            return None
        level = level_of(np.concatenate(self._blocks, axis=1))
        self._reset()
        return level
