# SPDX-License-Identifier: Apache-2.0
"""What a policy with ``contract.odometry`` is told about the robot's own motion, from odometry."""

from __future__ import annotations

import collections

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.reckoning import motion_features

POSES_KEPT = 400
BLOCKED_SHARE = 0.5  # of a step: less is taken for no step


class OdometryFeatures:
    """Follows one episode: the pose at its first decision is the origin."""

    def __init__(self, contract: PolicyContract) -> None:
        self._step_m = contract.forward_step_m
        self._poses: collections.deque[tuple[float, Pose]] = collections.deque(maxlen=POSES_KEPT)
        self.begin()

    def begin(self) -> None:
        """Start an episode where the next decision is taken."""
        self._origin: Pose | None = None
        self._decided_at: Pose | None = None
        self._last: Action | None = None
        self._steps = 0

    def clear(self) -> None:
        """Forget all poses, after the clock went back."""
        self._poses.clear()
        self.begin()

    def see(self, pose: Pose, stamp_s: float) -> None:
        """Take odometry; what is not finite is left out."""
        if pose.finite:
            self._poses.append((stamp_s, pose))

    def pose_at(self, stamp_s: float) -> Pose | None:
        """The newest pose that is not from after ``stamp_s``."""
        return next((pose for seen_s, pose in reversed(self._poses) if seen_s <= stamp_s), None)

    def features(self, stamp_s: float) -> np.ndarray | None:
        """(MOTION_FEATURES,) float32 for a decision on a window that ended at ``stamp_s``.

        None while no odometry from before that is known.
        """
        pose = self.pose_at(stamp_s)
        if pose is None:
            return None
        here = pose.seen_from(self._origin or pose)
        blocked = (self._last == Action.MOVE_FORWARD
                   and pose.distance_m(self._decided_at) < BLOCKED_SHARE * self._step_m)
        last = np.zeros((1, len(Action)))
        if self._last is not None:
            last[0, self._last] = 1
        return motion_features(last, np.array([blocked]), np.array([[here.x_m, here.y_m]]),
                               np.array([here.yaw_rad]), np.array([self._steps]))[0]

    def decided(self, action: Action, stamp_s: float) -> None:
        """Take note of the action that was decided on at ``stamp_s``."""
        self._decided_at = self.pose_at(stamp_s)
        self._origin = self._origin or self._decided_at
        self._last = action
        self._steps += 1
