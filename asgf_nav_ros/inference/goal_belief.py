# SPDX-License-Identifier: Apache-2.0
"""Where a policy with a map believes the goal to be, read out of what it carries on.

The last ``belief_cells`` squared numbers of its memory are that map, see
``network.belief_map``: log odds of each metre of floor in the frame where the episode began.
What they become by windows that are not the goal's alone is left out here, and so are places
where another sound was found.
"""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.contract import BELIEF_CELL_M
from asgf_nav_ros.contract import BELIEF_FAR_COST
from asgf_nav_ros.contract import PolicyContract

NEAR_M = 1.6  # what counts as one place
_QUIET_NATS = 0.25  # typical change of a cell: less is no news
_LIKELY = -6.0  # nats under the likeliest cell: changes of others are no news
_LEAST = -12.0  # nats under the likeliest cell, as the policy has it
QUIET = 3  # decisions without news before a goal counts as silent


class GoalBelief:
    """Follows the map of one episode."""

    def __init__(self, contract: PolicyContract) -> None:
        """Raises: ValueError: the contract has no map."""
        if not contract.belief_cells:
            raise ValueError('a goal belief needs a contract with belief_cells, got 0')
        self._size = contract.belief_size
        axis = (np.arange(contract.belief_cells) - contract.belief_cells // 2) * BELIEF_CELL_M
        self._places = np.stack(np.meshgrid(axis, axis, indexing='ij'), -1).reshape(-1, 2)
        self._prior = -BELIEF_FAR_COST * np.hypot(*self._places.T)
        self.begin()

    def begin(self) -> None:
        """Forget the episode."""
        self._log_odds = np.zeros(self._size, np.float32)  # as the policy has them
        self._own = np.zeros(self._size, np.float32)  # without windows that are not the goal's
        self._ruled_out = np.zeros(self._size, bool)
        self._belief = self._normalised()
        self.quiet = 0  # decisions since the last news, or since something was heard

    def see(self, hidden: np.ndarray, *, heard: bool, goal_alone: bool = True) -> None:
        """Take in what the policy carries on, (hidden_size,) float32, after a decision.

        What a window changes counts only if the goal may have been heard alone in it.

        A map that is sure of one place does not change any more, whatever the robot hears: it is
        quiet only where the ears hear nothing either.
        """
        log_odds = hidden[-self._size:]
        likely = np.maximum(log_odds, self._log_odds) > _LIKELY
        change = log_odds[likely] - self._log_odds[likely]
        news = heard or np.std(change) >= _QUIET_NATS
        self.quiet = 0 if news else self.quiet + 1
        if goal_alone:
            own = self._own + log_odds - self._log_odds
            self._own = np.maximum(own - own.max(), _LEAST)
        self._log_odds = log_odds.copy()
        self._belief = self._normalised()

    def rule_out(self, place_m: np.ndarray) -> None:
        """Take the goal for elsewhere than within 1.6 m of a place (2,), metres."""
        self._ruled_out |= self._near(place_m)
        self._belief = self._normalised()

    def _normalised(self) -> np.ndarray:
        odds = np.exp(self._own + self._prior + np.where(self._ruled_out, _LEAST, 0.0))
        return odds / odds.sum()

    def _near(self, place_m: np.ndarray) -> np.ndarray:
        return np.hypot(*(self._places - place_m).T) <= NEAR_M

    def mass_near(self, place_m: np.ndarray) -> float:
        """Probability that the goal is within 1.6 m of a place (2,), metres."""
        return float(self._belief[self._near(place_m)].sum())

    def likeliest(self) -> tuple[np.ndarray, float]:
        """The place (2,), metres, with most probability around it, and how much there is."""
        top = np.argsort(self._belief)[-8:]
        masses = [self.mass_near(self._places[index]) for index in top]
        best = self._places[top[int(np.argmax(masses))]]
        near = self._near(best)
        weights = self._belief[near]
        return weights @ self._places[near] / weights.sum(), float(max(masses))
