# SPDX-License-Identifier: Apache-2.0
"""What sound meets in a house, as plain arrays: wall faces, floor and ceiling."""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from sim_bridge.acoustics.bands import BANDS
from sim_bridge.acoustics.corners import free_ends
from sim_bridge.house.materials import Material
from sim_bridge.house.materials import MATERIALS
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House

CELL_M = 0.1  # of the floor and ceiling maps
_FURNITURE_SCATTERING = 0.5  # at least: a box stands for edges, legs and cushions


class SurfaceMap(NamedTuple):
    """Which material lies where on the floor or the ceiling.

    labels : (ny, nx) int16, rows into the two tables; cell (0, 0) begins at ``origin``.
    reflectance : (k, 6) float64, 1 - absorption.
    scattering : (k,) float64.
    """

    origin: np.ndarray
    labels: np.ndarray
    reflectance: np.ndarray
    scattering: np.ndarray


class Faces(NamedTuple):
    """Vertical faces.

    geometry : (m, 9) float64: x0, y0, unit direction x and y, length, bottom, top, and whether
        the start and the end jut into the open (1) or meet other walls (0). A face reflects on
        the LEFT of its direction. What touches the floor or the ceiling reaches beyond it, so
        that nothing slips through the joint.
    reflectance : (m, 6) float64, 1 - absorption.
    scattering : (m,) float64.
    """

    geometry: np.ndarray
    reflectance: np.ndarray
    scattering: np.ndarray


def vertical_faces(segments: np.ndarray, absorption: np.ndarray, scattering: np.ndarray, *,
                   height_m: float, bottoms_m: np.ndarray | None = None,
                   tops_m: np.ndarray | None = None) -> Faces:
    """Build faces on plan segments (m, 4) = x0, y0, x1, y1 metres, with (m, 6) absorption.

    They reach from the floor to ``height_m`` unless ``bottoms_m`` and ``tops_m``, (m,), say
    otherwise.

    Raises:
        ValueError: an array has the wrong shape, or a segment has no length.
    """
    segments = np.asarray(segments, np.float64).reshape(-1, 4)
    count = len(segments)
    along = segments[:, 2:] - segments[:, :2]
    length_m = np.hypot(*along.T)
    if not (length_m > 0).all():
        raise ValueError(f'segments must have a length, got {segments[~(length_m > 0)][:1]}')
    bottoms = np.zeros(count) if bottoms_m is None else _shaped('bottoms_m', bottoms_m, (count,))
    tops = np.full(count, height_m) if tops_m is None else _shaped('tops_m', tops_m, (count,))
    geometry = np.column_stack([
        segments[:, :2], along / length_m[:, None], length_m,
        np.where(bottoms <= 0, -np.inf, bottoms), np.where(tops >= height_m, np.inf, tops)])
    geometry = np.column_stack([geometry, free_ends(geometry)])
    return Faces(geometry, 1.0 - _shaped('absorption', absorption, (count, BANDS)),
                 _shaped('scattering', scattering, (count,)))


@dataclasses.dataclass(frozen=True, eq=False)
class Enclosure:
    """Walls between a floor at 0 and a ceiling at ``height_m``, and furniture.

    Walls stop sound from both sides. Furniture, where there is any, takes part in the late field
    alone: it casts no shadow on sharp arrivals.
    """

    walls: Faces
    floor: SurfaceMap
    ceiling: SurfaceMap
    height_m: float
    furniture: Faces | None = None

    @classmethod
    def from_house(cls, house: House) -> Enclosure:
        """Adapt a house: walls as they are, furniture as boxes."""
        walls = house.walls()
        materials = [MATERIALS[wall.material] for wall in walls]
        polygons = [room.polygon for room in house.rooms]
        pieces = [piece for piece in house.furniture if piece.elevation_m < house.wall_height_m]
        floors = [_surface(MATERIALS[room.floor_material]) for room in house.rooms]
        ceilings = [_surface(MATERIALS[room.ceiling_material]) for room in house.rooms]
        return cls(
            vertical_faces(np.array([[*wall.start, *wall.end] for wall in walls]),
                           [material.absorption for material in materials],
                           [material.scattering for material in materials],
                           bottoms_m=[wall.bottom_m for wall in walls],
                           tops_m=[wall.top_m for wall in walls], height_m=house.wall_height_m),
            surface_map(polygons + [piece.footprint for piece in pieces],
                        floors + [_furniture_surface(piece) for piece in pieces]),
            surface_map(polygons, ceilings), house.wall_height_m,
            _furniture_sides(pieces, house.wall_height_m))

    def with_furniture(self) -> Faces:
        """Walls, then the sides of furniture."""
        if self.furniture is None:
            return self.walls
        return Faces(*(np.concatenate(pair) for pair in zip(self.walls, self.furniture)))


