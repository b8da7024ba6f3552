# SPDX-License-Identifier: Apache-2.0
"""The first arrival: straight where source and listener see each other, else around corners.

The path is the shortest in plan at the height of the ears. It comes from its last corner, is as
long as the string that one would pull tight, and loses level at each bend, by band. Level and
direction are continuous where the listener steps into the shadow of a wall: edges cost 5 dB at
the boundary on both sides of it.
"""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.acoustics.diffraction import add_lit_loss_db
from sim_bridge.acoustics.diffraction import add_shadow_loss_db
from sim_bridge.acoustics.kernel import kernel
from sim_bridge.acoustics.visibility import is_clear

PATHS = 2  # the shortest, and in the shadow the next one around something else
_MAX_CORNERS = 16  # on one path
_MAX_DETOUR = 1.6  # a second path longer than this many shortest ones is dropped


@kernel
def first_paths(faces, points, outward, shortest_m, before, source, listener):
    """Trace the paths from a source to one listener, (2,) each, metres.

    Args:
        faces: (m, 9) that stand at the height of the ears.
        points, outward: (c, 2) of the ``CornerGraph``.
        shortest_m, before: of ``shortest_from`` the source.

    Returns:
        length_m (2,), inf where there is no path; azimuth_rad (2,) in the world, from the
        listener to where the sound comes from; loss_db (2, 6).
    """
    length_m, azimuth_rad = np.full(PATHS, np.inf), np.zeros(PATHS)
    loss_db = np.zeros((PATHS, 6))
    path = np.empty((_MAX_CORNERS + 2, 2))
    path[0] = listener
    if is_clear(faces, source[0], source[1], listener[0], listener[1]):
        path[1] = source
        length_m[0] = math.hypot(source[0] - listener[0], source[1] - listener[1])
        azimuth_rad[0] = math.atan2(source[1] - listener[1], source[0] - listener[0])
        _add_losses(loss_db[0], path[:2], faces, points)
        return length_m, azimuth_rad, loss_db
    last = _last_corners(faces, points, outward, shortest_m, before, source, listener)
    for rank in range(PATHS):
        corner = last[rank]
        if corner < 0:
            break
        offset_x = points[corner, 0] - listener[0]
        offset_y = points[corner, 1] - listener[1]
        length_m[rank] = shortest_m[corner] + math.hypot(offset_x, offset_y)
        azimuth_rad[rank] = math.atan2(offset_y, offset_x)
        size = 1
        while corner >= 0 and size <= _MAX_CORNERS:
            path[size] = points[corner]
            corner, size = before[corner], size + 1
        path[size] = source
        _add_losses(loss_db[rank], path[:size + 1], faces, points)
    return length_m, azimuth_rad, loss_db


@kernel
def _last_corners(faces, points, outward, shortest_m, before, source, listener):
    """Last corners of the shortest path and of the next one that shares no corner with it."""
    count = points.shape[0]
    total_m = np.full(count, np.inf)
    for c in range(count):
        if shortest_m[c] < np.inf and is_clear(faces, listener[0], listener[1],
                                               points[c, 0], points[c, 1]):
            total_m[c] = shortest_m[c] + math.hypot(points[c, 0] - listener[0],
                                                    points[c, 1] - listener[1])
    last = np.full(PATHS, -1)
    if count == 0:
        return last
    best = np.argmin(total_m)
    if total_m[best] == np.inf:
        return last
    last[0] = best
    other_m = _MAX_DETOUR * total_m[best]
    for c in range(count):
        if (total_m[c] < other_m and not _share_corner(before, c, best)
                and _wraps(points, outward, before, source, listener, c)):
            last[1], other_m = c, total_m[c]
    return last


@kernel
def _share_corner(before, a, b):
    while a >= 0:
        c = b
        while c >= 0:
            if a == c:
                return True
            c = before[c]
        a = before[a]
    return False


@kernel
def _wraps(points, outward, before, source, listener, corner):
    """Tell whether the path bends around the wall at its last corner, not away from it."""
    earlier = source if before[corner] < 0 else points[before[corner]]
    in_x, in_y = points[corner, 0] - earlier[0], points[corner, 1] - earlier[1]
    out_x, out_y = listener[0] - points[corner, 0], listener[1] - points[corner, 1]
    in_m, out_m = math.hypot(in_x, in_y), math.hypot(out_x, out_y)
    turn = ((out_x / out_m - in_x / in_m) * outward[corner, 0]
            + (out_y / out_m - in_y / in_m) * outward[corner, 1])
    return turn < 0.0


@kernel
def _add_losses(loss_db, path, faces, points):
    """Sum over the bends of a path and over the edges that its legs pass close by.

    Detours are taken on the path pulled straight up to the corner in question, so that a corner
    that only just begins to count changes nothing for the others.
    """
    legs = path.shape[0] - 1
    total_m = 0.0
    for leg in range(legs):
        total_m += math.hypot(path[leg + 1, 0] - path[leg, 0], path[leg + 1, 1] - path[leg, 1])
    gone_m = 0.0
    for leg in range(legs):
        dx, dy = path[leg + 1, 0] - path[leg, 0], path[leg + 1, 1] - path[leg, 1]
        leg_m = max(math.hypot(dx, dy), 1e-9)
        dx, dy = dx / leg_m, dy / leg_m
        for c in range(points.shape[0]):
            _add_edge_beside(loss_db, faces, points[c], path[leg], dx, dy, leg_m, gone_m,
                             total_m - gone_m - leg_m)
        gone_m += leg_m
        if leg + 1 < legs:
            ahead_x = path[leg + 2, 0] - path[leg + 1, 0]
            ahead_y = path[leg + 2, 1] - path[leg + 1, 1]
            ahead_m = max(math.hypot(ahead_x, ahead_y), 1e-9)
            cos_turn = (dx * ahead_x + dy * ahead_y) / ahead_m
            left_m = total_m - gone_m
            straight_m = math.sqrt(max(gone_m ** 2 + left_m ** 2
                                       + 2.0 * gone_m * left_m * cos_turn, 0.0))
            add_shadow_loss_db(loss_db, total_m - straight_m)


@kernel
def _add_edge_beside(loss_db, faces, corner, start, dx, dy, leg_m, gone_m, left_m):
    """Loss at an edge beside one leg, if both ends of the leg see it."""
    rel_x, rel_y = corner[0] - start[0], corner[1] - start[1]
    along_m = rel_x * dx + rel_y * dy
    if along_m <= 1e-6 or along_m >= leg_m - 1e-6:  # this also leaves out the leg's own corners
        return
    beside_m = rel_x * dy - rel_y * dx
    detour_m = (math.hypot(gone_m + along_m, beside_m)
                + math.hypot(left_m + leg_m - along_m, beside_m) - gone_m - left_m - leg_m)
    if detour_m > 0.3:  # beyond the lit limit of the lowest band
        return
    end_x, end_y = start[0] + dx * leg_m, start[1] + dy * leg_m
    if (is_clear(faces, start[0], start[1], corner[0], corner[1])
            and is_clear(faces, corner[0], corner[1], end_x, end_y)):
        add_lit_loss_db(loss_db, detour_m)
