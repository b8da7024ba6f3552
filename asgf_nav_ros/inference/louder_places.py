# SPDX-License-Identifier: Apache-2.0
"""How loud it was where the robot has just been: a goal that was passed by is left behind.

A policy may be half sure at the goal, take one more step, and be sure there that it has to stop.
A step away from a source it is fainter by some decibels: then the node before was the goal's.
"""

from __future__ import annotations

from asgf_nav_ros.inference.likely_stops import Node
from asgf_nav_ros.mapping.lattice import AHEAD

_LEAST_DB = 1.5  # that a goal is louder than the node beside it
_MOST_DB = 8.0  # more is no step: one of both windows lacked sound
_RECENT = 8  # decisions
_LIKELY = 0.05  # probability of STOP at a node to go back to


class LouderPlaces:
    """Keeps the last levels and probabilities of STOP at every node."""

    def __init__(self) -> None:
        self._heard: dict[Node, list[tuple[int, float, float]]] = {}
        self._decision = 0

    def see(self, node: Node, level_db: float, stop_probability: float, *, heard: bool) -> None:
        """Take in one decision; windows in which nothing is heard are left out."""
        self._decision += 1
        if heard:
            self._heard.setdefault(node, []).append((self._decision, level_db, stop_probability))

    def louder_beside(self, node: Node) -> Node | None:
        """The loudest neighbour of a node, if it is so much louder that the goal is there."""
        here = max((level for _, level, _ in self._heard.get(node, ())), default=None)
        if here is None:
            return None
        x, y = node
        levels = {beside: self._level(beside, here) for beside in
                  ((x + dx, y + dy) for dx, dy in AHEAD)}
        loudest = max(levels, key=levels.__getitem__)
        return loudest if levels[loudest] > here + _LEAST_DB else None

    def _level(self, node: Node, here: float) -> float:
        """The greatest level at a node that may be the goal's, or ``here`` if it cannot be."""
        visits = self._heard.get(node, ())
        if max((stop for _, _, stop in visits), default=0.0) < _LIKELY:
            return here
        return max((level for decision, level, _ in visits
                    if decision >= self._decision - _RECENT and level < here + _MOST_DB),
                   default=here)
