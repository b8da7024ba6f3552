# SPDX-License-Identifier: Apache-2.0
"""Whether what is heard can be the goal: it began as the goal alone.

A robot is sent to the sound that it hears when it is sent; a second one that sets in later may be
louder where it is. Nearby, hardly anything but the near source is heard, and a spectrum that is
not the goal's tells that the source is not the goal. How unlike the goal's own windows are to
each other is allowed for: speech and music change, a telephone does not. Nothing is said where
the beginning says little: it was noise, or so faint that few frequencies were heard.
"""

from __future__ import annotations

import itertools

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.heard_spectrum import level_db
from asgf_nav_ros.inference.heard_spectrum import likeness
from asgf_nav_ros.inference.heard_spectrum import magnitudes

_MIXED = 0.06  # less like the goal than it is like itself: not the goal alone
_ANOTHER = 0.18  # so much less: another sound
_CLEAR_DB = 30.0  # loudest bin over the median one, under which a beginning is mostly noise
_FAINT_DB = 40.0  # how much louder than the beginning a window may be to be compared with it


class GoalLikeness:
    """Compares every window of an episode with its first ones."""

    def __init__(self, contract: PolicyContract) -> None:
        """``contract.goal_windows`` windows are the goal's; none: nothing is ever said."""
        self._contract = contract
        self.begin()

    def begin(self) -> None:
        """Forget the episode."""
        self._first: list[np.ndarray] = []  # (bins,) mean magnitudes
        self._goal = np.zeros(0, np.float32)
        self._own = 1.0  # least likeness among the goal's own windows
        self.mixed = False  # whether more than the goal was heard last
        self.another = False  # whether it was another sound

    def hear(self, spectrogram: np.ndarray) -> None:
        """Take in a window, (bins, frames, channels) float32 of log1p of magnitudes."""
        self.mixed = self.another = False
        windows = self._contract.goal_windows
        if not windows:
            return
        spectrum = magnitudes(spectrogram, self._contract).mean((1, 2))
        if len(self._first) < windows:
            self._first.append(spectrum)
            self._goal = np.mean(self._first, axis=0)
            self._own = min((likeness(*pair) for pair in itertools.combinations(self._first, 2)),
                            default=1.0)
        elif self._comparable(spectrum):
            alike = likeness(self._goal, spectrum)
            self.mixed, self.another = alike < self._own - _MIXED, alike < self._own - _ANOTHER

    def _comparable(self, spectrum: np.ndarray) -> bool:
        clear_db = level_db(self._goal.max()) - level_db(np.median(self._goal))
        louder_db = level_db(spectrum.mean()) - level_db(self._goal.mean())
        return clear_db >= _CLEAR_DB and louder_db <= _FAINT_DB
