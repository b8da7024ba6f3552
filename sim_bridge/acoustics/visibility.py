# SPDX-License-Identifier: Apache-2.0
"""Does a wall stand between two points?"""

from __future__ import annotations

import numpy as np

from sim_bridge.acoustics.kernel import kernel


@kernel
def crossing(face, px, py, qx, qy):
    """Where the ray p -> q crosses the line of ``face``: (share of the ray, metres on the face).

    The share is negative where there is none; touching at an end is a crossing.
    """
    dx, dy = qx - px, qy - py
    across = dy * face[2] - dx * face[3]
    if abs(across) < 1e-12:
        return -1.0, 0.0
    share = ((face[1] - py) * face[2] - (face[0] - px) * face[3]) / across
    if share < 0.0 or share > 1.0:
        return -1.0, 0.0
    return share, (px + share * dx - face[0]) * face[2] + (py + share * dy - face[1]) * face[3]


@kernel
def is_clear(faces, px, py, qx, qy):
    """Tell whether no face crosses the plan segment p -> q."""
    for index in range(faces.shape[0]):
        share, along_m = crossing(faces[index], px, py, qx, qy)
        if share >= 0.0 and 0.0 <= along_m <= faces[index, 4]:
            return False
    return True


@kernel
def ramp(inside_m, softness_m):
    """Coverage of a point ``inside_m`` within an edge: 0 outside, 1/2 at the edge, 1 inside."""
    return min(max(inside_m / softness_m + 0.5, 0.0), 1.0)


@kernel
def coverage(face, along_m, z_m, softness_m):
    """Share of a soft ray that a face meets at (along_m, z_m).

    It fades at ends that jut into the open, where a wall and a lintel add up to 1.
    """
    left_m = face[4] - along_m
    if (along_m < 0.0 and face[7] == 0.0) or (left_m < 0.0 and face[8] == 0.0):
        return 0.0
    covered = ramp(along_m, softness_m) if face[7] > 0.0 else 1.0
    if face[8] > 0.0:
        covered = min(covered, ramp(left_m, softness_m))
    return covered * ramp(min(z_m - face[5], face[6] - z_m), softness_m)


@kernel
def open_share(faces, p, q, softness_m):
    """Share of the soft ray p -> q, (3,) each, that passes all faces, 0 to 1.

    The edge of a shadow fades over ``softness_m``, so that a listener who moves a little hears
    a little change.
    """
    closed = 0.0
    for index in range(faces.shape[0]):
        share, along_m = crossing(faces[index], p[0], p[1], q[0], q[1])
        if share >= 0.0:
            closed += coverage(faces[index], along_m, p[2] + share * (q[2] - p[2]), softness_m)
            if closed >= 1.0:
                return 0.0
    return 1.0 - closed


def faces_at_height(faces: np.ndarray, height_m: float) -> np.ndarray:
    """Faces that stand in the way of something that moves at one height."""
    return faces[(faces[:, 5] <= height_m) & (faces[:, 6] > height_m)]
