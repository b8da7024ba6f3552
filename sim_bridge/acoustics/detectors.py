# SPDX-License-Identifier: Apache-2.0
"""Where rays are counted: a cylinder around each listener, found through a spatial hash."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim_bridge.acoustics.kernel import kernel
from sim_bridge.acoustics.visibility import is_clear

RADIUS_M = 0.3
HALF_HEIGHT_M = 0.4
CELL_M = 0.5  # of the hash
_SAMPLES = 200  # of a cylinder's cross-section, for the part of it that walls cut off


class Detectors(NamedTuple):
    """Listeners for the tracer.

    centers : (n, 2) float64, metres; low_m, high_m : the cylinders' ends.
    volume_m3 : (n,) float64, of the part of the cylinder that sees its centre.
    wall_starts (n + 1,), walls (w,) : faces that reach into each cylinder, for that check.
    origin (2,), cell_starts (ny * nx + 1,), members (k,), shape (2,) : the hash.
    """

    centers: np.ndarray
    low_m: float
    high_m: float
    volume_m3: np.ndarray
    wall_starts: np.ndarray
    walls: np.ndarray
    origin: np.ndarray
    cell_starts: np.ndarray
    members: np.ndarray
    shape: np.ndarray


def build_detectors(centers: np.ndarray, faces: np.ndarray, *, height_m: float,
                    ceiling_m: float) -> Detectors:
    """Lay out cylinders around ``centers``, (n, 2) metres; ``faces`` are the enclosure's."""
    centers = np.ascontiguousarray(centers, np.float64).reshape(-1, 2)
    low_m, high_m = max(height_m - HALF_HEIGHT_M, 0.0), min(height_m + HALF_HEIGHT_M, ceiling_m)
    standing = (faces[:, 5] < high_m) & (faces[:, 6] > low_m)
    near = [np.flatnonzero(standing & (_distance_m(center, faces) < RADIUS_M))
            for center in centers]
    area_m2 = np.array([_seen_area_m2(center, faces[walls])
                        for center, walls in zip(centers, near)])
    origin, shape, cell_starts, members = _hash(centers)
    return Detectors(centers, low_m, high_m, area_m2 * (high_m - low_m),
                     np.cumsum([0] + [len(walls) for walls in near]),
                     np.concatenate([*near, np.empty(0, np.int64)]), origin, cell_starts, members,
                     shape)


def _distance_m(center: np.ndarray, faces: np.ndarray) -> np.ndarray:
    along = np.sum((center - faces[:, :2]) * faces[:, 2:4], axis=1)
    foot = faces[:, :2] + np.clip(along, 0.0, faces[:, 4])[:, None] * faces[:, 2:4]
    return np.hypot(*(center - foot).T)


def _seen_area_m2(center: np.ndarray, faces: np.ndarray) -> float:
    """Area of the disc that walls do not hide from its centre, by a sunflower of samples."""
    index = np.arange(_SAMPLES) + 0.5
    radius_m = RADIUS_M * np.sqrt(index / _SAMPLES)
    angle_rad = index * np.pi * (3.0 - np.sqrt(5.0))
    points = center + np.column_stack([radius_m * np.cos(angle_rad), radius_m * np.sin(angle_rad)])
    seen = sum(is_clear(faces, *center, *point) for point in points) if len(faces) else _SAMPLES
    return np.pi * RADIUS_M ** 2 * max(seen, 1) / _SAMPLES


def _hash(centers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Put each disc into all cells that its bounding box meets."""
    origin = centers.min(axis=0) - RADIUS_M - 1e-6
    shape = np.floor((centers.max(axis=0) + RADIUS_M - origin) / CELL_M).astype(np.int64) + 1
    first = np.floor((centers - RADIUS_M - origin) / CELL_M).astype(np.int64)
    last = np.floor((centers + RADIUS_M - origin) / CELL_M).astype(np.int64)
    cells, members = [], []
    for index, ((x0, y0), (x1, y1)) in enumerate(zip(first, last)):
        for row in range(y0, y1 + 1):
            for column in range(x0, x1 + 1):
                cells.append(row * shape[0] + column)
                members.append(index)
    order = np.argsort(cells, kind='stable')
    counts = np.bincount(cells, minlength=shape[0] * shape[1])
    return origin, shape, np.concatenate([[0], np.cumsum(counts)]), np.array(members)[order]


@kernel
def chord(detectors, index, x, y, z, dx, dy, dz, leg_m):
    """Part of a leg inside a cylinder: (from_m, to_m) along it, empty where to_m <= from_m."""
    rel_x, rel_y = x - detectors.centers[index, 0], y - detectors.centers[index, 1]
    flat = dx * dx + dy * dy
    half = rel_x * dx + rel_y * dy
    inside = half * half - flat * (rel_x * rel_x + rel_y * rel_y - RADIUS_M * RADIUS_M)
    if inside <= 0.0 or flat < 1e-12:
        return 0.0, 0.0
    root = np.sqrt(inside)
    from_m, to_m = max((-half - root) / flat, 0.0), min((-half + root) / flat, leg_m)
    if abs(dz) > 1e-9:
        a, b = (detectors.low_m - z) / dz, (detectors.high_m - z) / dz
        from_m, to_m = max(from_m, min(a, b)), min(to_m, max(a, b))
    elif z < detectors.low_m or z > detectors.high_m:
        return 0.0, 0.0
    return from_m, to_m


@kernel
def sees_center(detectors, faces, index, x, y):
    """Tell whether a point in a cylinder is on the same side of all walls as its centre."""
    for slot in range(detectors.wall_starts[index], detectors.wall_starts[index + 1]):
        wall = detectors.walls[slot]
        if not is_clear(faces[wall:wall + 1], x, y, detectors.centers[index, 0],
                        detectors.centers[index, 1]):
            return False
    return True
