# SPDX-License-Identifier: Apache-2.0
"""Where rays are counted: a cylinder around each listener."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim_bridge.acoustics.cell_grid import build_cell_grid
from sim_bridge.acoustics.cell_grid import CellGrid
from sim_bridge.acoustics.kernel import kernel
from sim_bridge.acoustics.visibility import is_clear

RADIUS_M = 0.3
HALF_HEIGHT_M = 0.3
_SAMPLES = 200  # of a cylinder's cross-section, for the part of it that walls cut off


class Detectors(NamedTuple):
    """Listeners for the tracer.

    centers : (n, 2) float64, metres; low_m, high_m : the cylinders' ends.
    volume_m3 : (n,) float64, of the part of the cylinder that sees its centre.
    wall_starts (n + 1,), walls (w,) : faces that reach into each cylinder, for that check.
    grid : which cylinders meet which cells.
    """

    centers: np.ndarray
    low_m: float
    high_m: float
    volume_m3: np.ndarray
    wall_starts: np.ndarray
    walls: np.ndarray
    grid: CellGrid


def build_detectors(centers: np.ndarray, faces: np.ndarray, *, height_m: float,
                    ceiling_m: float) -> Detectors:
    """Lay out cylinders around ``centers``, (n, 2) metres; ``faces`` are the enclosure's."""
    low_m, high_m = max(height_m - HALF_HEIGHT_M, 0.0), min(height_m + HALF_HEIGHT_M, ceiling_m)
    standing = (faces[:, 5] < high_m) & (faces[:, 6] > low_m)
    near = [np.flatnonzero(standing & (_distance_m(center, faces) < RADIUS_M))
            for center in centers]
    area_m2 = np.array([_seen_area_m2(center, faces[walls])
                        for center, walls in zip(centers, near)])
    return Detectors(np.ascontiguousarray(centers), low_m, high_m, area_m2 * (high_m - low_m),
                     np.cumsum([0] + [len(walls) for walls in near]),
                     np.concatenate([*near, np.empty(0, np.int64)]),
                     build_cell_grid(centers - RADIUS_M, centers + RADIUS_M))


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


@kernel
def chord(center_x, center_y, low_m, high_m, position, direction, leg_m):
    """Part of a leg inside a cylinder: (from_m, to_m) along it, empty where to_m <= from_m."""
    x, y, z = position
    dx, dy, dz = direction
    rel_x, rel_y = x - center_x, y - center_y
    flat = dx * dx + dy * dy
    half = rel_x * dx + rel_y * dy
    inside = half * half - flat * (rel_x * rel_x + rel_y * rel_y - RADIUS_M * RADIUS_M)
    if inside <= 0.0 or flat < 1e-12:
        return 0.0, 0.0
    root = np.sqrt(inside)
    from_m, to_m = max((-half - root) / flat, 0.0), min((-half + root) / flat, leg_m)
    if abs(dz) > 1e-9:
        a, b = (low_m - z) / dz, (high_m - z) / dz
        from_m, to_m = max(from_m, min(a, b)), min(to_m, max(a, b))
    elif z < low_m or z > high_m:
        return 0.0, 0.0
    return from_m, to_m
