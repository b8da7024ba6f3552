# SPDX-License-Identifier: Apache-2.0
"""What a camera sees a little off the place where its stored view was taken."""

from __future__ import annotations

import numpy as np

from sim_bridge.simulator import Pose2D

# A robot at rest on a node sees the stored view itself. Twice this is less than a camera may be
# moved without another image before it counts as frozen.
STILL_M, STILL_RAD = 0.02, 0.05
_NEAR_M = 0.05


def moved_view(color: np.ndarray, depth_m: np.ndarray, moved: Pose2D, *, hfov_rad: float,
               depth_max_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Look up, for each pixel, the stored pixel that shows about the same point.

    The way ahead gets shorter as it should; what came into view anew is filled with what is
    stored next to it.

    Args:
        color: (H, W, 3) uint8, as stored.
        depth_m: (H, W) float32, as stored.
        moved: of the camera, seen from where the view was taken.
        hfov_rad: of the camera, whose pixels are square.
        depth_max_m: of the sensor.

    Returns:
        color (H, W, 3) uint8 and depth (H, W) float32, metres; as stored when hardly moved.
    """
    if np.hypot(moved.x_m, moved.y_m) <= STILL_M and abs(moved.yaw_rad) <= STILL_RAD:
        return color, depth_m
    left, up = _rays(depth_m.shape, hfov_rad)
    cos, sin = np.cos(moved.yaw_rad), np.sin(moved.yaw_rad)
    guess_m = np.maximum(depth_m - moved.x_m, _NEAR_M)
    ahead_m = guess_m * (cos - sin * left) + moved.x_m  # of the point, from the stored camera
    left_m = guess_m * (sin + cos * left) + moved.y_m
    seen_m = np.maximum(ahead_m, _NEAR_M)
    rows, columns = _pixels(left_m / seen_m, guess_m * up / seen_m, hfov_rad)
    stored_m = depth_m[rows, columns]
    depth = (cos * (stored_m - moved.x_m)
             + sin * (stored_m * left[rows, columns] - moved.y_m))
    return color[rows, columns], np.clip(depth, 0.0, depth_max_m).astype(np.float32)


def _rays(shape: tuple[int, int], hfov_rad: float) -> tuple[np.ndarray, np.ndarray]:
    """Left and up for each metre ahead, (H, W) each."""
    rows, columns = np.indices(shape, np.float32)
    focal = _focal(shape[1], hfov_rad)
    return (((shape[1] - 1) / 2 - columns) / focal, ((shape[0] - 1) / 2 - rows) / focal)


def _pixels(left: np.ndarray, up: np.ndarray,
            hfov_rad: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of rays; those out of sight go to the border."""
    height, width = left.shape
    focal = _focal(width, hfov_rad)
    rows = np.rint((height - 1) / 2 - up * focal).clip(0, height - 1)
    columns = np.rint((width - 1) / 2 - left * focal).clip(0, width - 1)
    return rows.astype(np.intp), columns.astype(np.intp)


def _focal(width: int, hfov_rad: float) -> float:
    return float(width / 2 / np.tan(hfov_rad / 2))
