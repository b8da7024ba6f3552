# SPDX-License-Identifier: Apache-2.0
"""Notices a base that is told to move and does not."""

from __future__ import annotations

import math

# Less than this share of the commanded distance in a whole period is no progress.
LEAST_SHARE = 0.2
# Periods in which less than this share of full speed was commanded say nothing: the end of an
# action is slow on purpose.
LEAST_COMMAND_SHARE = 0.05


class ProgressWatch:
    """Compares commanded with travelled distance over periods of ``period_s``."""

    def __init__(self, full_speed: float, period_s: float) -> None:
        self._least_command = LEAST_COMMAND_SHARE * full_speed * period_s
        self._period_s = period_s
        self._began_s = math.inf
        self.stalled = False

    def add(self, commanded: float, progress: float, now_s: float) -> None:
        """Take the distance commanded for this tick and the progress of the action so far."""
        if self._began_s == math.inf:
            self._begin(progress, now_s)
        self._commanded += commanded
        if now_s - self._began_s < self._period_s:
            return
        travelled = (progress - self._progress) * math.copysign(1.0, self._commanded)
        self.stalled = (abs(self._commanded) > self._least_command
                        and travelled < LEAST_SHARE * abs(self._commanded))
        self._begin(progress, now_s)

    def _begin(self, progress: float, now_s: float) -> None:
        self._began_s, self._progress, self._commanded = now_s, progress, 0.0
