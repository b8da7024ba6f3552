# SPDX-License-Identifier: Apache-2.0
"""Draw where rooms and doors are: recursive splits of a footprint on a 0.1 m raster.

Everything is whole decimetres, so that shared walls meet exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import math

import numpy as np
from scipy.sparse import csgraph

MIN_SIDE_DM = 20
DOOR_WIDTHS_DM = (9, 10, 11)
DOOR_TO_CORNER_DM = 3
AREA_PER_ROOM_M2 = (7.0, 9.5)
EXTRA_AREA_M2 = 7.0  # so that houses of two rooms are worth walking in
AREA_PER_LARGE_ROOM_M2 = (14.5, 20.0)
DEEP_WING_DM = 75  # a wing at least as deep and as long may get a corridor of its own


class LayoutFailed(ValueError):
    """This draw has no valid layout; draw again."""


@dataclasses.dataclass(frozen=True)
class Rectangle:
    """An axis-aligned cell, in decimetres."""

    x0: int
    y0: int
    x1: int
    y1: int
    corridor: bool = False

    @property
    def sides_dm(self) -> tuple[int, int]:
        """Extents along x and y."""
        return self.x1 - self.x0, self.y1 - self.y0

    @property
    def area_m2(self) -> float:
        """Floor area."""
        return math.prod(self.sides_dm) / 100

    @property
    def polygon_m(self) -> np.ndarray:
        """Corners in metres, (4, 2), counter-clockwise."""
        return np.array([[self.x0, self.y0], [self.x1, self.y0], [self.x1, self.y1],
                         [self.x0, self.y1]]) / 10

    def split(self, rng: np.random.Generator) -> tuple[Rectangle, Rectangle]:
        """Cut across the longer side, near the middle."""
        width, height = self.sides_dm
        length = max(width, height)
        if length < 2 * MIN_SIDE_DM:
            raise LayoutFailed(f'cell of {width} x {height} dm is too small to split')
        cut = round(length * rng.uniform(0.38, 0.62))
        cut = min(max(cut, MIN_SIDE_DM), length - MIN_SIDE_DM)
        if width >= height:
            x = self.x0 + cut
            return dataclasses.replace(self, x1=x), dataclasses.replace(self, x0=x)
        y = self.y0 + cut
        return dataclasses.replace(self, y1=y), dataclasses.replace(self, y0=y)


@dataclasses.dataclass(frozen=True)
class SharedWall:
    """A stretch where two cells touch: from ``low`` to ``high`` along ``axis``, at ``at``."""

    first: int
    second: int
    axis: int  # 0: runs along x
    at: int
    low: int
    high: int

    @property
    def fits_door(self) -> bool:
        """Whether the narrowest door and its distance to the corners fit."""
        return self.high - self.low >= min(DOOR_WIDTHS_DM) + 2 * DOOR_TO_CORNER_DM

    def draw_door_m(self, rng: np.random.Generator) -> np.ndarray:
        """Ends of a random opening in metres, (2, 2)."""
        room = self.high - self.low - 2 * DOOR_TO_CORNER_DM
        width = int(rng.choice([wide for wide in DOOR_WIDTHS_DM if wide <= room]))
        start = self.low + DOOR_TO_CORNER_DM + int(rng.integers(room - width + 1))
        ends = np.array([[start, self.at], [start + width, self.at]]) / 10
        return ends if self.axis == 0 else ends[:, ::-1]


def draw_cells(rooms: int, rng: np.random.Generator) -> list[Rectangle]:
    """Draw ``rooms`` cells of a rectangular or L-shaped footprint; the corridor is the last.

    Raises:
        LayoutFailed: this draw came to cells that are too small or not connected.
    """
    corridor = rooms >= 4 and rng.random() < 0.6
    drop_corner = rooms >= 3 and rng.random() < 0.4
    footprint = _draw_footprint(rooms + drop_corner, rng)
    parts = _cut_corridor(footprint, rng) if corridor else [footprint]
    hall = parts[2:]
    cells = parts[:2]
    while len(cells) < rooms - corridor + drop_corner:
        largest = max(range(len(cells)), key=lambda index: cells[index].area_m2)
        cells[largest:largest + 1] = cells[largest].split(rng)
    if drop_corner:
        cells = _without_a_corner(cells, hall, footprint, rng)
    return cells + hall


def draw_large_cells(rooms: int, rng: np.random.Generator) -> list[Rectangle]:
    """Draw ``rooms`` cells of a building: wings along a main corridor, some with their own.

    Corners of the footprint may be missing; corridors are the last cells, and count.

    Raises:
        LayoutFailed: this draw came to cells that are too small or not connected.
    """
    dropped = int(rng.integers(3))
    area_dm2 = 100 * rooms * rng.uniform(*AREA_PER_LARGE_ROOM_M2)
    footprint = _rectangle(area_dm2, rng.uniform(1.0, 2.2), rng)
    first, second, main = _cut_corridor(footprint, rng)
    cells, halls = [], [main]
    for wing in (first, second):
        parts = [wing]
        if min(wing.sides_dm) >= DEEP_WING_DM and rng.random() < 0.7:
            parts = _cut_corridor(wing, rng, along=1 if footprint.x1 >= footprint.y1 else 0)
        cells += parts[:2]
        halls += parts[2:]
    while len(cells) < rooms - len(halls) + dropped:
        largest = max(range(len(cells)), key=lambda index: cells[index].area_m2)
        cells[largest:largest + 1] = cells[largest].split(rng)
    for _ in range(dropped):
        cells = _without_a_corner(cells, halls, footprint, rng)
    return cells + halls


def _draw_footprint(cells: int, rng: np.random.Generator) -> Rectangle:
    area_dm2 = 100 * (EXTRA_AREA_M2 + cells * rng.uniform(*AREA_PER_ROOM_M2))
    return _rectangle(area_dm2, rng.uniform(1.0, 1.7), rng)


def _rectangle(area_dm2: float, aspect: float, rng: np.random.Generator) -> Rectangle:
    width, height = math.sqrt(area_dm2 * aspect), math.sqrt(area_dm2 / aspect)
    if rng.random() < 0.5:
        width, height = height, width
    return Rectangle(0, 0, round(width), round(height))


def _cut_corridor(cell: Rectangle, rng: np.random.Generator, *,
                  along: int | None = None) -> list[Rectangle]:
    """Two wings and the corridor between them, along x (0), y (1) or the longer side (None)."""
    wide = int(rng.integers(12, 16))
    along = int(cell.sides_dm[0] < cell.sides_dm[1]) if along is None else along
    across = cell.sides_dm[1 - along]
    low = round((across - wide) * rng.uniform(0.4, 0.6))
    if min(low, across - wide - low) < MIN_SIDE_DM:
        raise LayoutFailed(f'no corridor fits into {across} dm')
    if along == 0:
        low += cell.y0
        return [dataclasses.replace(cell, y1=low),
                dataclasses.replace(cell, y0=low + wide),
                dataclasses.replace(cell, y0=low, y1=low + wide, corridor=True)]
    low += cell.x0
    return [dataclasses.replace(cell, x1=low),
            dataclasses.replace(cell, x0=low + wide),
            dataclasses.replace(cell, x0=low, x1=low + wide, corridor=True)]


def _without_a_corner(cells: list[Rectangle], hall: list[Rectangle], footprint: Rectangle,
                      rng: np.random.Generator) -> list[Rectangle]:
    """Leave one corner cell out, which makes the footprint L-shaped."""
    for index in rng.permutation(len(cells)):
        cell = cells[index]
        corner = ({cell.x0, cell.x1} & {footprint.x0, footprint.x1}
                  and {cell.y0, cell.y1} & {footprint.y0, footprint.y1})
        rest = cells[:index] + cells[index + 1:]
        if corner and is_connected(rest + hall):
            return rest
    raise LayoutFailed('no corner can be left out')


def shared_walls(cells: list[Rectangle]) -> list[SharedWall]:
    """All stretches where a door fits."""
    return [wall for wall in _touching(cells) if wall.fits_door]


def _touching(cells: list[Rectangle]) -> Iterator[SharedWall]:
    for first, a in enumerate(cells):
        for second in range(first + 1, len(cells)):
            b = cells[second]
            low_x, high_x = max(a.x0, b.x0), min(a.x1, b.x1)
            low_y, high_y = max(a.y0, b.y0), min(a.y1, b.y1)
            if low_x == high_x and low_y < high_y:
                yield SharedWall(first, second, 1, low_x, low_y, high_y)
            elif low_y == high_y and low_x < high_x:
                yield SharedWall(first, second, 0, low_y, low_x, high_x)


def is_connected(cells: list[Rectangle]) -> bool:
    """Whether doors can join all cells."""
    weights = np.zeros((len(cells),) * 2)
    for wall in shared_walls(cells):
        weights[wall.first, wall.second] = 1.0
    return csgraph.connected_components(weights, directed=False)[0] == 1


def draw_doors_m(cells: list[Rectangle], rng: np.random.Generator, *,
                 loop_probability: float = 0.25) -> list[np.ndarray]:
    """Draw doors that join all cells, and some more; each is its two ends, (2, 2) metres.

    Raises:
        LayoutFailed: the cells cannot be joined.
    """
    walls = shared_walls(cells)
    weights = np.zeros((len(cells),) * 2)
    for wall in walls:
        # People enter rooms from the corridor where there is one.
        easy = cells[wall.first].corridor or cells[wall.second].corridor
        weights[wall.first, wall.second] = rng.uniform(0.1, 1.0) * (0.05 if easy else 1.0)
    tree = csgraph.minimum_spanning_tree(weights).toarray() > 0
    if np.count_nonzero(tree) != len(cells) - 1:
        raise LayoutFailed('cells do not share walls that are long enough for doors')
    return [wall.draw_door_m(rng) for wall in walls
            if tree[wall.first, wall.second] or rng.random() < loop_probability]
