# SPDX-License-Identifier: Apache-2.0
"""The waypoints that a shortest way to the goal leads to."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import AHEAD
from asgf_nav_ros.systems.waypoint_search import LEG_ACTIONS
from asgf_nav_ros.systems.waypoint_search import STOP_WAYPOINT
from asgf_nav_ros.systems.waypoint_search import WAYPOINTS
from asgf_nav_ros.systems.waypoint_search import WINDOW
from sim_bridge.bake import BakedHouse

_HALF = WINDOW // 2


def optimal_waypoints(house: BakedHouse, source: int, node: int, heading: int,
                      is_open: np.ndarray) -> np.ndarray:
    """Mark the open waypoints that lie farthest along shortest ways to a source.

    A way counts as far as it stays in the window and one leg of the planner goes. At the source
    STOP alone is right.

    Args:
        house: the lattice as it really is.
        source: index of the source.
        node: where the robot stands.
        heading: 0..3, quarter turns.
        is_open: (81,) bool, waypoints that may be chosen.

    Returns:
        (81,) bool; none where every one of them is wrongly known to be occupied.
    """
    right = np.zeros(WAYPOINTS, bool)
    if node == house.source_nodes[source]:
        right[STOP_WAYPOINT] = True
        return right
    for cells in reversed(_cells_on_the_way(house, source, node, heading)):
        indices = [(ahead + _HALF) * WINDOW + left + _HALF for ahead, left in cells]
        if any(is_open[index] for index in indices):
            right[indices] = True
            return right & is_open
    return right


def _cells_on_the_way(house: BakedHouse, source: int, node: int,
                      heading: int) -> list[set[tuple[int, int]]]:
    """Egocentric cells that are stepped on after 1, 2, ... actions of any shortest way."""
    optimal, neighbors = house.optimal[source], house.neighbors
    states = {(node, heading, 0, 0)}
    stepped_on = []
    for _ in range(LEG_ACTIONS):
        turned, moved = set(), set()
        for place, facing, ahead, left in states:
            actions = optimal[place, facing]
            if actions[Action.TURN_LEFT]:
                turned.add((place, (facing + 1) % 4, ahead, left))
            if actions[Action.TURN_RIGHT]:
                turned.add((place, (facing - 1) % 4, ahead, left))
            if actions[Action.MOVE_FORWARD]:
                dx, dy = AHEAD[(facing - heading) % 4]
                moved.add((int(neighbors[place, facing]), facing, ahead + dx, left + dy))
        moved = {state for state in moved if max(abs(state[2]), abs(state[3])) <= _HALF}
        if moved:
            stepped_on.append({state[2:] for state in moved})
        states = turned | moved
    return stepped_on
