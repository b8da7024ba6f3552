# SPDX-License-Identifier: Apache-2.0
"""How much of what may be spent on learning is spent."""

from __future__ import annotations

import time
from typing import Callable


class Budget:
    """So many samples, and so many minutes at most; what is nearer to its end counts."""

    def __init__(self, samples: int, minutes: float | None = None, *,
                 clock: Callable[[], float] = time.monotonic) -> None:
        if minutes is not None and not minutes > 0:
            raise ValueError(f'minutes must be positive, got {minutes}')
        self._samples, self._minutes, self._clock = samples, minutes, clock
        self._began_s: float | None = None

    def progress(self, samples: int) -> float:
        """Share that is spent after ``samples``; 1 and more is the end. Time runs from here on."""
        now_s = self._clock()
        if self._began_s is None:
            self._began_s = now_s
        of_samples = samples / self._samples
        if self._minutes is None:
            return of_samples
        return max(of_samples, (now_s - self._began_s) / (60 * self._minutes))

    @property
    def spent_s(self) -> float:
        """Time since the first ``progress``, seconds."""
        return 0.0 if self._began_s is None else self._clock() - self._began_s

    def go_on(self, spent_s: float) -> None:
        """Let time run from here on, with so much of it spent already."""
        self._began_s = self._clock() - spent_s
