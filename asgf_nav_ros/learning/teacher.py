# SPDX-License-Identifier: Apache-2.0
"""The shortest-path oracle as a DAgger teacher: who acts, and what a step teaches."""

from __future__ import annotations

import dataclasses

import numpy as np

from asgf_nav_ros.contract import Action


@dataclasses.dataclass(frozen=True, kw_only=True)
class Teacher:
    """Mixes the oracle's actions into the student's.

    Whole episodes are the oracle's with a probability that falls from 1 to 0 over the first
    ``guided_fraction`` of the budget; later single steps are, with ``oracle_steps``. A wrong STOP
    is replaced, a missed STOP is forced with ``forced_stop``.
    """

    guided_fraction: float = 0.2
    oracle_steps: float = 0.1
    forced_stop: float = 0.5

    def guides(self, progress: float, rng: np.random.Generator) -> bool:
        """Decide whether the oracle drives a whole new episode, at ``progress`` in [0, 1]."""
        return rng.random() < max(0.0, 1.0 - progress / self.guided_fraction)

    def choose(self, student: np.ndarray, right: np.ndarray, guided: np.ndarray,
               rng: np.random.Generator, *, stop: int = Action.STOP) -> np.ndarray:
        """Choices (N,) to carry out; where the teacher knows none, the student's own.

        Args:
            student: (N,) the student's choices.
            right: (N, choices) bool, what the teacher would choose.
            guided: (N,) bool, whose whole episode is the teacher's.
            rng: draws who acts, and among right choices.
            stop: the choice that ends an episode.
        """
        oracle = (right * rng.random(right.shape)).argmax(axis=1)
        at_goal = right[:, stop]
        takes_over = guided | (rng.random(len(student)) < self.oracle_steps)
        takes_over |= (student == stop) & ~at_goal
        takes_over |= at_goal & (rng.random(len(student)) < self.forced_stop)
        return np.where(takes_over & right.any(axis=1), oracle, student)
