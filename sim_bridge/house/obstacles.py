# SPDX-License-Identifier: Apache-2.0
"""Where a round robot fits: distances to walls and furniture on the floor plan."""

from __future__ import annotations

import numpy as np

from sim_bridge.house.plan import House
from sim_bridge.house.plan import ON_WALL_TOLERANCE_M

ROBOT_HEIGHT_M = 1.5  # SoundSpaces' agent; what hangs higher is no obstacle
_TOLERANCE_M = 1e-9
_BLOCK_ENTRIES = 1 << 18


class ObstacleMap:
    """Collision tests for a circle of ``radius_m`` in a house.

    segments : (s, 2, 2) wall pieces and furniture edges as (start, end).
    """

    def __init__(self, house: House, radius_m: float) -> None:
        if not (np.isfinite(radius_m) and radius_m >= 0):
            raise ValueError(f'radius_m must be finite and >= 0, got {radius_m}')
        self.house = house
        self.radius_m = float(radius_m)
        walls = [(wall.start, wall.end) for wall in house.walls()
                 if wall.bottom_m < ROBOT_HEIGHT_M]
        self._footprints = [piece.footprint for piece in house.furniture
                            if piece.elevation_m < ROBOT_HEIGHT_M]
        edges = [edge for corners in self._footprints
                 for edge in zip(corners, np.roll(corners, -1, axis=0))]
        self.segments = np.array(walls + edges, np.float64).reshape(-1, 2, 2)
        self._doors = np.array([(door.start, door.end) for door in house.doors],
                               np.float64).reshape(-1, 2, 2)

    def clearance_m(self, xy: np.ndarray) -> np.ndarray:
        """Distance of each point, (m, 2), to the nearest wall or furniture: (m,); 0 inside."""
        xy = np.asarray(xy, np.float64).reshape(-1, 2)
        distance = _nearest_m(xy, self.segments)
        return np.where(self._inside_house(xy) & ~self._inside_furniture(xy), distance, 0.0)

    def free(self, xy: np.ndarray) -> np.ndarray:
        """Tell where the circle fits: centres (m, 2) -> (m,) bool."""
        xy = np.asarray(xy, np.float64).reshape(-1, 2)
        fits = _nearest_m(xy, self.segments) >= self.radius_m - _TOLERANCE_M
        fits[fits] = self._inside_house(xy[fits]) & ~self._inside_furniture(xy[fits])
        return fits

    def clear(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Tell where the circle can be swept straight from a to b: (m, 2), (m, 2) -> (m,) bool.

        Both ends must fit and no wall or furniture may come nearer than the radius on the way.
        """
        a = np.asarray(a, np.float64).reshape(-1, 2)
        b = np.asarray(b, np.float64).reshape(-1, 2)
        possible = self.free(a) & self.free(b)
        possible[possible] = self._sweep_clear(a[possible], b[possible])
        return possible

    def _sweep_clear(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if not len(self.segments):
            return np.ones(len(a), bool)
        # free() has tested a and b: what is left are crossings and wall ends beside the path.
        paths = np.stack([a, b], axis=1)
        beside = np.ones(len(a), bool)
        for block in _blocks(len(a), len(self.segments)):
            ends = _point_segment_m(self.segments.reshape(-1, 2), paths[block])
            crossed = _segments_cross(a[block], b[block], self.segments).any(axis=1)
            beside[block] = (ends.min(axis=0) >= self.radius_m - _TOLERANCE_M) & ~crossed
        return beside

    def _inside_house(self, xy: np.ndarray) -> np.ndarray:
        in_room = self.house.rooms_at(xy) >= 0
        if len(self._doors) and not in_room.all():
            # Rooms drawn by hand may leave a gap in an opening, or a point round to neither.
            in_room |= _nearest_m(xy, self._doors) <= ON_WALL_TOLERANCE_M
        return in_room

    def _inside_furniture(self, xy: np.ndarray) -> np.ndarray:
        inside = np.zeros(len(xy), bool)
        for corners in self._footprints:
            along, across = corners[1] - corners[0], corners[3] - corners[0]
            u = (xy - corners[0]) @ along / (along @ along)
            v = (xy - corners[0]) @ across / (across @ across)
            inside |= (u > 0) & (u < 1) & (v > 0) & (v < 1)
        return inside


def _blocks(rows: int, columns: int) -> list[slice]:
    """Cut ``rows`` so that tables of rows x columns stay in the cache."""
    height = max(1, _BLOCK_ENTRIES // max(1, columns))
    return [slice(first, first + height) for first in range(0, rows, height)]


def _nearest_m(points: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Distance of each point, (m, 2), to the nearest segment: (m,), infinite without any."""
    nearest = np.full(len(points), np.inf)
    for block in _blocks(len(points), len(segments)):
        nearest[block] = _point_segment_m(points[block], segments).min(axis=1, initial=np.inf)
    return nearest


def _point_segment_m(points: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Distances of (m, 2) points to (s, 2, 2) segments: (m, s)."""
    start = segments[:, 0]
    along = segments[:, 1] - start
    squared = np.maximum(np.einsum('sk,sk->s', along, along), 1e-18)
    # Written out per coordinate: half the time of (m, s, 2) temporaries.
    x = points[:, :1] - start[:, 0]
    y = points[:, 1:] - start[:, 1]
    share = np.clip((x * along[:, 0] + y * along[:, 1]) / squared, 0.0, 1.0)
    return np.hypot(x - share * along[:, 0], y - share * along[:, 1])


def _segments_cross(a: np.ndarray, b: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Tell which of the paths a -> b cross which segments: (m, s) bool."""
    def side(start: np.ndarray, end: np.ndarray, point: np.ndarray) -> np.ndarray:
        return ((end[..., 0] - start[..., 0]) * (point[..., 1] - start[..., 1])
                - (end[..., 1] - start[..., 1]) * (point[..., 0] - start[..., 0]))

    a, b = a[:, None], b[:, None]
    start, end = segments[None, :, 0], segments[None, :, 1]
    return ((side(a, b, start) * side(a, b, end) <= 0)
            & (side(start, end, a) * side(start, end, b) < 0))
