# SPDX-License-Identifier: Apache-2.0
"""A pose on the floor, as odometry gives it."""

from __future__ import annotations

import dataclasses
import math

LONGEST_ROUNDING = 0.05  # of a quaternion's length: more is none


def wrap_angle(angle_rad: float) -> float:
    """The same direction in (-pi, pi]."""
    wrapped = math.remainder(angle_rad, 2 * math.pi)
    return math.pi if wrapped == -math.pi else wrapped


def yaw_of_quaternion(x: float, y: float, z: float, w: float) -> float:
    """Heading in radians of an orientation; NaN stays NaN.

    Raises:
        ValueError: it is no rotation.
    """
    length = math.hypot(x, y, z, w)
    if math.isfinite(length) and abs(length - 1) > LONGEST_ROUNDING:
        raise ValueError(f'the orientation must be a quaternion of length 1, got {length:.3g}')
    return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


@dataclasses.dataclass(frozen=True)
class Pose:
    """Position in metres and heading in radians, counter-clockwise from +x (REP-103)."""

    x_m: float
    y_m: float
    yaw_rad: float

    @property
    def finite(self) -> bool:
        """Whether no coordinate is NaN or infinite."""
        return all(map(math.isfinite, (self.x_m, self.y_m, self.yaw_rad)))

    def distance_m(self, other: Pose) -> float:
        """Straight distance on the floor."""
        return math.hypot(other.x_m - self.x_m, other.y_m - self.y_m)

    def seen_from(self, origin: Pose) -> Pose:
        """This pose in the frame of ``origin``: x ahead, y to the left, yaw in (-pi, pi]."""
        east, north = self.x_m - origin.x_m, self.y_m - origin.y_m
        cos, sin = math.cos(origin.yaw_rad), math.sin(origin.yaw_rad)
        return Pose(cos * east + sin * north, cos * north - sin * east,
                    wrap_angle(self.yaw_rad - origin.yaw_rad))
