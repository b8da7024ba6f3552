# SPDX-License-Identifier: Apache-2.0
"""Every way to the sources of a house, by difficulty: how winding it is, how many rooms away."""

from __future__ import annotations

import dataclasses
from typing import Mapping
from typing import Sequence

import numpy as np

from sim_bridge.episodes import Episode
from sim_bridge.episodes import SHORTEST_GEODESIC_M
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.house.plan import House

FEWEST_ACTIONS = 4  # STOP included
# Each bin begins at its number and ends before the next one's.
RATIO_BINS: Mapping[float, str] = {1.0: '1.00-1.25', 1.25: '1.25-1.50', 1.5: '1.50-2.00',
                                   2.0: '2.00 and more'}
ROOM_BINS: Mapping[int, str] = {0: '0', 1: '1', 2: '2', 3: '3', 4: '4-5', 6: '6 and more'}


@dataclasses.dataclass(frozen=True)
class Difficulty:
    """Of one episode: geodesic over Euclidean distance, and rooms entered on the way."""

    ratio: float
    rooms_away: int

    @property
    def ratio_bin(self) -> str:
        """Label of the bin of ``RATIO_BINS``."""
        return _label(RATIO_BINS, self.ratio)

    @property
    def rooms_bin(self) -> str:
        """Label of the bin of ``ROOM_BINS``."""
        return _label(ROOM_BINS, self.rooms_away)


@dataclasses.dataclass(frozen=True, eq=False)
class Ways:
    """From every state of a lattice to every source of a house.

    geodesic_m, ratio : (s, n) float64, along the lattice; over the Euclidean distance.
    rooms_away : (s, n) int64, least room changes along a shortest way.
    actions : (s, n, 4) int64, fewest primitive actions, the final STOP included.
    """

    source_nodes: np.ndarray
    geodesic_m: np.ndarray
    ratio: np.ndarray
    rooms_away: np.ndarray
    actions: np.ndarray

    @classmethod
    def of(cls, house: House, graph: NavigationGraph, source_nodes: Sequence[int]) -> Ways:
        """Measure all ways; ``source_nodes`` are nodes of ``graph``."""
        goals = np.asarray(source_nodes, np.int64)
        geodesic_m = graph.distances_m()[goals].astype(np.float64)
        straight_m = np.linalg.norm(graph.nodes[None] - graph.nodes[goals][:, None], axis=2)
        rooms = house.rooms_at(graph.nodes)
        steps = np.rint(geodesic_m / graph.step_m).astype(np.int64)
        return cls(
            goals, geodesic_m,
            ratio=np.maximum(geodesic_m / np.where(straight_m > 0, straight_m, np.inf), 1.0),
            rooms_away=np.stack([_room_changes(left, graph.neighbors, rooms) for left in steps]),
            actions=np.stack([graph.actions_to(int(goal)) for goal in goals]).astype(np.int64) + 1)

    def difficulty(self, episode: Episode) -> Difficulty:
        """Difficulty of an episode that was drawn here."""
        source = int(np.flatnonzero(self.source_nodes == episode.goal_node)[0])
        return Difficulty(round(float(self.ratio[source, episode.start_node]), 3),
                          int(self.rooms_away[source, episode.start_node]))

    def draw(self, count: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
        """Draw (source, node, heading), evenly over the rooms away and then over the ratios.

        Raises:
            ValueError: no start is far enough from any source.
        """
        states, cells = self._cells()
        if not len(states):
            raise ValueError(f'a house needs a start {SHORTEST_GEODESIC_M} m and '
                             f'{FEWEST_ACTIONS} actions away from a source, got none')
        return [tuple(states[self._draw_one(cells, rng)].tolist()) for _ in range(count)]

    def _cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Far enough states (m, 3) and the bins of rooms and ratio of each (m, 2)."""
        far = (self.geodesic_m >= SHORTEST_GEODESIC_M)[:, :, None]
        states = np.argwhere(far & (self.actions >= FEWEST_ACTIONS))
        way = tuple(states[:, :2].T)
        return states, np.stack([_bins(ROOM_BINS, self.rooms_away[way]),
                                 _bins(RATIO_BINS, self.ratio[way])], axis=1)

    @staticmethod
    def _draw_one(cells: np.ndarray, rng: np.random.Generator) -> int:
        rooms = rng.choice(np.unique(cells[:, 0]))
        ratio = rng.choice(np.unique(cells[cells[:, 0] == rooms, 1]))
        return int(rng.choice(np.flatnonzero((cells == (rooms, ratio)).all(axis=1))))


def _room_changes(left: np.ndarray, neighbors: np.ndarray, rooms: np.ndarray) -> np.ndarray:
    """Least room changes on shortest ways, (n,), from the steps that are left (n,)."""
    changes = np.where(left == 0, 0, len(left))
    for steps in range(1, int(left.max()) + 1):
        here = np.flatnonzero(left == steps)
        ahead = neighbors[here]  # (m, 4)
        nearer = (ahead >= 0) & (left[ahead] == steps - 1)
        after = changes[ahead] + (rooms[ahead] != rooms[here, None])
        changes[here] = np.where(nearer, after, len(left)).min(axis=1)
    return changes


def _bins(bins: Mapping[float, str], values: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.array(list(bins)), values, side='right') - 1


def _label(bins: Mapping[float, str], value: float) -> str:
    return list(bins.values())[int(_bins(bins, np.array(value)))]
