# SPDX-License-Identifier: Apache-2.0
"""Which ends of walls jut into the open."""

from __future__ import annotations

import math

import numpy as np

_TOUCH_M = 1e-5
_MIN_BEND_RAD = 0.02  # beyond a half turn, for the open angle at a corner


def open_direction(end: np.ndarray, faces: np.ndarray) -> np.ndarray | None:
    """Middle of the open angle at an end of walls, on the side that they reflect.

    Args:
        end: (2,) where one or more faces end.
        faces: (m, 5 or more), see ``Faces.geometry``.

    Returns:
        (2,) unit vector, or None unless an open angle is more than a half turn.
    """
    offset = end - faces[:, :2]
    along = np.sum(offset * faces[:, 2:4], axis=1)
    away = np.abs(offset[:, 0] * faces[:, 3] - offset[:, 1] * faces[:, 2])
    near = (away < _TOUCH_M) & (along > -_TOUCH_M) & (along < faces[:, 4] + _TOUCH_M)
    direction = np.arctan2(faces[near, 3], faces[near, 2])
    leaving = direction[along[near] < faces[near, 4] - _TOUCH_M] % (2 * math.pi)
    coming = (direction[along[near] > _TOUCH_M] + math.pi) % (2 * math.pi)
    walls = np.sort(np.concatenate([leaving, coming]))
    gaps = np.diff(walls, append=walls[:1] + 2 * math.pi)
    if not len(walls) or gaps.max() < math.pi + _MIN_BEND_RAD:
        return None
    widest = int(gaps.argmax())
    after = walls[(widest + 1) % len(walls)]
    # Counter-clockwise of a face that leaves the corner lies the side that it reflects.
    if not (_has_angle(leaving, walls[widest]) or _has_angle(coming, after)):
        return None
    middle = walls[widest] + gaps[widest] / 2
    return np.array([math.cos(middle), math.sin(middle)])


def _has_angle(angles: np.ndarray, wanted: float) -> bool:
    return bool((np.cos(angles - wanted) > 1.0 - 1e-9).any())


def distinct_ends(faces: np.ndarray) -> np.ndarray:
    """The points where faces begin or end, (k, 2) metres."""
    ends = np.concatenate([faces[:, :2], faces[:, :2] + faces[:, 2:4] * faces[:, 4:5]])
    return ends[np.unique(np.round(ends / _TOUCH_M), axis=0, return_index=True)[1]]


def free_ends(faces: np.ndarray) -> np.ndarray:
    """Tell for each face, (m, 7), whether its start and its end jut into the open: (m, 2) bool.

    What stands on the floor decides: next to a door the wall ends there, and so does the lintel.
    """
    standing = faces[np.isneginf(faces[:, 5])]
    corners = np.array([end for end in distinct_ends(standing)
                        if open_direction(end, standing) is not None]).reshape(-1, 2)
    ends = np.stack([faces[:, :2], faces[:, :2] + faces[:, 2:4] * faces[:, 4:5]], axis=1)
    gaps_m = np.abs(ends[:, :, None] - corners).max(axis=-1)
    return gaps_m.min(axis=-1, initial=np.inf) < _TOUCH_M
