# SPDX-License-Identifier: Apache-2.0
"""Notices a camera that goes on sending its last image under new stamps."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import wrap_angle

# Nothing real looks the same, bit by bit, after so much motion.
LEAST_MOVE_M = 0.05
LEAST_TURN_RAD = 0.15


class FrozenImage:
    """Compares images while the robot moves.

    An image of one value throughout shows nothing that motion could change, and is never called
    frozen.
    """

    def __init__(self) -> None:
        self._image: np.ndarray | None = None
        self._pose: Pose | None = None
        self._seen_at: Pose | None = None
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """Whether the newest image is that of another place."""
        return self._frozen

    def move(self, pose: Pose) -> None:
        """Take the newest pose of the odometry; what is not finite is left out."""
        if pose.finite:
            self._pose = pose

    def see(self, image: np.ndarray) -> None:
        """Take the newest image, an array of any shape; it is kept, not copied."""
        if self._image is None or not np.array_equal(image, self._image):
            self._image, self._seen_at, self._frozen = image, self._pose, False
        elif self._moved:
            self._frozen = bool((image != image.flat[0]).any())

    @property
    def _moved(self) -> bool:
        if self._seen_at is None:
            self._seen_at = self._pose
            return False
        turned_rad = wrap_angle(self._pose.yaw_rad - self._seen_at.yaw_rad)
        return (self._pose.distance_m(self._seen_at) >= LEAST_MOVE_M
                or abs(turned_rad) >= LEAST_TURN_RAD)
