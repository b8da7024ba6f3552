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
LEAST_CHANGE_DB = 4.0  # of the level differences, root mean square: less is a source ahead
MIRRORED = 0.1  # of that change, in square, may be left when the sides are exchanged


class Profile(NamedTuple):
    """What tells the ears apart in a piece of sound.

    difference_db : (BANDS,) by which the left ear is louder, band by band.
    weight : (BANDS,) how much each band counts; the sum is 1.
    """

    difference_db: np.ndarray
    weight: np.ndarray

    def is_mirror_of(self, other: Profile) -> bool:
        """Whether it is the same but for the side."""
        weight = np.minimum(self.weight, other.weight)
        weight = weight / weight.sum()
        change = float(weight @ np.square(self.difference_db - other.difference_db))
        left_over = float(weight @ np.square(self.difference_db + other.difference_db))
        return change >= LEAST_CHANGE_DB ** 2 and left_over < MIRRORED * change


class EarSwap:
    """Compares pieces of ``PIECE_S`` with the two before: one may hold the moment of the swap.

    The direction of the strongest sound is too little to go by: in a room its echoes come from
    the other side as often as not. The level differences of many bands are the room's own, and
    are exchanged by nothing but a swap.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._samples = round(PIECE_S * sample_rate_hz)
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
        profile = profile_of(np.concatenate(self._chunks, axis=1))
        self._chunks = []
        swapped = profile is not None and any(
            known is not None and profile.is_mirror_of(known) for known in self._profiles)
        if swapped:
            self._profiles.clear()
        self._profiles.append(profile)
        return swapped


def profile_of(audio: np.ndarray) -> Profile | None:
    """The ears' level differences in (2, n) float32; None where one of them hears nothing."""
    spectrum = np.fft.rfft(audio * np.hanning(audio.shape[1]))
    power = np.square(np.abs(spectrum))
    edges = np.unique(np.geomspace(LOWEST_BIN, power.shape[1], BANDS + 1).astype(int))
    bands = np.add.reduceat(power[:, :edges[-1]], edges[:-1], axis=1)
    if not bands.all():
        return None
    weight = bands.sum(axis=0) ** LOUDNESS_EXPONENT
    left, right = bands
    return Profile(10 * np.log10(left / right), weight / weight.sum())
