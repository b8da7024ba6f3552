# SPDX-License-Identifier: Apache-2.0
"""The navigation graph: a lattice in the free space of a house, with exact shortest paths."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from asgf_nav_ros.contract import Action
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.house.plan import exact_cos_sin
from sim_bridge.house.plan import House

HEADINGS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class NavigationGraph:
    """Lattice nodes and the straight steps between them.

    nodes : (n, 2) float64, metres.
    neighbors : (n, 4) int32, the node one step ahead at heading k, -1 where there is none.
    rotation_rad : yaw of heading 0; heading k looks along ``rotation_rad + k * pi / 2``.
    """

    nodes: np.ndarray
    neighbors: np.ndarray
    rotation_rad: float
    step_m: float

    def __len__(self) -> int:
        return len(self.nodes)

    def yaw_rad(self, heading: int) -> float:
        """Yaw of a heading, counter-clockwise from +x."""
        return self.rotation_rad + heading * np.pi / 2

    def nearest(self, xy: np.ndarray) -> int:
        """Index of the node nearest to a point, (2,)."""
        return int(np.argmin(np.hypot(*(self.nodes - np.asarray(xy, np.float64)).T)))

    def distances_m(self) -> np.ndarray:
        """Geodesic distance between all nodes along the lattice, (n, n) float32."""
        return self._distances_m

    @functools.cached_property
    def _distances_m(self) -> np.ndarray:
        steps = csgraph.dijkstra(self._adjacency, directed=False, unweighted=True)
        return (steps * self.step_m).astype(np.float32)

    @property
    def _adjacency(self) -> sparse.csr_matrix:
        return _adjacency(self.neighbors)

    @functools.cached_property
    def _predecessors(self) -> sparse.csr_matrix:
        """Edges from each state to the states that reach it; state = 4 * node + heading."""
        state = np.arange(len(self) * HEADINGS).reshape(-1, HEADINGS)
        ahead = self.neighbors * HEADINGS + np.arange(HEADINGS)
        moves = self.neighbors >= 0
        before = np.concatenate([state.ravel(), state.ravel(), state[moves]])
        after = np.concatenate([np.roll(state, -1, axis=1).ravel(),
                                np.roll(state, 1, axis=1).ravel(), ahead[moves]])
        return sparse.csr_matrix((np.ones(len(before)), (after, before)), (state.size,) * 2)

    def actions_to(self, goal: int) -> np.ndarray:
        """Fewest primitive actions from each state to ``goal``, (n, 4) int16.

        Moves and turns count, the final STOP does not; any heading at the goal will do.
        """
        goals = goal * HEADINGS + np.arange(HEADINGS)
        steps = csgraph.dijkstra(self._predecessors, unweighted=True, indices=goals,
                                 min_only=True)
        return steps.reshape(-1, HEADINGS).astype(np.int16)

    def optimal_actions(self, goal: int) -> np.ndarray:
        """Tell which actions begin a shortest way to ``goal``: (n, 4, 4) bool.

        Axes are node, heading and ``Action``; at the goal STOP alone is optimal.
        """
        left = self.actions_to(goal)
        ahead = np.where(self.neighbors >= 0, left[self.neighbors, np.arange(HEADINGS)], -2)
        optimal = np.zeros((*left.shape, len(Action)), bool)
        optimal[..., Action.MOVE_FORWARD] = ahead == left - 1
        optimal[..., Action.TURN_LEFT] = np.roll(left, -1, axis=1) == left - 1
        optimal[..., Action.TURN_RIGHT] = np.roll(left, 1, axis=1) == left - 1
        optimal[goal] = False
        optimal[goal, :, Action.STOP] = True
        return optimal


def build_navigation_graph(house: House, *, step_m: float = 0.5, radius_m: float = 0.15,
                           offset_m: tuple[float, float] = (0.0, 0.0),
                           rotation_rad: float = 0.0) -> NavigationGraph:
    """Lay a lattice into a house and keep its largest connected part.

    The lattice goes through ``offset_m`` and is turned by ``rotation_rad``. A node is kept
    where a circle of ``radius_m`` fits, an edge where that circle can be swept along it.

    Raises:
        ValueError: a length is not positive, or no node fits.
    """
    if not (np.isfinite(step_m) and step_m > 0):
        raise ValueError(f'step_m must be positive, got {step_m}')
    obstacles = ObstacleMap(house, radius_m)
    grid, nodes = _lattice(house, step_m, offset_m, rotation_rad)
    free = obstacles.free(nodes)
    neighbors = _neighbors(grid[free], nodes[free], obstacles)
    if not len(neighbors):
        raise ValueError(f'house {house.name!r} has no room for a lattice of {step_m} m')
    keep = _largest_component(neighbors)
    renumber = np.full(len(neighbors) + 1, -1, np.int32)
    renumber[keep] = np.arange(len(keep), dtype=np.int32)
    return NavigationGraph(nodes[free][keep], renumber[neighbors[keep]], float(rotation_rad),
                           float(step_m))


def _lattice(house: House, step_m: float, offset_m: tuple[float, float],
             rotation_rad: float) -> tuple[np.ndarray, np.ndarray]:
    """Lattice points over the bounding box: integer (m, 2) and metric (m, 2) coordinates."""
    cos, sin = exact_cos_sin(rotation_rad)
    axes = np.array([[cos, sin], [-sin, cos]])
    (x0, y0), (x1, y1) = house.bounds()
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) - offset_m
    local = corners @ axes.T / step_m
    low = np.floor(local.min(axis=0)).astype(int)
    high = np.ceil(local.max(axis=0)).astype(int)
    columns, rows = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    grid = np.stack([columns.ravel(), rows.ravel()], axis=1)
    return grid, (grid * step_m) @ axes + offset_m


def _neighbors(grid: np.ndarray, nodes: np.ndarray, obstacles: ObstacleMap) -> np.ndarray:
    """Node ahead per heading, (n, 4) int32, -1 where the way is blocked."""
    neighbors = np.full((len(grid), HEADINGS), -1, np.int32)
    index_of = {tuple(cell): index for index, cell in enumerate(grid.tolist())}
    for heading, (dx, dy) in enumerate(((1, 0), (0, 1))):
        ahead = np.array([index_of.get((x + dx, y + dy), -1) for x, y in grid.tolist()], np.int32)
        start = np.flatnonzero(ahead >= 0)
        end = ahead[start]
        passable = obstacles.clear(nodes[start], nodes[end])
        neighbors[start[passable], heading] = end[passable]
        neighbors[end[passable], heading + 2] = start[passable]
    return neighbors


def _adjacency(neighbors: np.ndarray) -> sparse.csr_matrix:
    start, heading = np.nonzero(neighbors >= 0)
    end = neighbors[start, heading]
    return sparse.csr_matrix((np.ones(len(start)), (start, end)), (len(neighbors),) * 2)


def _largest_component(neighbors: np.ndarray) -> np.ndarray:
    _, label = csgraph.connected_components(_adjacency(neighbors), directed=False)
    return np.flatnonzero(label == np.argmax(np.bincount(label)))
