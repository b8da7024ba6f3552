# SPDX-License-Identifier: Apache-2.0
"""Where a policy with a map believes the goal to be, read out of what it carries on.

The last ``belief_cells`` squared numbers of its memory are that map, see
``network.belief_map``: log odds of each metre of floor in the frame where the episode began.
"""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.contract import BELIEF_CELL_M
from asgf_nav_ros.contract import BELIEF_FAR_COST
from asgf_nav_ros.contract import PolicyContract

NEAR_M = 1.6  # what counts as one place
_QUIET_NATS = 0.25  # typical change of a cell: less is no news
_LIKELY = -6.0  # nats under the likeliest cell: changes of others are no news
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
        self._log_odds = np.zeros(self._size, np.float32)
        self._belief = self._normalised()
        self.quiet = 0  # decisions since the last news, or since something was heard

    def see(self, hidden: np.ndarray, *, heard: bool) -> None:
        """Take in what the policy carries on, (hidden_size,) float32, after a decision.

        A map that is sure of one place does not change any more, whatever the robot hears: it is
        quiet only where the ears hear nothing either.
        """
        log_odds = hidden[-self._size:]
        likely = np.maximum(log_odds, self._log_odds) > _LIKELY
        change = log_odds[likely] - self._log_odds[likely]
        news = heard or np.std(change) >= _QUIET_NATS
        self.quiet = 0 if news else self.quiet + 1
        self._log_odds = log_odds.copy()
        self._belief = self._normalised()

    def _normalised(self) -> np.ndarray:
        odds = np.exp(self._log_odds + self._prior)
        return odds / odds.sum()

    def mass_near(self, place_m: np.ndarray) -> float:
        """Probability that the goal is within 1.6 m of a place (2,), metres."""
        return float(self._belief[np.hypot(*(self._places - place_m).T) <= NEAR_M].sum())

    def likeliest(self) -> tuple[np.ndarray, float]:
        """The place (2,), metres, with most probability around it, and how much there is."""
        top = np.argsort(self._belief)[-8:]
        masses = [self.mass_near(self._places[index]) for index in top]
        best = self._places[top[int(np.argmax(masses))]]
        near = np.hypot(*(self._places - best).T) <= NEAR_M
        weights = self._belief[near]
        return weights @ self._places[near] / weights.sum(), float(max(masses))