def _furniture_sides(pieces: Sequence[Furniture], height_m: float) -> Faces | None:
    """The four sides of each box, facing outward; its open top leads to its patch of floor."""
    if not pieces:
        return None
    corners = np.array([piece.footprint[::-1] for piece in pieces])  # clockwise: left is outside
    surfaces = [_furniture_surface(piece) for piece in pieces for _ in range(4)]
    bottoms_m = np.repeat([piece.elevation_m for piece in pieces], 4)
    return vertical_faces(
        np.concatenate([corners, np.roll(corners, -1, axis=1)], axis=2).reshape(-1, 4),
        [surface[0] for surface in surfaces], [surface[1] for surface in surfaces],
        bottoms_m=bottoms_m, height_m=height_m,
        tops_m=bottoms_m + np.repeat([piece.size_m[2] for piece in pieces], 4))


def surface_map(polygons: Sequence[np.ndarray],
                surfaces: Sequence[tuple[np.ndarray, float]]) -> SurfaceMap:
    """Paint polygons, (n, 2) metres each, onto a raster; later ones cover earlier ones.

    ``surfaces`` are (absorption (6,), scattering) of each polygon. Cells outside of all polygons
    take the nearest label.
    """
    points = np.concatenate(polygons)
    low = points.min(axis=0) - CELL_M
    shape = np.ceil((points.max(axis=0) + CELL_M - low) / CELL_M).astype(int)
    labels = np.full(shape[::-1], -1, np.int16)
    for label, polygon in enumerate(polygons):
        _paint(labels, low, np.asarray(polygon, np.float64), label)
    nearest = ndimage.distance_transform_edt(labels < 0, return_distances=False,
                                             return_indices=True)
    return SurfaceMap(low, np.ascontiguousarray(labels[tuple(nearest)]),
                      1.0 - np.array([surface[0] for surface in surfaces], np.float64),
                      np.array([surface[1] for surface in surfaces], np.float64))


def _paint(labels: np.ndarray, low: np.ndarray, polygon: np.ndarray, label: int) -> None:
    """Set the cells whose centre lies inside, by the even-odd rule, within the bounding box."""
    first = np.maximum(np.floor((polygon.min(axis=0) - low) / CELL_M).astype(int), 0)
    last = np.ceil((polygon.max(axis=0) - low) / CELL_M).astype(int)
    window = labels[first[1]:last[1], first[0]:last[0]]
    rows, columns = np.indices(window.shape)
    x = low[0] + (first[0] + columns + 0.5) * CELL_M
    y = low[1] + (first[1] + rows + 0.5) * CELL_M
    inside = np.zeros(window.shape, bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0)):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (x1 - x0) / (y1 - y0) * (y - y0))
    window[inside] = label


def _surface(material: Material) -> tuple[np.ndarray, float]:
    return np.array(material.absorption), material.scattering


def _furniture_surface(piece: Furniture) -> tuple[np.ndarray, float]:
    absorption, scattering = _surface(MATERIALS[piece.material])
    return absorption, max(scattering, _FURNITURE_SCATTERING)


def _shaped(name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(array, np.float64)
    if array.shape != shape:
        raise ValueError(f'{name} must be {shape}, got {array.shape}')
    if np.isnan(array).any():
        raise ValueError(f'{name} must not have NaN')
    return array
