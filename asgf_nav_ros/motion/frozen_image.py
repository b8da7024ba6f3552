# SPDX-License-Identifier: Apache-2.0
"""Notices a camera that goes on sending its last image under new stamps."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import wrap_angle

# Nothing real looks the same, bit by bit, after so much motion.
LEAST_MOVE_M = 0.05
LEAST_TURN_RAD = 0.15
# No base goes so far from one odometry message to the next: it was put there, in a simulation, or
# its odometry began anew.
JUMP_M = 0.5
JUMP_RAD = 1.0


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
        """Take the newest pose of the odometry; what is not finite is left out.

        After a jump, which images were seen before it and which after is not known.
        """
        if not pose.finite:
            return
        if self._pose is not None and _apart(pose, self._pose, JUMP_M, JUMP_RAD):
            self._seen_at = None
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
        return _apart(self._pose, self._seen_at, LEAST_MOVE_M, LEAST_TURN_RAD)


def _apart(pose: Pose, other: Pose, least_m: float, least_rad: float) -> bool:
    turned_rad = wrap_angle(pose.yaw_rad - other.yaw_rad)
    return pose.distance_m(other) >= least_m or abs(turned_rad) >= least_rad
