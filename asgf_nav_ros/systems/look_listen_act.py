# SPDX-License-Identifier: Apache-2.0
"""Gan et al., "Look, Listen, and Act": hear where the source is, plan there on the map so far."""

from __future__ import annotations

import dataclasses

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import start_frame
from asgf_nav_ros.mapping.planner import plan
from asgf_nav_ros.mapping.planner import wander
from asgf_nav_ros.systems.locating_navigator import LocatingNavigator

NEW_SHARE = 0.5  # of the newest estimate in the believed place of the source


@dataclasses.dataclass
class _Search:
    """One agent's episode; ``source_m`` (2,) is where it believes the source, start frame."""

    lattice: Lattice
    rng: np.random.Generator
    source_m: np.ndarray | None = None


class LookListenAct(LocatingNavigator[_Search]):
    """Regresses the source's place at every step, and stops where it is under half a step away."""

    def _search(self, lattice: Lattice, rng: np.random.Generator) -> _Search:
        return _Search(lattice, rng)

    def _decide(self, search: _Search, depth: np.ndarray, moved: bool,
                offset_m: np.ndarray, at_goal: float) -> Action:
        lattice, step_m = search.lattice, self.contract.forward_step_m
        lattice.observe(depth, moved=moved)
        heard_m = (np.array(lattice.state[:2]) * step_m
                   + start_frame(offset_m, lattice.state.heading))
        believed_m = heard_m if search.source_m is None else search.source_m
        search.source_m = believed_m + NEW_SHARE * (heard_m - believed_m)
        goal = tuple(np.rint(search.source_m / step_m).astype(int).tolist())
        if goal == lattice.state[:2]:
            return Action.STOP
        way = plan(lattice, goal)
        return lattice.take(way[0] if way else wander(lattice, search.rng))
