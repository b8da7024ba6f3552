# SPDX-License-Identifier: Apache-2.0
"""Which windows of a stream are worth a spectrogram: one at rest, then one each hop."""

from __future__ import annotations

import math

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.listening_window import Window


class WindowSchedule:
    """Asks a ``ListeningWindow`` for windows, each ``period_s`` after the one before.

    Once ``rest`` was told, the next window starts after that time. As soon as there is such a
    window it is the newest one that is taken: it ends with the last sample that has come, so a
    decision waits for no block and is made on nothing older than what there is.
    """

    def __init__(self, contract: PolicyContract, *, period_s: float) -> None:
        """Hop by ``period_s`` between the starts of windows."""
        if not (period_s > 0 and math.isfinite(period_s)):
            raise ValueError(f'period_s must be positive and finite, got {period_s}')
        self._window_s, self._period_s = contract.window_s, period_s
        self.reset()

    def reset(self) -> None:
        """Begin with the oldest audio that there is."""
        self._next_start_s = 0.0
        self._resting = True
        self._rest_since_s = -math.inf

    def move(self) -> None:
        """No window is worth anything until ``rest``: the robot's motors are heard."""
        self._resting = False

    def rest(self, since_s: float) -> None:
        """The robot stands still since this time."""
        if not self._resting or since_s != self._rest_since_s:
            self._next_start_s = since_s
        self._resting, self._rest_since_s = True, since_s

    def due(self, listening: ListeningWindow) -> Window | None:
        """The newest window, once one is whole that starts late enough."""
        if not self._resting:
            return None
        window = listening.newest_after(self._next_start_s)
        if window is not None:
            self._next_start_s = window.end_s - self._window_s + self._period_s
        return window
