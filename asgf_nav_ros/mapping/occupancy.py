# SPDX-License-Identifier: Apache-2.0
"""What a depth image says about the floor, gathered in one map of the episode."""

from __future__ import annotations

import math

import numpy as np

from asgf_nav_ros.contract import PolicyContract

CELL_M = 0.1
EGO_CELLS = 31  # ahead from the robot's own cell, and across with the robot in the middle
MAP_CELLS = 200  # of a new map, which then grows as the robot goes
OBSTACLE_HEIGHTS_M = (0.5, 1.9)  # AV-WaN's 2.0 m would close doors that are 2.0 m high
SEEN, OBSTACLE = 1, 2  # bits of a cell
_HALF = EGO_CELLS // 2


class EgoMapper:
    """Projects depth images of a contract's camera onto the floor, as AV-WaN's ego map."""

    def __init__(self, contract: PolicyContract) -> None:
        focal = contract.image_width / 2 / math.tan(contract.hfov_rad / 2)
        rows, columns = np.indices((contract.image_height, contract.image_width)) + 0.5
        self._left = (contract.image_width / 2 - columns) / focal
        self._up = (contract.image_height / 2 - rows) / focal
        self._height_m = contract.camera_height_m
        self._range_m = (contract.depth_min_m, contract.depth_max_m)

    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """Map what lies ahead.

        Args:
            depth: (H, W) float32, metres along the optical axis; 0 where invalid.

        Returns:
            (31, 31) uint8 of ``SEEN`` and ``OBSTACLE`` bits. Axis 0 is ahead from the robot's own
            cell, axis 1 is to the left with the robot at 15. Obstacles are points between
            ``OBSTACLE_HEIGHTS_M``; other points are free floor.
        """
        valid = (depth > self._range_m[0]) & (depth < self._range_m[1])
        ahead = np.rint(depth / CELL_M).astype(np.int64)
        left = np.rint(depth * self._left / CELL_M).astype(np.int64) + _HALF
        valid &= (ahead < EGO_CELLS) & (left >= 0) & (left < EGO_CELLS)
        height_m = self._height_m + depth * self._up
        obstacle = valid & (height_m > OBSTACLE_HEIGHTS_M[0]) & (height_m < OBSTACLE_HEIGHTS_M[1])
        ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
        ego[ahead[valid], left[valid]] = SEEN
        ego[ahead[obstacle], left[obstacle]] = SEEN | OBSTACLE
        return ego


class GeometricMap:
    """Seen floor and obstacles around the start, in cells of ``CELL_M``.

    The cell (0, 0) is the start's; x is ahead at the start and y is to the left.
    """

    def __init__(self) -> None:
        self._cells = np.zeros((MAP_CELLS + 1, MAP_CELLS + 1), np.uint8)

    def write(self, ego: np.ndarray, cell: tuple[int, int], heading: int) -> None:
        """Add an ego map (31, 31) seen from ``cell``, ``heading`` quarter turns left of the start.

        What was once an obstacle stays one.
        """
        patch = np.zeros((2 * EGO_CELLS - 1, 2 * EGO_CELLS - 1), np.uint8)
        patch[EGO_CELLS - 1:, EGO_CELLS - 1 - _HALF:EGO_CELLS + _HALF] = ego
        self._around(cell, EGO_CELLS - 1)[...] |= np.rot90(patch, heading)

    def obstacle(self, low: tuple[int, int], high: tuple[int, int]) -> bool:
        """Tell whether an obstacle is in the box from cell ``low`` to cell ``high``, included."""
        return self._most(low, high) >= OBSTACLE

    def seen(self, low: tuple[int, int], high: tuple[int, int]) -> bool:
        """Tell whether anything was seen in the box from cell ``low`` to ``high``, included."""
        return self._most(low, high) >= SEEN

    def _most(self, low: tuple[int, int], high: tuple[int, int]) -> int:
        middle = self._middle
        box = self._cells[max(low[0] + middle, 0):max(high[0] + middle + 1, 0),
                          max(low[1] + middle, 0):max(high[1] + middle + 1, 0)]
        return int(box.max(initial=0))

    def crop(self, cell: tuple[int, int], heading: int, *, cells: int) -> np.ndarray:
        """Cut the square (cells, cells) around ``cell``, turned so that axis 0 is ahead.

        ``cells`` is even; the robot stands at (cells / 2, cells / 2).
        """
        around = self._around(cell, cells // 2)
        return np.rot90(around, -heading)[:cells, :cells]

    def _around(self, cell: tuple[int, int], radius: int) -> np.ndarray:
        reach = max(abs(cell[0]), abs(cell[1])) + radius
        if reach > self._middle:
            self._cells = np.pad(self._cells, max(reach - self._middle, MAP_CELLS // 2))
        x, y = cell[0] + self._middle, cell[1] + self._middle
        return self._cells[x - radius:x + radius + 1, y - radius:y + radius + 1]

    @property
    def _middle(self) -> int:
        return len(self._cells) // 2
