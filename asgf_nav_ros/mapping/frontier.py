# SPDX-License-Identifier: Apache-2.0
"""The shortest way to where the known floor ends."""

from __future__ import annotations

import collections

from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import AHEAD
from asgf_nav_ros.mapping.lattice import ahead_of
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import State
from asgf_nav_ros.mapping.lattice import turned


def way_to_frontier(lattice: Lattice) -> list[Action]:
    """Fewest actions to a node that was seen but not visited and lies next to unknown ones.

    Only steps count that neither look obstructed nor ever failed, over nodes that were seen;
    where no frontier can be reached like that, there is no way.
    """
    came: dict[State, tuple[State, Action] | None] = {lattice.state: None}
    queue = collections.deque(came)
    while queue:
        state = queue.popleft()
        if is_frontier(lattice, state.x, state.y):
            return _actions(came, state)
        for action, after in _moves(lattice, state):
            if after not in came:
                came[after] = state, action
                queue.append(after)
    return []


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


def _actions(came: dict[State, tuple[State, Action] | None], state: State) -> list[Action]:
    actions = []
    while (step := came[state]) is not None:
        state, action = step
        actions.append(action)
    return actions[::-1]
