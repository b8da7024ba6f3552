# SPDX-License-Identifier: Apache-2.0
"""The sample rate by the stamps of chunks, whatever the driver claims."""

from __future__ import annotations

import collections
import math

import numpy as np

TOLERANCE = 0.02  # 44.1 and 48 kHz differ by 9 %, honest crystals by 0.02 %
_SPAN_S = 1.0  # of chunks that are looked at
_EVERY_S = 0.1
_MIN_STEPS = 3


class StampRate:
    """Compares how far the stamps advance with how many samples came, over about a second.

    Single lost chunks do not count: a step between stamps that is off by more than the jitter,
    compared with the usual step, is left out.
    """

    def __init__(self, rate_hz: float, *, jitter_s: float) -> None:
        self._rate_hz = rate_hz
        self._jitter_s = jitter_s
        # The rate is known to (2 jitter / span), which must be well within the tolerance.
        self._span_s = max(_SPAN_S, 4 * jitter_s / TOLERANCE)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a jump of the clock."""
        self._chunks: collections.deque[tuple[float, float]] = collections.deque()
        self._nominal_s = 0.0  # what the chunks last at the wanted rate
        self._unmeasured_s = 0.0
        self.measured_hz = math.nan

    @property
    def is_wrong(self) -> bool:
        """Whether the stamps say clearly that the rate is another."""
        return abs(self.measured_hz / self._rate_hz - 1) > TOLERANCE

    def push(self, stamp_s: float, samples: int) -> None:
        """Take the stamp of a chunk's first sample and its length."""
        self._chunks.append((stamp_s, samples / self._rate_hz))
        self._nominal_s += samples / self._rate_hz
        self._unmeasured_s += samples / self._rate_hz
        while (len(self._chunks) > _MIN_STEPS + 1
               and self._nominal_s - self._chunks[0][1] >= self._span_s):
            self._nominal_s -= self._chunks.popleft()[1]
        enough = len(self._chunks) > _MIN_STEPS and self._nominal_s >= self._span_s
        if enough and self._unmeasured_s >= _EVERY_S:
            self._unmeasured_s = 0.0
            self._measure()

    def _measure(self) -> None:
        stamps, nominal = np.array(self._chunks).T
        steps, nominal = np.diff(stamps), nominal[:-1]
        late = steps - nominal
        usual = np.abs(late - np.median(late)) <= 2 * self._jitter_s
        elapsed_s = steps[usual].sum()
        self.measured_hz = (
            self._rate_hz * nominal[usual].sum() / elapsed_s if elapsed_s > 0 else math.inf)
