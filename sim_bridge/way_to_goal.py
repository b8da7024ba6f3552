# SPDX-License-Identifier: Apache-2.0
"""Geodesic distance and oracle action from anywhere on the floor, not only from graph nodes."""

from __future__ import annotations

import math

import numpy as np

from asgf_nav_ros.contract import Action
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.simulator import Pose2D
from sim_bridge.simulator import wrap_rad

REACH_STEPS = 2.0  # ends of a way join the graph at nodes within this many steps
STRAIGHT_M = 1.0  # from here on the way to a goal in sight bends from the lattice to a line


class WayToGoal:
    """Shortest ways along a navigation graph to one goal, continued to places between nodes."""

    def __init__(self, graph: NavigationGraph, obstacles: ObstacleMap, goal_xy: np.ndarray,
                 ) -> None:
        """Join ``goal_xy``, (2,) metres, to the graph."""
        self._graph = graph
        self._obstacles = obstacles
        self._goal_xy = np.asarray(goal_xy, np.float64)
        self.goal_node = self._nearest(self._goal_xy)
        nodes, ends_m = self._ends(self._goal_xy)
        self._node_way_m = (graph.distances_m()[:, nodes].astype(np.float64) + ends_m).min(axis=1)
        self._actions_left = graph.actions_to(self.goal_node)

    def geodesic_m(self, xy: np.ndarray) -> float:
        """Length of the shortest way from ``xy`` (2,), metres.

        Along the lattice, as in SoundSpaces, so that it equals the graph's distance at nodes; in
        sight of the goal it passes, within ``STRAIGHT_M``, into the straight distance.
        """
        nodes, ends_m = self._ends(np.asarray(xy, np.float64))
        lattice_m = float((self._node_way_m[nodes] + ends_m).min())
        straight_m = float(np.hypot(*(self._goal_xy - xy)))
        if straight_m >= STRAIGHT_M or not self._obstacles.clear(
                np.asarray(xy)[None], self._goal_xy[None])[0]:
            return max(lattice_m, straight_m)
        bend = max(0.0, 2.0 * straight_m / STRAIGHT_M - 1.0)
        return straight_m + bend * max(lattice_m - straight_m, 0.0)

    def oracle_action(self, pose: Pose2D, turn_rad: float) -> Action:
        """First of the fewest primitive actions that lead to the goal's node; there STOP.

        Args:
            pose: taken at the nearest node that can be reached straight from it.
            turn_rad: angle of one turn action; headings need not be those of the graph.
        """
        node = self._nearest(pose.xy)
        if node == self.goal_node:
            return Action.STOP
        errors_rad = np.array([wrap_rad(self._graph.yaw_rad(k) - pose.yaw_rad) for k in range(4)])
        ahead = self._graph.neighbors[node]
        left = self._actions_left[ahead, np.arange(4)]
        cost = np.where(ahead >= 0, np.abs(errors_rad) / turn_rad + left, np.inf)
        error_rad = errors_rad[int(cost.argmin())]
        if abs(error_rad) <= turn_rad / 2:
            return Action.MOVE_FORWARD
        return Action.TURN_LEFT if error_rad > 0 else Action.TURN_RIGHT

    def _nearest(self, xy: np.ndarray) -> int:
        """The nearest node on this side of the walls."""
        nodes, _ = self._ends(xy)
        return int(nodes[np.hypot(*(self._graph.nodes[nodes] - xy).T).argmin()])

    def _ends(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nodes that can be reached straight from ``xy``, (m,), and how far they are, (m,)."""
        cos, sin = math.cos(self._graph.rotation_rad), math.sin(self._graph.rotation_rad)
        offset = self._graph.nodes - xy
        lattice_m = (np.abs(cos * offset[:, 0] + sin * offset[:, 1])
                     + np.abs(cos * offset[:, 1] - sin * offset[:, 0]))
        near = np.flatnonzero(lattice_m <= REACH_STEPS * self._graph.step_m + 1e-9)
        start = np.broadcast_to(xy, (len(near), 2))
        near = near[self._obstacles.clear(start, self._graph.nodes[near])]
        if not near.size:
            near = np.array([self._graph.nearest(xy)])
        return near, lattice_m[near]
