# SPDX-License-Identifier: Apache-2.0
"""Fewest primitive actions over the lattice as far as it is known."""

from __future__ import annotations

import heapq
import math

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import ahead_of
from asgf_nav_ros.mapping.lattice import HEADINGS
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import State
from asgf_nav_ros.mapping.lattice import turned

_MARGIN = 8  # steps that a way may lead out of the box of what is known
_DOUBT = 20  # actions of detour that are preferred to a doubtful step


def plan(lattice: Lattice, goal: tuple[int, int]) -> list[Action]:
    """Plan from where the robot stands to the node ``goal``, turns and steps alike costing one.

    Unknown steps count as open. Those that look obstructed or failed once are costly, for maps
    err and wheels slip; those that failed twice are closed. So the robot comes nearer with
    every plan or learns of a closed step, of which there are finitely many. Where no way is
    left, the plan leads to the reachable node nearest to the goal.

    Returns:
        The actions, none where the robot is at the goal or can come no nearer.
    """
    start, goal = lattice.state, tuple(goal)
    low, high = _box(lattice, goal)
    came: dict[State, tuple[State, Action] | None] = {start: None}
    cost = {start: 0}
    frontier = [(_least_actions(start, goal), 0, start)]
    closed: set[State] = set()
    while frontier:
        _, _, state = heapq.heappop(frontier)
        if state[:2] == goal:
            return retraced(came, state)
        if state in closed:
            continue
        closed.add(state)
        for action, after, price in _moves(state, lattice):
            spent = cost[state] + price
            inside = low[0] <= after.x <= high[0] and low[1] <= after.y <= high[1]
            if inside and spent < cost.get(after, math.inf):
                cost[after], came[after] = spent, (state, action)
                # Of equal estimates the farthest is taken first: the open floor has many.
                heapq.heappush(frontier, (spent + _least_actions(after, goal), -spent, after))
    nearest = min(closed, key=lambda state: (_squared(state, goal), cost[state]))
    return retraced(came, nearest) if nearest[:2] != start[:2] else []


def _moves(state: State, lattice: Lattice) -> list[tuple[Action, State, int]]:
    """Actions that are possible, the states after them and their prices."""
    moves = [(action, turned(state, action), 1)
             for action in (Action.TURN_LEFT, Action.TURN_RIGHT)]
    if not lattice.closed(state):
        price = 1 + _DOUBT if lattice.doubtful(state) else 1
        moves.append((Action.MOVE_FORWARD, State(*ahead_of(state), state.heading), price))
    return moves


def _least_actions(state: State, goal: tuple[int, int]) -> int:
    """Actions that are needed even on an empty floor."""
    dx, dy = goal[0] - state.x, goal[1] - state.y
    wanted = [heading for heading, needed in enumerate((dx > 0, dy > 0, dx < 0, dy < 0)) if needed]
    turns = [min((heading - state.heading) % HEADINGS, (state.heading - heading) % HEADINGS)
             for heading in wanted]
    return abs(dx) + abs(dy) + min(turns, default=0) + (len(wanted) > 1)


def retraced(came: dict[State, tuple[State, Action] | None], state: State) -> list[Action]:
    """Actions to ``state`` from where a search began; ``came`` is how it reached each state."""
    actions = []
    while (step := came[state]) is not None:
        state, action = step
        actions.append(action)
    return actions[::-1]


def _box(lattice: Lattice, goal: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Bounds of the search: an unreachable goal must not lead it across the endless plain."""
    xs, ys = zip(*lattice.visited, goal)
    return ((min(xs) - _MARGIN, min(ys) - _MARGIN), (max(xs) + _MARGIN, max(ys) + _MARGIN))


def _squared(state: State, goal: tuple[int, int]) -> int:
    return (state.x - goal[0]) ** 2 + (state.y - goal[1]) ** 2


def leads_on(lattice: Lattice, way: list[Action]) -> bool:
    """Tell whether no step of a plan, from where the robot stands, has become doubtful."""
    state = lattice.state
    for action in way:
        if action is Action.MOVE_FORWARD:
            if lattice.doubtful(state):
                return False
            state = State(*ahead_of(state), state.heading)
        else:
            state = turned(state, action)
    return bool(way)


def wander(lattice: Lattice, rng: np.random.Generator) -> Action:
    """Draw a turn, or a step where it is not closed: the way out of a dead end."""
    actions = [Action.TURN_LEFT, Action.TURN_RIGHT]
    if not lattice.closed(lattice.state):
        actions.append(Action.MOVE_FORWARD)
    return actions[rng.integers(len(actions))]
