# SPDX-License-Identifier: Apache-2.0
"""A house as plain geometry: rooms, doors, furniture, and the wall faces that follow from them.

Metres; x and y on the floor, z up; yaw counter-clockwise from +x (REP-103).
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from sim_bridge.house.materials import MATERIALS

ON_WALL_TOLERANCE_M = 0.01  # a door counts as on a wall that is at most this far away


@dataclasses.dataclass(frozen=True, eq=False)
class Room:
    """A room; ``polygon`` is (n, 2) float64, simple, counter-clockwise, without repetition."""

    name: str
    polygon: np.ndarray
    wall_material: str = 'plaster_white'
    floor_material: str = 'parquet'
    ceiling_material: str = 'ceiling_plaster'

    def __post_init__(self) -> None:
        polygon = without_repeats(_points('polygon', self.polygon))
        if len(polygon) < 3:
            raise ValueError(f'polygon must have 3 points or more, got {len(polygon)}')
        if signed_area_m2(polygon) < 0:
            polygon = polygon[::-1]
        object.__setattr__(self, 'polygon', _frozen(polygon))
        for material in (self.wall_material, self.floor_material, self.ceiling_material):
            _check_material(material)

    @property
    def area_m2(self) -> float:
        """Floor area."""
        return signed_area_m2(self.polygon)

    def contains(self, xy: np.ndarray) -> np.ndarray:
        """Tell which points, (m, 2), are inside: (m,) bool by the even-odd rule."""
        x, y = np.asarray(xy, np.float64).reshape(-1, 2).T[:, :, None]
        (x0, y0), (x1, y1) = self.polygon.T, np.roll(self.polygon, -1, axis=0).T
        crosses = (y0 > y) != (y1 > y)
        slope = (x1 - x0) / np.where(y1 == y0, 1.0, y1 - y0)
        return np.count_nonzero(crosses & (x < x0 + slope * (y - y0)), axis=1) % 2 == 1


@dataclasses.dataclass(frozen=True, eq=False)
class Door:
    """An opening from the floor to ``height_m`` on a wall that two rooms share."""

    start: np.ndarray
    end: np.ndarray
    height_m: float = 2.0

    def __post_init__(self) -> None:
        object.__setattr__(self, 'start', _frozen(_point('start', self.start)))
        object.__setattr__(self, 'end', _frozen(_point('end', self.end)))
        if not self.height_m > 0:
            raise ValueError(f'height_m must be positive, got {self.height_m}')
        if not self.width_m > 0:
            raise ValueError(f'start and end must differ, got {self.start} twice')

    @property
    def width_m(self) -> float:
        """Clear width of the opening."""
        return float(np.hypot(*(self.end - self.start)))

    @property
    def center(self) -> np.ndarray:
        """Middle of the opening, (2,)."""
        return (self.start + self.end) / 2


@dataclasses.dataclass(frozen=True, eq=False)
class Furniture:
    """A piece of furniture; its footprint is an oriented rectangle.

    size_m : (width, depth, height); width along local x, depth along local y. The front looks
        along local -y, so at ``yaw_rad`` 0 the back stands at a wall to the north.
    model : key of a 3-D model in ``furniture_models.json``; None is a plain box.
    """

    category: str
    center: np.ndarray
    yaw_rad: float
    size_m: tuple[float, float, float]
    elevation_m: float = 0.0
    material: str = 'wood'
    model: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, 'center', _frozen(_point('center', self.center)))
        object.__setattr__(self, 'size_m', tuple(float(value) for value in self.size_m))
        if len(self.size_m) != 3 or not all(np.isfinite(v) and v > 0 for v in self.size_m):
            raise ValueError(f'size_m must be 3 positive lengths, got {self.size_m}')
        if not np.isfinite((self.yaw_rad, self.elevation_m)).all() or self.elevation_m < 0:
            raise ValueError(f'yaw_rad must be finite and elevation_m >= 0, got '
                             f'{self.yaw_rad} and {self.elevation_m}')
        _check_material(self.material)

    @property
    def axes(self) -> np.ndarray:
        """Unit vectors of local x and y as rows, (2, 2)."""
        cos, sin = exact_cos_sin(self.yaw_rad)
        return np.array([[cos, sin], [-sin, cos]])

    @property
    def footprint(self) -> np.ndarray:
        """Corners on the floor, (4, 2), counter-clockwise."""
        half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array(self.size_m[:2]) / 2
        return self.center + half @ self.axes


@dataclasses.dataclass(frozen=True, eq=False)
class WallSegment:
    """One vertical wall face; the room that it belongs to lies on the LEFT of start -> end."""

    start: np.ndarray
    end: np.ndarray
    bottom_m: float
    top_m: float
    material: str
    room: int

    @property
    def normal(self) -> np.ndarray:
        """Unit normal into the room, (2,)."""
        along = self.end - self.start
        return np.array([-along[1], along[0]]) / np.hypot(*along)


@dataclasses.dataclass(frozen=True, eq=False)
class House:
    """Rooms that share walls, the doors between them and what stands in them."""

    name: str
    rooms: tuple[Room, ...]
    doors: tuple[Door, ...] = ()
    furniture: tuple[Furniture, ...] = ()
    wall_height_m: float = 2.5

    def __post_init__(self) -> None:
        for field in ('rooms', 'doors', 'furniture'):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        if not self.rooms:
            raise ValueError('rooms must not be empty')
        if not (np.isfinite(self.wall_height_m) and self.wall_height_m > 0):
            raise ValueError(f'wall_height_m must be positive, got {self.wall_height_m}')

    def walls(self) -> tuple[WallSegment, ...]:
        """Wall faces, one per room on a shared wall, with doors cut out and lintels above."""
        return self._walls

    @functools.cached_property
    def _walls(self) -> tuple[WallSegment, ...]:
        faces: list[WallSegment] = []
        for index, room in enumerate(self.rooms):
            for start, end in zip(room.polygon, np.roll(room.polygon, -1, axis=0)):
                faces.extend(self._faces_of_edge(start, end, index))
        return tuple(faces)

    def _faces_of_edge(self, start: np.ndarray, end: np.ndarray, room: int) -> list[WallSegment]:
        length_m = float(np.hypot(*(end - start)))
        along = (end - start) / length_m
        material = self.rooms[room].wall_material

        def face(from_m: float, to_m: float, bottom_m: float) -> WallSegment:
            first = start if from_m == 0.0 else start + from_m * along
            last = end if to_m == length_m else start + to_m * along
            return WallSegment(_frozen(first), _frozen(last), bottom_m, self.wall_height_m,
                               material, room)

        faces, reached_m = [], 0.0
        for from_m, to_m, height_m in self._openings(start, along, length_m):
            if from_m > reached_m:
                faces.append(face(reached_m, from_m, 0.0))
            if height_m < self.wall_height_m:
                faces.append(face(max(from_m, reached_m), to_m, height_m))
            reached_m = max(reached_m, to_m)
        if reached_m < length_m:
            faces.append(face(reached_m, length_m, 0.0))
        return faces

    def _openings(self, start: np.ndarray, along: np.ndarray,
                  length_m: float) -> list[tuple[float, float, float]]:
        """Doors on an edge as sorted (from_m, to_m, height_m) along it."""
        found = []
        for door in self.doors:
            interval = interval_on_edge(door, start, along, length_m)
            if interval is not None:
                found.append((*interval, door.height_m))
        return sorted(found)

    def room_at(self, xy: np.ndarray) -> int:
        """Index of the room at a point, (2,); -1 outside."""
        return int(self.rooms_at(np.reshape(xy, (1, 2)))[0])

    def rooms_at(self, xy: np.ndarray) -> np.ndarray:
        """Index of the room at each point, (m, 2) -> (m,) int64; -1 outside."""
        found = np.full(len(xy), -1)
        for index in reversed(range(len(self.rooms))):
            found[self.rooms[index].contains(xy)] = index
        return found

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest x and y of the rooms, each (2,)."""
        points = np.concatenate([room.polygon for room in self.rooms])
        return points.min(axis=0), points.max(axis=0)


