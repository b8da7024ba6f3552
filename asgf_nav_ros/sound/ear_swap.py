# SPDX-License-Identifier: Apache-2.0
"""Notices that left and right change places while the robot stands still.

That they were exchanged from the start cannot be told from sound alone: a mirrored room sounds
just as likely. A source that is heard from one side and a moment later, otherwise the same, from
the other is a cable or a driver that changed (or, rarely, another source: so it is a warning).
"""

from __future__ import annotations

import collections
from typing import NamedTuple

import numpy as np

PIECE_S = 0.2
LARGEST_LAG_S = 0.0008  # sound around a head
LEAST_LAG = 2  # samples: less is straight ahead
SAME_LAG = 1  # samples
SAME_LEVEL_DB = 1.5
LEAST_PEAK = 0.1  # of the phase correlation: less is no direction


class Side(NamedTuple):
    """Where a piece of sound came from: samples that the right ear is late, dB that it is weak."""

    lag: int
    level_db: float

    def is_mirror_of(self, other: Side) -> bool:
        """Whether it is the same but for the side."""
        return (abs(self.lag) >= LEAST_LAG and self.lag * other.lag < 0
                and abs(self.lag + other.lag) <= SAME_LAG
                and abs(self.level_db + other.level_db) <= SAME_LEVEL_DB)


class EarSwap:
    """Compares pieces of ``PIECE_S`` with the two before: one may hold the moment of the swap."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._samples = round(PIECE_S * sample_rate_hz)
        self._largest_lag = round(LARGEST_LAG_S * sample_rate_hz)
        self.reset()

    def reset(self) -> None:
        """Forget all sound, because the robot moves or the stream was interrupted."""
        self._chunks: list[np.ndarray] = []
        self._sides: collections.deque[Side | None] = collections.deque(maxlen=2)

    def push(self, audio: np.ndarray) -> bool:
        """Take (2, n) float32 heard at rest; whether the ears have just been exchanged."""
        self._chunks.append(audio)
        if sum(chunk.shape[1] for chunk in self._chunks) < self._samples:
            return False
        side = side_of(np.concatenate(self._chunks, axis=1), self._largest_lag)
        self._chunks = []
        swapped = side is not None and any(
            known is not None and side.is_mirror_of(known) for known in self._sides)
        if swapped:
            self._sides.clear()
        self._sides.append(side)
        return swapped


def side_of(audio: np.ndarray, largest_lag: int) -> Side | None:
    """Direction of the strongest source by GCC-PHAT; None if there is no clear one.

    Args:
        audio: (2, n) float32.
        largest_lag: samples to look to either side.
    """
    energy = np.square(audio, dtype=np.float64).sum(axis=1)
    if not energy.all():
        return None
    size = 2 * audio.shape[1]
    left, right = np.fft.rfft(audio, size)
    cross = right * left.conj()
    correlation = np.fft.irfft(cross / np.maximum(np.abs(cross), 1e-12), size)
    near = np.concatenate([correlation[-largest_lag:], correlation[:largest_lag + 1]])
    peak = int(near.argmax())
    if near[peak] < LEAST_PEAK:
        return None
    return Side(peak - largest_lag, float(10 * np.log10(energy[0] / energy[1])))
