# SPDX-License-Identifier: Apache-2.0
"""A scene as a floor plan to draw: a cell for each node, walls where no edge leads."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from sim_bridge.house.navigation import HEADINGS
from sim_bridge.house.plan import exact_cos_sin
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.house.plan import WallSegment
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene_graph import SceneGraph


@dataclasses.dataclass(frozen=True, eq=False)
class ScenePlan(House):
    """A house of cells, in the coordinates of ``graph``: for maps, not to render or to hear in."""

    graph: SceneGraph | None = None

    @classmethod
    def of(cls, layout: Layout, scene: str) -> ScenePlan:
        """Read the graph of a scene.

        Raises:
            DatasetError: it is missing or wrong.
        """
        graph = open_graph(layout, scene)
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * graph.step_m / 2
        return cls(name=scene, graph=graph,
                   rooms=tuple(Room('', node + corners) for node in graph.nodes))

    @functools.cached_property
    def _walls(self) -> tuple[WallSegment, ...]:
        return tuple(self._wall(int(node), int(heading))
                     for node, heading in np.argwhere(self.graph.neighbors < 0))

    def _wall(self, node: int, heading: int) -> WallSegment:
        ahead = np.array(exact_cos_sin(self.graph.rotation_rad + heading * 2 * np.pi / HEADINGS))
        right = np.array([ahead[1], -ahead[0]])
        half_m = self.graph.step_m / 2
        middle = self.graph.nodes[node] + half_m * ahead
        return WallSegment(middle + half_m * right, middle - half_m * right, 0.0,
                           self.wall_height_m, self.rooms[node].wall_material, node)
