# SPDX-License-Identifier: Apache-2.0
"""Where in an episode the policy would have liked to stop, while it heard something."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.inference.goal_belief import NEAR_M

LIKELY = 0.05  # probability of STOP under which a place is none to stop at
PATIENCE = 60  # decisions without a likelier place, after which the likeliest is gone back to

Node = tuple[int, int]  # of the lattice, in steps from the start


class LikelyStops:
    """Keeps the greatest probability of STOP at every node."""

    def __init__(self) -> None:
        self._probability: dict[Node, float] = {}
        self._likeliest: Node | None = None
        self._greatest = LIKELY  # probability, of the likeliest or at least to be one
        self._unbeaten = 0  # decisions since then

    def see(self, node: Node, probability: float, *, heard: bool) -> None:
        """Take in one decision; what a policy says of STOP where it hears nothing is a guess."""
        self._unbeaten += 1
        if not heard:
            return
        if probability >= self._greatest:
            self._likeliest, self._greatest, self._unbeaten = node, probability, 0
        self._probability[node] = max(probability, self._probability.get(node, 0.0))

    def overdue(self) -> Node | None:
        """The likeliest node, if there has been no likelier one for long."""
        return self._likeliest if self._unbeaten >= PATIENCE else None

    def near(self, place_m: np.ndarray, step_m: float) -> Node | None:
        """The likeliest node around a place (2,), metres, if one there is likely at all."""
        x_m, y_m = (float(value) for value in place_m)
        around = [node for node in self._probability
                  if np.hypot(node[0] * step_m - x_m, node[1] * step_m - y_m) <= NEAR_M]
        best = max(around, key=self._probability.__getitem__, default=None)
        return best if best is not None and self._probability[best] >= LIKELY else None
