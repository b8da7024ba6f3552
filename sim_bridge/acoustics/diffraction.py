# SPDX-License-Identifier: Apache-2.0
"""Wall ends and door jambs that sound bends around, and what each bend costs."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sim_bridge.acoustics.bands import SPEED_OF_SOUND_MPS
from sim_bridge.acoustics.corners import distinct_ends
from sim_bridge.acoustics.corners import open_direction
from sim_bridge.acoustics.kernel import kernel
from sim_bridge.acoustics.visibility import faces_at_height
from sim_bridge.acoustics.visibility import is_clear
from sim_bridge.house.materials import BAND_CENTERS_HZ

_OFFSET_M = 1e-3  # a corner stands this far off its wall, in the open
GRAZING_DB = 5.0  # loss at the boundary of the shadow
MAX_LOSS_DB = 25.0  # of one bend; thin screens do not reach more in practice
_LIT_LIMIT = 1.1  # where the loss on the lit side has come down to 0 dB
_WAVENUMBERS = np.array(BAND_CENTERS_HZ) * 2.0 / SPEED_OF_SOUND_MPS  # Fresnel number per metre


@dataclasses.dataclass(frozen=True, eq=False)
class CornerGraph:
    """The corners of a plan and which of them see each other.

    faces : (m, 9) float64, those of the enclosure that stand at the height of the ears.
    points : (c, 2) float64, metres.
    outward : (c, 2) float64, unit vectors into the open, away from the wall.
    length_m : (c, c) float64, straight lines between corners; inf where a wall stands between.
    """

    faces: np.ndarray
    points: np.ndarray
    outward: np.ndarray
    length_m: np.ndarray

    @classmethod
    def from_faces(cls, faces: np.ndarray, height_m: float) -> CornerGraph:
        """Find the corners of all faces, (m, 9), that reach through ``height_m``."""
        faces = np.ascontiguousarray(faces_at_height(faces, height_m))
        found = [(end, open_direction(end, faces)) for end in distinct_ends(faces)]
        found = [pair for pair in found if pair[1] is not None]
        ends, outward = np.array(found).reshape(-1, 2, 2).transpose(1, 0, 2).copy()
        points = ends + _OFFSET_M * outward
        return cls(faces, points, outward, _visible_lengths(faces, points))


@kernel
def _visible_lengths(faces, points):
    count = points.shape[0]
    length_m = np.full((count, count), np.inf)
    for a in range(count):
        for b in range(a):
            dx, dy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
            straight_m = math.hypot(dx, dy)
            # Two doors in one straight wall see each other along it, on either side of it.
            for side in (0.0, _OFFSET_M, -_OFFSET_M):
                x, y = -side * dy / straight_m, side * dx / straight_m
                if is_clear(faces, points[a, 0] + x, points[a, 1] + y,
                            points[b, 0] + x, points[b, 1] + y):
                    length_m[a, b] = length_m[b, a] = straight_m
                    break
    return length_m


@kernel
def shortest_from(faces, points, length_m, x, y):
    """Dijkstra from a source over the corners.

    Returns:
        (c,) float64 shortest lengths (inf if out of reach), and (c,) int64 the corner before
        each, -1 where that is the source.
    """
    count = points.shape[0]
    shortest_m, before = np.full(count, np.inf), np.full(count, -1)
    for c in range(count):
        if is_clear(faces, x, y, points[c, 0], points[c, 1]):
            shortest_m[c] = math.hypot(points[c, 0] - x, points[c, 1] - y)
    done = np.zeros(count, np.bool_)
    for _ in range(count):
        nearest, nearest_m = -1, np.inf
        for c in range(count):
            if not done[c] and shortest_m[c] < nearest_m:
                nearest, nearest_m = c, shortest_m[c]
        if nearest < 0:
            break
        done[nearest] = True
        for c in range(count):
            if nearest_m + length_m[nearest, c] < shortest_m[c]:
                shortest_m[c] = nearest_m + length_m[nearest, c]
                before[c] = nearest
    return shortest_m, before


@kernel
def add_shadow_loss_db(loss_db, detour_m):
    """Add the loss of a bend, by band, to (6,) ``loss_db``.

    Kurze and Anderson's fit of Maekawa's curve for a thin screen, with N = 2 detour / wavelength:
    5 + 20 log10(x / tanh x), x = sqrt(2 pi N).
    """
    for band in range(loss_db.shape[0]):
        x = math.sqrt(2.0 * math.pi * _WAVENUMBERS[band] * max(detour_m, 0.0))
        ratio = x / math.tanh(x) if x > 1e-6 else 1.0
        loss_db[band] += min(GRAZING_DB + 20.0 * math.log10(ratio), MAX_LOSS_DB)


@kernel
def add_lit_loss_db(loss_db, detour_m):
    """Add the loss of passing close by an edge: from 5 dB at the shadow's boundary down to 0.

    The lit branch of the same curve: 5 + 20 log10(x / tan x), so that level is continuous where
    a path begins to bend.
    """
    for band in range(loss_db.shape[0]):
        x = math.sqrt(2.0 * math.pi * _WAVENUMBERS[band] * max(detour_m, 0.0))
        if x < 1e-6:
            loss_db[band] += GRAZING_DB
        elif x < _LIT_LIMIT:
            loss_db[band] += max(GRAZING_DB + 20.0 * math.log10(x / math.tan(x)), 0.0)
