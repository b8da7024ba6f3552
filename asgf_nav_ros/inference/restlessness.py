# SPDX-License-Identifier: Apache-2.0
"""Draw actions so that a robot which goes in circles gets out of them.

A policy that hears next to nothing may walk up and down the same few metres for hundreds of
steps. Where it has decided often, its moves are drawn more evenly and lead to where it has been
less; when to stop remains its own decision.
"""

from __future__ import annotations

import collections
import math

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import MOTION_BLOCKED
from asgf_nav_ros.contract import MOTION_POSITION
from asgf_nav_ros.contract import MOTION_POSITION_SCALE_M
from asgf_nav_ros.contract import MOTION_YAW
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.choice import choose
from asgf_nav_ros.inference.choice import tempered

DEPLOYED_RESTLESSNESS = 3.0
PATIENCE = 5  # decisions in one place before anything changes
GROWTH = 4  # further ones until the full effect; it then doubles
HIGHEST_TEMPERATURE = 2.0
BLOCKED_VISITS = 3  # that a step which did not go ahead counts for


def position_m(motion: np.ndarray) -> np.ndarray:
    """Where the robot is, (2,) metres from the start, by motion features (MOTION_FEATURES,)."""
    return motion[MOTION_POSITION] * MOTION_POSITION_SCALE_M


class Restlessness:
    """One episode's places, counted in squares of a step, in the frame of its start."""

    def __init__(self, contract: PolicyContract, strength: float = DEPLOYED_RESTLESSNESS) -> None:
        """Args: strength 0 changes nothing; nothing changes without odometry either.

        Raises:
            ValueError: a strength that is negative or not finite.
        """
        if not 0 <= strength < math.inf:
            raise ValueError(f'restlessness must be 0 or more, got {strength}')
        self._strength = strength if contract.odometry else 0.0
        self._step_m, self._turn_rad = contract.forward_step_m, contract.turn_rad
        self._actions = [Action[name] for name in contract.actions]
        self.begin()

    def begin(self) -> None:
        """Forget the episode."""
        self._visits: collections.Counter[tuple[int, int]] = collections.Counter()

    def choose(self, probabilities: np.ndarray, motion: np.ndarray | None, *,
               temperature: float, rng: np.random.Generator | None) -> int:
        """Index of an action, as ``choice.choose`` where the robot is not going in circles.

        Args:
            probabilities: (actions,) float32, sum 1.
            motion: (MOTION_FEATURES,) float32 of this decision; None for policies without.
            temperature: 0 takes the most probable action, come what may.
            rng: needed when temperature is over 0.
        """
        if not self._strength or not temperature > 0 or motion is None or rng is None:
            return choose(probabilities, temperature=temperature, rng=rng)
        urge = self._urge(motion)
        if not urge:
            return choose(probabilities, temperature=temperature, rng=rng)
        return int(rng.choice(len(probabilities), p=self._driven(
            probabilities, motion, temperature, urge)))

    def _urge(self, motion: np.ndarray) -> float:
        """Count this decision; 0 while the robot has not been here often."""
        if motion[MOTION_BLOCKED] > 0:
            self._visits[self._ahead(motion, 0.0)] += BLOCKED_VISITS
        here = self._square(position_m(motion))
        self._visits[here] += 1
        return self._strength * min(max(0, self._visits[here] - PATIENCE) / GROWTH, 2.0)

    def _driven(self, probabilities: np.ndarray, motion: np.ndarray, temperature: float,
                urge: float) -> np.ndarray:
        stays = np.array([action == Action.STOP for action in self._actions])
        stop = tempered(probabilities, temperature)[stays].sum()
        hotter = max(temperature, min(HIGHEST_TEMPERATURE, temperature * (1 + urge)))
        moves = tempered(probabilities[~stays], hotter)
        visits = np.array([self._visits[self._ahead(motion, self._turned_rad(action))]
                           for action in self._actions if action != Action.STOP])
        moves = moves * (1.0 + visits) ** -urge
        driven = np.empty(len(probabilities))
        driven[stays] = stop / max(stays.sum(), 1)
        driven[~stays] = (1 - stop) * moves / moves.sum()
        return driven / driven.sum()

    def _turned_rad(self, action: Action) -> float:
        return {Action.TURN_LEFT: self._turn_rad,
                Action.TURN_RIGHT: -self._turn_rad}.get(action, 0.0)

    def _ahead(self, motion: np.ndarray, turned_rad: float) -> tuple[int, int]:
        """The square a step ahead, after a turn on the spot."""
        cosine, sine = motion[MOTION_YAW]
        yaw_rad = math.atan2(sine, cosine) + turned_rad
        step_m = self._step_m * np.array([math.cos(yaw_rad), math.sin(yaw_rad)])
        return self._square(position_m(motion) + step_m)

    def _square(self, place_m: np.ndarray) -> tuple[int, int]:
        return round(float(place_m[0]) / self._step_m), round(float(place_m[1]) / self._step_m)
