# SPDX-License-Identifier: Apache-2.0
"""One agent between waypoints: what AV-WaN's network is shown, and how its choice is walked to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import start_frame
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.mapping.occupancy import OBSTACLE
from asgf_nav_ros.mapping.occupancy import SEEN
from asgf_nav_ros.mapping.planner import leads_on
from asgf_nav_ros.mapping.planner import plan
from asgf_nav_ros.mapping.planner import wander

WINDOW = 9  # nodes across the waypoint map, the robot's own in the middle
WAYPOINTS = WINDOW * WINDOW
STOP_WAYPOINT = WAYPOINTS // 2
LEG_ACTIONS = 10
GEOMETRIC_CELLS = 200  # of 0.1 m around the robot, shown at half the resolution
ACOUSTIC_NODES = 20
_POOL = 2


class WaypointMaps(NamedTuple):
    """What a decision is based on besides the sound; axis 0 is ahead, axis 1 to the left.

    geometric : (100, 100, 2) uint8, obstacle and seen, 0.2 m a cell, robot at (50, 50).
    acoustic : (20, 20) float32, log1p of the intensity heard at visited nodes, robot at (10, 10).
    open : (81,) bool, waypoints that are not known to be occupied; the middle one is STOP.
    """

    geometric: np.ndarray
    acoustic: np.ndarray
    open: np.ndarray


class WaypointSearch:
    """Maps, and the waypoint that is walked to."""

    def __init__(self, contract: PolicyContract, mapper: EgoMapper) -> None:
        self.lattice = Lattice(contract, mapper)
        self._intensity: dict[tuple[int, int], float] = {}
        self._goal: tuple[int, int] | None = None
        self._stops = False
        self._way: list[Action] = []
        self._actions_left = 0

    def observe(self, depth: np.ndarray, spectrogram: np.ndarray, *, moved: bool) -> None:
        """Take in a view (H, W), a sound (bins, frames, channels) and whether the robot moved."""
        bumped = self.lattice.observe(depth, moved=moved)
        node = self.lattice.state[:2]
        new = float(np.expm1(spectrogram[..., :2]).mean())
        self._intensity[node] = 0.5 * new + 0.5 * self._intensity.get(node, new)
        if bumped or node == self._goal or not self._actions_left:
            self._goal = None
        self._way = self._planned(self._way[1:]) if self._goal else []

    def _planned(self, way: list[Action]) -> list[Action]:
        return way if leads_on(self.lattice, way) else plan(self.lattice, self._goal)

    @property
    def wants_waypoint(self) -> bool:
        """Whether the last waypoint is reached, given up, or was never set."""
        return not self._way

    def set_waypoint(self, index: int) -> None:
        """Walk to a cell of the window, row by row from the rightmost back; the middle is STOP."""
        self._stops = index == STOP_WAYPOINT
        self._goal = self.node_of(index)
        self._actions_left = LEG_ACTIONS
        self._way = [] if self._stops else plan(self.lattice, self._goal)

    def act(self, rng: np.random.Generator) -> Action:
        """Take the next action towards the waypoint, a random one where there is no way."""
        if self._stops:
            return Action.STOP
        self._actions_left -= 1
        return self.lattice.take(self._way[0] if self._way else wander(self.lattice, rng))

    def node_of(self, index: int) -> tuple[int, int]:
        """The lattice node of a waypoint."""
        ahead, left = divmod(index, WINDOW)
        state = self.lattice.state
        dx, dy = start_frame((ahead - WINDOW // 2, left - WINDOW // 2), state.heading)
        return state.x + round(dx), state.y + round(dy)

    def maps(self) -> WaypointMaps:
        """Draw the maps around the robot."""
        return WaypointMaps(self._geometric(), self._acoustic(), self._open())

    def _geometric(self) -> np.ndarray:
        lattice, size = self.lattice, GEOMETRIC_CELLS // _POOL
        crop = lattice.map.crop(lattice.cell, lattice.state.heading, cells=GEOMETRIC_CELLS)
        pooled = np.bitwise_or.reduce(crop.reshape(size, _POOL, size, _POOL), axis=(1, 3))
        return np.stack([(pooled & OBSTACLE) > 0, (pooled & SEEN) > 0], -1).astype(np.uint8)

    def _acoustic(self) -> np.ndarray:
        state, middle = self.lattice.state, ACOUSTIC_NODES // 2
        acoustic = np.zeros((ACOUSTIC_NODES, ACOUSTIC_NODES), np.float32)
        for (x, y), intensity in self._intensity.items():
            ego = start_frame((x - state.x, y - state.y), -state.heading % 4)
            ahead, left = np.rint(ego).astype(int) + middle
            if 0 <= ahead < ACOUSTIC_NODES and 0 <= left < ACOUSTIC_NODES:
                acoustic[ahead, left] = np.log1p(intensity)
        return acoustic

    def _open(self) -> np.ndarray:
        free = np.array([not self.lattice.occupied(*self.node_of(index))
                         for index in range(WAYPOINTS)])
        free[STOP_WAYPOINT] = True
        return free
