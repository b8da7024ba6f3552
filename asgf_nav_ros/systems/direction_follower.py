# SPDX-License-Identifier: Apache-2.0
"""Direction Follower: walk a little way towards where the sound comes from, listen again."""

from __future__ import annotations

import collections
import dataclasses
import math

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import start_frame
from asgf_nav_ros.mapping.planner import plan
from asgf_nav_ros.mapping.planner import wander
from asgf_nav_ros.systems.locating_navigator import LocatingNavigator

GOAL_STEPS = 2  # K of the definition
LEG_ACTIONS = 10
STOP_PROBABILITY = 0.5
_WORN = 3  # times that a node may be the goal
_STRAY_RAD, _DRAWS = 0.8, 4


@dataclasses.dataclass
class _Search:
    """One agent's episode: its lattice, its intermediate goal, and how often each was one."""

    lattice: Lattice
    rng: np.random.Generator
    goal: tuple[int, int] | None = None
    goals: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    actions_left: int = 0


class DirectionFollower(LocatingNavigator[_Search]):
    """Sets a goal ``GOAL_STEPS`` along the direction of arrival; a classifier says when to stop.

    A new goal is set where the old one is reached, cannot be come nearer to, takes over
    ``LEG_ACTIONS``, or a step towards it was blocked.
    """

    def _search(self, lattice: Lattice, rng: np.random.Generator) -> _Search:
        return _Search(lattice, rng)

    def _decide(self, search: _Search, depth: np.ndarray, moved: bool, direction: np.ndarray,
                at_goal: float) -> Action:
        lattice = search.lattice
        bumped = lattice.observe(depth, moved=moved)
        if at_goal > STOP_PROBABILITY:
            return Action.STOP
        if bumped or search.goal == lattice.state[:2] or not search.actions_left:
            search.goal = None
        way = plan(lattice, search.goal) if search.goal else []
        if not way:
            search.goal = _goal_along(search, direction)
            search.actions_left = LEG_ACTIONS
            way = plan(lattice, search.goal)
        search.actions_left -= 1
        return lattice.take(way[0] if way else wander(lattice, search.rng))


def _goal_along(search: _Search, direction: np.ndarray) -> tuple[int, int]:
    """The node nearest to ``GOAL_STEPS`` along an egocentric direction (2,).

    A node that was the goal again and again is missed by a random angle, which ends circling.
    """
    state = search.lattice.state
    x, y = start_frame(direction, state.heading)
    azimuth_rad = math.atan2(y, x)
    for _ in range(_DRAWS):
        goal = (state.x + round(GOAL_STEPS * math.cos(azimuth_rad)),
                state.y + round(GOAL_STEPS * math.sin(azimuth_rad)))
        if search.goals[goal] < _WORN:
            break
        azimuth_rad = math.atan2(y, x) + search.rng.normal(0, _STRAY_RAD)
    search.goals[goal] += 1
    return goal
