# SPDX-License-Identifier: Apache-2.0
"""A scene of a dataset in the shape of a baked house, for the grid world."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Sequence

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.episodes import Episode
from sim_bridge.soundspaces.episode_files import StoredEpisode
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.observations import SceneObservations
from sim_bridge.soundspaces.responses import KEPT_BYTES
from sim_bridge.soundspaces.responses import Responses
from sim_bridge.soundspaces.scene_graph import read_scene_graph
from sim_bridge.soundspaces.scene_graph import SceneGraph

_SAME_M = 0.02  # between the length of an edge and the contract's step


class Scene:
    """What ``BakedHouse`` is to the grid world, read from the files of SoundSpaces.

    ``source_nodes`` are the nodes that sound in the episodes at hand, indices of ``graph``.
    """

    def __init__(self, layout: Layout, name: str, contract: PolicyContract,
                 source_nodes: Sequence[int] = (), *, graph: SceneGraph | None = None,
                 kept_bytes: int = KEPT_BYTES) -> None:
        """Open the scene; views and responses are read when they are needed.

        Raises:
            DatasetError: a file is missing or wrong, or does not fit the contract.
        """
        self.name, self.path = name, layout.metadata / name
        self.graph = graph or open_graph(layout, name)
        self._contract = contract
        self._check_step(contract, layout)
        self.source_nodes = np.array(source_nodes, np.int32)
        self._observations = SceneObservations(layout.observations(name))
        self._responses = Responses(layout, name, sample_rate_hz=contract.sample_rate_hz,
                                    kept_bytes=kept_bytes)

    @property
    def nodes(self) -> np.ndarray:
        """(n, 2) float64, metres on the floor plan."""
        return self.graph.nodes

    @property
    def neighbors(self) -> np.ndarray:
        """(n, 4) int32, -1 where no edge leads ahead."""
        return self.graph.neighbors

    @property
    def rotation_rad(self) -> float:
        """Yaw of heading 0."""
        return self.graph.rotation_rad

    @property
    def distances_m(self) -> np.ndarray:
        """(n, n) float32 along the graph, infinite where it does not lead."""
        return self.graph.distances_m()

    @functools.cached_property
    def optimal(self) -> np.ndarray:
        """(s, n, 4, 4) bool, the optimal actions towards each source."""
        return np.stack([self.graph.optimal_actions(int(goal)) for goal in self.source_nodes])

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colour (H, W, 3) uint8 and depth (H, W) float32, metres.

        Raises:
            DatasetError: there is none, or it has not the size that the contract wants.
        """
        color, depth_m = self._observations.view(int(self.graph.ids[node]), heading)
        wanted = (self._contract.image_height, self._contract.image_width)
        if depth_m.shape != wanted:
            raise DatasetError(f'{self._observations.path}: the policy wants images of {wanted}, '
                               f'the dataset has {depth_m.shape}')
        return color, depth_m

    def response(self, source: int, node: int, heading: int) -> np.ndarray:
        """Impulse response (2, L) float32 from a source, by its index in ``source_nodes``.

        Raises:
            DatasetError: the file is missing or wrong.
        """
        ids = self.graph.ids
        return self._responses.get(int(heading), int(ids[node]),
                                   int(ids[self.source_nodes[source]]))

    def way_m(self, start: int, end: int) -> float:
        """Straight way between two nodes, which may lie at different heights."""
        return float(np.linalg.norm(self.graph.points[end] - self.graph.points[start]))

    def _check_step(self, contract: PolicyContract, layout: Layout) -> None:
        if abs(contract.forward_step_m - layout.facts.step_m) > _SAME_M:
            raise DatasetError(f'the policy steps {contract.forward_step_m} m, {layout.name} has '
                               f'steps of {layout.facts.step_m} m')
        start, heading = np.argwhere(self.neighbors >= 0).T
        steps_m = np.hypot(*(self.nodes[self.neighbors[start, heading]] - self.nodes[start]).T)
        if abs(float(np.median(steps_m)) - contract.forward_step_m) > _SAME_M:
            raise DatasetError(f'the policy steps {contract.forward_step_m} m, the nodes of '
                               f'{self.path} are {np.median(steps_m):.2f} m apart')


def open_graph(layout: Layout, scene: str) -> SceneGraph:
    """Graph of a scene.

    Raises:
        DatasetError: missing or wrong.
    """
    return read_scene_graph(layout.graph(scene), step_m=layout.facts.step_m)


def place_episode(stored: StoredEpisode, graph: SceneGraph, *, seed: int,
                  folder: Path) -> Episode:
    """Find the nodes of an episode; its geodesic distance is measured along the graph.

    Args:
        stored: the episode.
        graph: of its scene.
        seed: of everything random within the episode.
        folder: named in messages.

    Raises:
        DatasetError: start or goal is no node, or no way leads from one to the other.
    """
    start, goal = graph.node_at(stored.start), graph.node_at(stored.goal)
    geodesic_m = float(graph.distances_m()[start, goal])
    if not np.isfinite(geodesic_m):
        raise DatasetError(f'{folder}: no way leads from start to goal in episode '
                           f'{stored.identifier!r:.40}')
    return Episode(
        episode_id=f'{stored.scene}/{stored.identifier}', house=stored.scene, start_node=start,
        start_heading=stored.heading, goal_node=goal, sound='/'.join(stored.sound), seed=seed,
        geodesic_m=geodesic_m, oracle_actions=stored.actions)
