# SPDX-License-Identifier: Apache-2.0
"""The graph of a scene: which node lies ahead, and how far it is to a goal."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import HEADINGS
from sim_bridge.soundspaces.layout import ROTATIONS_DEG
from sim_bridge.soundspaces.pickled_objects import PickleError
from sim_bridge.soundspaces.pickled_objects import StoredGraph
from sim_bridge.soundspaces.pickles import read_pickle

LARGEST_FILE_BYTES = 256 * 2**20
MOST_NODES = 8000  # all distances between them take 256 MB
UNREACHABLE = np.iinfo(np.int16).max
_ROTATION_RAD = np.pi / 2  # rotation 0 looks along -z, which is +y of the floor plan


@dataclasses.dataclass(frozen=True, eq=False)
class SceneGraph(NavigationGraph):
    """A graph of SoundSpaces as a floor plan: ``nodes`` are x and -z, headings quarter turns.

    ids : (n,) int64, what the files call each node.
    points : (n, 3) float64, metres, y up and -z ahead.
    edges : (m, 2) int64, both ways; distances follow them, also those that no heading looks along.
    """

    ids: np.ndarray
    points: np.ndarray
    edges: np.ndarray

    @property
    def _adjacency(self) -> sparse.csr_matrix:
        start, end = self.edges.T
        return sparse.csr_matrix((np.ones(len(start)), (start, end)), (len(self),) * 2)

    def actions_to(self, goal: int) -> np.ndarray:
        """Fewest primitive actions, (n, 4) int16, without STOP; ``UNREACHABLE`` for no way."""
        goals = goal * HEADINGS + np.arange(HEADINGS)
        steps = csgraph.dijkstra(self._predecessors, unweighted=True, indices=goals,
                                 min_only=True)
        return np.minimum(steps, UNREACHABLE).reshape(-1, HEADINGS).astype(np.int16)

    def node_at(self, position: Any) -> int:
        """Index of the node at (x, y, z), which must agree to two decimals.

        Raises:
            DatasetError: there is no such node.
        """
        try:
            return self._index_of_key[position_key(position)]
        except (KeyError, TypeError, ValueError):
            raise DatasetError(f'no node lies at {position!r:.80}') from None

    def node_called(self, identifier: int) -> int:
        """Index of the node that the files call ``identifier``.

        Raises:
            DatasetError: there is no such node.
        """
        found = np.flatnonzero(self.ids == identifier)
        if not len(found):
            raise DatasetError(f'no node is called {identifier!r:.40}')
        return int(found[0])

    @functools.cached_property
    def _index_of_key(self) -> dict[str, int]:
        return {position_key(point): index for index, point in enumerate(self.points)}


def position_key(position: Any) -> str:
    """What SoundSpaces finds nodes by: three coordinates with two decimals."""
    x_m, y_m, z_m = position
    return f'{x_m:.2f}_{y_m:.2f}_{z_m:.2f}'


def read_scene_graph(path: Path, *, step_m: float) -> SceneGraph:
    """Read ``graph.pkl``; ``step_m`` is what SoundSpaces takes an edge to measure.

    Raises:
        DatasetError: missing, too large, not a graph of points, or without a single edge.
    """
    if not path.is_file():
        raise DatasetError(f'{path}: is missing')
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise DatasetError(f'{path}: must be at most {LARGEST_FILE_BYTES >> 20} MiB')
    try:
        stored = read_pickle(path.read_bytes())
    except PickleError as error:
        raise DatasetError(f'{path}: {error}') from None
    if not isinstance(stored, StoredGraph) or not 2 <= len(stored.nodes) <= MOST_NODES:
        raise DatasetError(f'{path}: must be a graph of 2 to {MOST_NODES} nodes')
    try:
        ids = np.array(_whole(list(stored.nodes)), np.int64)
        points = np.array([_point(attributes['point']) for attributes in stored.nodes.values()],
                          np.float64)
        ends = [(node, end) for node in stored.nodes for end in _ends(stored.adjacency[node])]
        index_of = {node: index for index, node in enumerate(stored.nodes)}
        edges = np.array([(index_of[a], index_of[b]) for a, b in ends if a != b], np.int64)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise DatasetError(f'{path}: must be a graph of points with numbers for names, '
                           f'got {type(error).__name__} {error!s:.60}') from None
    if points.shape != (len(ids), 3) or not np.isfinite(points).all() or not len(edges):
        raise DatasetError(f'{path}: needs edges and finite points of three coordinates')
    return scene_graph(ids, points, edges, step_m=step_m)


def _whole(names: list) -> list[int]:
    if not all(isinstance(name, int) for name in names):
        raise TypeError('names must be whole numbers')
    return names


def _point(value: Any) -> tuple | list:
    # A few nested tuples that share their items stand for more numbers than the memory holds.
    if not isinstance(value, (tuple, list)) or not all(
            isinstance(number, (int, float)) for number in value):
        raise TypeError('points must be numbers')
    return value


def _ends(value: Any) -> dict:
    # The keys of a dictionary were checked: hashing a deep tuple overflows the C stack.
    if not isinstance(value, dict):
        raise TypeError('the edges of a node must be a dictionary')
    return value


def scene_graph(ids: np.ndarray, points: np.ndarray, edges: np.ndarray, *,
                step_m: float) -> SceneGraph:
    """Put a graph together; ahead lies the first neighbour whose direction is the agent's."""
    neighbors = np.full((len(ids), HEADINGS), -1, np.int32)
    along = points[edges[:, 1]] - points[edges[:, 0]]
    direction_deg = np.rint(np.rad2deg(np.arctan2(along[:, 2], along[:, 0]))).astype(int) % 360
    for heading, rotation_deg in enumerate(ROTATIONS_DEG):
        ahead = edges[direction_deg == (270 - rotation_deg) % 360][::-1]  # the first wins
        neighbors[ahead[:, 0], heading] = ahead[:, 1]
    if not (neighbors >= 0).any():
        raise DatasetError('no edge of the graph leads along an axis')
    return SceneGraph(nodes=points[:, [0, 2]] * (1, -1), neighbors=neighbors,
                      rotation_rad=_ROTATION_RAD, step_m=step_m, ids=ids, points=points,
                      edges=edges)
