# SPDX-License-Identifier: Apache-2.0
"""A robot that drives along the edges of a graph as if on rails with some play."""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.diff_drive import arc
from sim_bridge.diff_drive import LONGEST_CHORD_M
from sim_bridge.house.navigation import HEADINGS
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.simulator import Pose2D

PLAY_M = 0.005  # sideways, and past a node where no edge leads on


class Rails:
    """Keeps a robot near the edges of the node that it is at.

    node : index of that node: the robot passes to a neighbour in the middle of their edge. So it
        stays on its storey where several lie above each other.
    """

    def __init__(self, graph: NavigationGraph, node: int) -> None:
        """Put the robot on a node of ``graph``."""
        self._graph, self.node = graph, node

    def drive(self, pose: Pose2D, linear_m: float, angular_rad: float) -> tuple[Pose2D, bool]:
        """Follow an arc, along the rails where it would leave them.

        Returns:
            the pose reached, and whether most of some piece of the way was lost to the rails.
        """
        pieces = max(1, math.ceil(abs(linear_m) / LONGEST_CHORD_M))
        here, blocked = pose, False
        for _ in range(pieces):
            ahead = arc(here, linear_m / pieces, angular_rad / pieces)
            reached = self._kept(here.xy, ahead.xy) if linear_m else here.xy
            lost_m = math.hypot(*(ahead.xy - reached))
            blocked |= lost_m > abs(linear_m) / pieces / 2
            here = Pose2D(*reached.tolist(), ahead.yaw_rad)
            self._pass_on(reached)
        return here, blocked

    def _kept(self, here: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """The place nearest to ``ahead`` that is on the rails, or no farther off than ``here``."""
        ends = self._ends()
        nearest_edge, leading = int(_off_m(here, ends).argmin()), _leading(ends, ahead - here)
        # Who is still before the node, or beside the edge, may go along it all the same.
        ends[leading, 0] += _behind(here, *ends[leading])
        off_m = _off_m(here, ends)
        play_m = np.full(len(ends), PLAY_M)
        for edge in (nearest_edge, leading):
            play_m[edge] = max(PLAY_M, off_m[edge])
        nearest = _nearest(ahead, ends)
        apart = ahead - nearest
        apart_m = np.hypot(*apart.T)
        share = np.minimum(1.0, play_m / np.maximum(apart_m, 1e-12))
        kept = nearest + apart * share[:, None]
        return kept[int(np.hypot(*(kept - ahead).T).argmin())]

    def _ends(self) -> np.ndarray:
        """Edges as vectors from the node, (k, 2, 2) start and end."""
        neighbors = self._graph.neighbors[self.node]
        ends = self._graph.nodes[np.append(neighbors[neighbors >= 0], self.node)]
        return np.stack([np.broadcast_to(self._graph.nodes[self.node], ends.shape), ends], axis=1)

    def _pass_on(self, xy: np.ndarray) -> None:
        neighbors = self._graph.neighbors[self.node]
        near = np.append(self.node, neighbors[neighbors >= 0])
        self.node = int(near[np.hypot(*(self._graph.nodes[near] - xy).T).argmin()])


def _leading(ends: np.ndarray, way: np.ndarray) -> int:
    """The edge that leads most along ``way``; the last one, the node itself, if none does."""
    vectors = ends[:, 1] - ends[:, 0]
    lengths_m = np.hypot(*vectors.T)
    along = vectors @ way / np.maximum(lengths_m, 1e-12) / max(math.hypot(*way), 1e-12)
    best = int(along.argmax())
    return best if along[best] > math.cos(math.pi / HEADINGS) else len(ends) - 1


def _behind(xy: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """From the start of an edge back along it to where ``xy`` is, (2,); zero from there on."""
    along = end - start
    share = (xy - start) @ along / max(along @ along, 1e-12)
    return min(0.0, share) * along


def _nearest(xy: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The nearest place of each edge, (k, 2)."""
    start, along = ends[:, 0], ends[:, 1] - ends[:, 0]
    lengths2 = np.maximum((along ** 2).sum(axis=1), 1e-12)
    share = np.clip(((xy - start) * along).sum(axis=1) / lengths2, 0.0, 1.0)
    return start + along * share[:, None]


def _off_m(xy: np.ndarray, ends: np.ndarray) -> np.ndarray:
    return np.hypot(*(xy - _nearest(xy, ends)).T)