def interval_on_edge(door: Door, start: np.ndarray, along: np.ndarray,
                     length_m: float) -> tuple[float, float] | None:
    """Where a door lies on the edge from ``start`` in unit direction ``along``, or None."""
    offsets = np.array([door.start, door.end]) - start
    across = offsets @ np.array([-along[1], along[0]])
    if np.abs(across).max() > ON_WALL_TOLERANCE_M:
        return None
    from_m, to_m = sorted(float(value) for value in offsets @ along)
    from_m, to_m = max(from_m, 0.0), min(to_m, length_m)
    return (from_m, to_m) if to_m - from_m > ON_WALL_TOLERANCE_M else None


def signed_area_m2(polygon: np.ndarray) -> float:
    """Area of a polygon, (n, 2); positive when it is counter-clockwise."""
    x, y = np.asarray(polygon, np.float64).T
    return 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def exact_cos_sin(angle_rad: float) -> tuple[float, float]:
    """Cosine and sine, free of rounding at multiples of a quarter turn."""
    quarters = angle_rad / (np.pi / 2)
    if abs(quarters - round(quarters)) < 1e-9:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarters) % 4]
    return float(np.cos(angle_rad)), float(np.sin(angle_rad))


def _points(name: str, value: np.ndarray) -> np.ndarray:
    points = np.array(value, np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f'{name} must be (n, 2), got {points.shape}')
    if not np.isfinite(points).all():
        raise ValueError(f'{name} must be finite, got NaN or infinity')
    return points


def without_repeats(polygon: np.ndarray) -> np.ndarray:
    """Drop points of a ring, (n, 2), that the next one repeats; the first follows the last."""
    step = np.roll(polygon, -1, axis=0) - polygon
    return polygon[np.hypot(*step.T) > 1e-9]


def _point(name: str, value: np.ndarray) -> np.ndarray:
    point = np.array(value, np.float64)
    if point.shape != (2,):
        raise ValueError(f'{name} must be (2,), got {point.shape}')
    return _points(name, point[None])[0]


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    array.setflags(write=False)
    return array


def _check_material(name: str) -> None:
    if name not in MATERIALS:
        raise ValueError(f'material must be one of {sorted(MATERIALS)}, got {name!r:.40}')
