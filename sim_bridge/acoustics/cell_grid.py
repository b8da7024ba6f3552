# SPDX-License-Identifier: Apache-2.0
"""A spatial hash: which boxes meet which cell of the floor, for rays that walk over it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sim_bridge.acoustics.kernel import kernel

CELL_M = 0.5


class CellGrid(NamedTuple):
    """Members of each cell.

    cells : (rows, columns, k) int32, indices of the boxes that meet the cell, then -1. It has an
        empty border, one cell wide.
    origin_x, origin_y : metres, the corner of cell (0, 0).
    """

    cells: np.ndarray
    origin_x: float
    origin_y: float


def build_cell_grid(low_m: np.ndarray, high_m: np.ndarray) -> CellGrid:
    """Put boxes with corners ``low_m`` and ``high_m``, (n, 2), into all cells that they meet."""
    low_m, high_m = low_m - 1e-6, high_m + 1e-6
    origin = low_m.min(axis=0) - CELL_M
    first = np.floor((low_m - origin) / CELL_M).astype(int)
    last = np.floor((high_m - origin) / CELL_M).astype(int)
    columns, rows = last.max(axis=0) + 2
    counts = np.zeros((rows, columns), int)
    for (x0, y0), (x1, y1) in zip(first, last):
        counts[y0:y1 + 1, x0:x1 + 1] += 1
    cells = np.full((rows, columns, counts.max() + 1), -1, np.int32)
    counts[:] = 0
    for index, ((x0, y0), (x1, y1)) in enumerate(zip(first, last)):
        for row in range(y0, y1 + 1):
            for column in range(x0, x1 + 1):
                cells[row, column, counts[row, column]] = index
                counts[row, column] += 1
    return CellGrid(cells, float(origin[0]), float(origin[1]))


@kernel
def start_walk(origin, position, direction):
    """Begin to walk a ray over cells from ``origin``, along one axis.

    Returns:
        the cell, the step to the next, the metres along the ray to it and from then on.
    """
    cell = int(math.floor((position - origin) / CELL_M))
    if direction > 0.0:
        return cell, 1, ((cell + 1) * CELL_M - position + origin) / direction, CELL_M / direction
    if direction < 0.0:
        return cell, -1, (cell * CELL_M - position + origin) / direction, -CELL_M / direction
    return cell, 0, np.inf, np.inf
