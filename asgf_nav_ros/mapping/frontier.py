# SPDX-License-Identifier: Apache-2.0
"""The way to where the known floor ends."""

from __future__ import annotations

import collections
import math
from typing import Iterator

from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import AHEAD
from asgf_nav_ros.mapping.lattice import ahead_of
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import State
from asgf_nav_ros.mapping.lattice import turned
from asgf_nav_ros.mapping.planner import retraced

DETOUR = 24  # actions: frontiers so much farther than the nearest one count too
PULL = 12  # actions that a frontier in the wanted direction is preferred by
CONSTANCY = 8  # actions that frontiers at the place that was chosen before are preferred by
_SAME_PLACE = 2  # steps


def way_to_frontier(lattice: Lattice, *, towards: tuple[float, float] | None = None,
                    chosen: tuple[int, int] | None = None) -> list[Action]:
    """Few actions to a node that was seen but not visited and lies next to unknown ones.

    Only steps count that neither look obstructed nor ever failed, over nodes that were seen;
    where no frontier can be reached like that, there is no way.

    Args:
        lattice: the map, with the robot in it.
        towards: direction that is preferred, x and y in the frame of the start; the shorter than
            1, the less.
        chosen: node of the frontier that the robot is on its way to.

    Returns:
        The actions; to the nearest frontier if neither a direction nor a node is given.
    """
    pull = PULL if towards is not None else 0
    best, best_price, last_price = None, math.inf, math.inf
    came: dict[State, tuple[State, Action] | None] = {}
    for state, price, is_end in _reachable(lattice, came):
        if price > last_price:
            break
        if is_end:
            last_price = min(last_price, price + (DETOUR if pull or chosen else 0))
            total = price - pull * _alignment(lattice.state, state, towards or (0.0, 0.0))
            if chosen is not None and _steps_apart(state, chosen) <= _SAME_PLACE:
                total -= CONSTANCY
            if total < best_price:
                best, best_price = state, total
    return retraced(came, best) if best else []


def _reachable(lattice: Lattice, came: dict[State, tuple[State, Action] | None]
               ) -> Iterator[tuple[State, int, bool]]:
    """States, the fewest actions to them, and whether they are frontiers, the nearest first.

    ``came`` says how they are reached. The search does not go on beyond a frontier.
    """
    came[lattice.state] = None
    queue = collections.deque([(lattice.state, 0)])
    frontiers: dict[tuple[int, int], bool] = {}  # of all headings at a node
    while queue:
        state, price = queue.popleft()
        node = state.x, state.y
        if node not in frontiers:
            frontiers[node] = is_frontier(lattice, *node)
        yield state, price, frontiers[node]
        if frontiers[node]:
            continue
        for action, after in _moves(lattice, state):
            if after not in came:
                came[after] = state, action
                queue.append((after, price + 1))


def _steps_apart(state: State, node: tuple[int, int]) -> int:
    return abs(state.x - node[0]) + abs(state.y - node[1])


def _alignment(here: State, there: State, towards: tuple[float, float]) -> float:
    """A direction's share of the way to a node, as the crow flies: at most its length."""
    dx, dy = there.x - here.x, there.y - here.y
    return (dx * towards[0] + dy * towards[1]) / max(math.hypot(dx, dy), 1.0)


def is_frontier(lattice: Lattice, x: int, y: int) -> bool:
    """Whether a node, known or not, was never visited and has a neighbour that is unknown."""
    return (x, y) not in lattice.visited and not all(
        lattice.known(x + dx, y + dy) for dx, dy in AHEAD)


def _moves(lattice: Lattice, state: State) -> list[tuple[Action, State]]:
    moves = [(action, turned(state, action)) for action in (Action.TURN_LEFT, Action.TURN_RIGHT)]
    ahead = ahead_of(state)
    if (lattice.known(*ahead) and not lattice.occupied(*ahead)
            and not (lattice.closed(state) or lattice.doubtful(state))):
        moves.append((Action.MOVE_FORWARD, State(*ahead, state.heading)))
    return moves
