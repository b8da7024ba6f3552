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
BANDS = 24
LOWEST_BIN = 8  # of a piece: 40 Hz, below is rumble
LOUDNESS_EXPONENT = 0.3  # weight of a band by its power
LEAST_CHANGE_DB = 4.0  # of the level differences, root mean square
MIRRORED = 0.1  # of that change, in square, may be left when the sides are exchanged
LARGEST_LAG_S = 0.0008  # sound around a head
LEAST_LAG = 2  # samples: less is straight ahead
SAME_LAG = 1  # samples
LEAST_PEAK = 0.1  # of the phase correlation: less is no direction
MIRRORED_AS_LAG = 0.25  # as MIRRORED, where the lag is exchanged too


class Profile(NamedTuple):
    """What tells the ears apart in a piece of sound.

    difference_db : (BANDS,) by which the left ear is louder, band by band.
    weight : (BANDS,) how much each band counts; the sum is 1.
    lag : samples that the strongest source reaches the right ear late; 0 if there is no clear one.
    """

    difference_db: np.ndarray
    weight: np.ndarray
    lag: int

    def is_mirror_of(self, other: Profile) -> bool:
        """Whether it is the same but for the side."""
        weight = np.minimum(self.weight, other.weight)
        weight = weight / weight.sum()
        change = float(weight @ np.square(self.difference_db - other.difference_db))
        left_over = float(weight @ np.square(self.difference_db + other.difference_db))
        if self._has_the_opposite_lag_of(other):
            return left_over < MIRRORED_AS_LAG * change
        return change >= LEAST_CHANGE_DB ** 2 and left_over < MIRRORED * change

    def _has_the_opposite_lag_of(self, other: Profile) -> bool:
        return (abs(self.lag) >= LEAST_LAG and self.lag * other.lag < 0
                and abs(self.lag + other.lag) <= SAME_LAG)


class EarSwap:
    """Compares pieces of ``PIECE_S`` with the two before: one may hold the moment of the swap.

    The lag of the strongest sound alone is too little to go by: in a room its echoes come from the
    other side as often as not. The level differences of many bands are the room's own, and are
    exchanged by nothing but a swap.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._samples = round(PIECE_S * sample_rate_hz)
        self._largest_lag = round(LARGEST_LAG_S * sample_rate_hz)
        self.reset()

    def reset(self) -> None:
        """Forget all sound, because the robot moves or the stream was interrupted."""
        self._chunks: list[np.ndarray] = []
        self._profiles: collections.deque[Profile | None] = collections.deque(maxlen=2)

    def push(self, audio: np.ndarray) -> bool:
        """Take (2, n) float32 heard at rest; whether the ears have just been exchanged."""
        self._chunks.append(audio)
        if sum(chunk.shape[1] for chunk in self._chunks) < self._samples:
            return False
        profile = profile_of(np.concatenate(self._chunks, axis=1), self._largest_lag)
        self._chunks = []
        swapped = profile is not None and any(
            known is not None and profile.is_mirror_of(known) for known in self._profiles)
        if swapped:
            self._profiles.clear()
        self._profiles.append(profile)
        return swapped


def profile_of(audio: np.ndarray, largest_lag: int) -> Profile | None:
    """What tells the ears apart; None where one of them hears nothing.

    Args:
        audio: (2, n) float32.
        largest_lag: samples to look to either side.
    """
    power = np.square(np.abs(np.fft.rfft(audio * np.hanning(audio.shape[1]))))
    edges = np.unique(np.geomspace(LOWEST_BIN, power.shape[1], BANDS + 1).astype(int))
    bands = np.add.reduceat(power[:, :edges[-1]], edges[:-1], axis=1)
    if not bands.all():
        return None
    weight = bands.sum(axis=0) ** LOUDNESS_EXPONENT
    left, right = bands
    return Profile(10 * np.log10(left / right), weight / weight.sum(), _lag_of(audio, largest_lag))


def _lag_of(audio: np.ndarray, largest_lag: int) -> int:
    """By GCC-PHAT."""
    size = 2 * audio.shape[1]
    left, right = np.fft.rfft(audio, size)
    cross = right * left.conj()
    correlation = np.fft.irfft(cross / np.maximum(np.abs(cross), 1e-12), size)
    near = np.concatenate([correlation[-largest_lag:], correlation[:largest_lag + 1]])
    peak = int(near.argmax())
    return peak - largest_lag if near[peak] >= LEAST_PEAK else 0
