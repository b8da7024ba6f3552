# SPDX-License-Identifier: Apache-2.0
"""Times of samples by counting them, held to the computer's clock without its jitter."""

from __future__ import annotations

import math

# A block never arrives before its last sample was taken, but often later. So the least delayed
# blocks tell the time, and the count of samples carries it from one to the next. What drivers
# report as their own delay is not used: through sound servers it was seen to be off by 0.6 s,
# and to change by as much in mid-stream.
_MOST_SLEW = 0.005  # of the time that passes, towards earlier arrivals; listeners follow 2 %
_LEAK = 0.0005  # towards later arrivals: two crystals differ by less
_LOST_S = 0.1  # later than this all the time: samples were lost
_LOST_FOR_S = 1.0
# Earlier than this: all that was learned from came late, as what piled up while nobody read it.
_AHEAD_S = 0.1
_MOST_LEARNING_S = 4.0  # where blocks come in heaps, one of these must end in it


class SampleClock:
    """Stamps blocks of a stream in the time of their arrivals.

    The first ``learning_s`` of a stream get no stamps: the earliest arrival is looked for.
    """

    def __init__(self, rate_hz: float, *, learning_s: float = 0.5) -> None:
        """Count samples of ``rate_hz`` and learn for ``learning_s``.

        Raises:
            ValueError: one of them is not positive and finite.
        """
        for name, value in (('rate_hz', rate_hz), ('learning_s', learning_s)):
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f'{name} must be positive and finite, got {value}')
        self._rate_hz = rate_hz
        self._learning_s = learning_s
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self._count = 0
        self._offset_s = math.inf  # time at which sample 0 was taken
        self._late_s = 0.0  # how long every block has been much too late
        self._ran_ahead = False

    @property
    def ran_ahead(self) -> bool:
        """Whether a block came before its samples were taken by this clock: it must learn anew."""
        return self._ran_ahead

    @property
    def lost_samples(self) -> bool:
        """Whether blocks have arrived too late for a second: the count is no longer right."""
        return self._late_s >= _LOST_FOR_S

    def push(self, samples: int, arrival_s: float) -> float | None:
        """Count a block and return the time of its first sample; None if that is not known.

        Args:
            samples: length of the block.
            arrival_s: when it came, by a clock that never jumps.
        """
        start, self._count = self._count, self._count + samples
        offset_s = arrival_s - self._count / self._rate_hz
        if self._count / self._rate_hz <= self._learning_s:
            self._offset_s = min(self._offset_s, offset_s)
            return None
        block_s, late_s = samples / self._rate_hz, offset_s - self._offset_s
        self._late_s = self._late_s + block_s if late_s > _LOST_S else 0.0
        if late_s < -_AHEAD_S:
            self._ran_ahead = True
            self._learning_s = min(2 * self._learning_s, _MOST_LEARNING_S)
        if self._ran_ahead:
            return None
        stamp_s = self._offset_s + start / self._rate_hz
        self._offset_s += min(max(late_s, -_MOST_SLEW * block_s), _LEAK * block_s)
        return stamp_s
