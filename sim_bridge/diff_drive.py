# SPDX-License-Identifier: Apache-2.0
"""A round differential-drive robot that never enters walls or furniture."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.simulator import Pose2D
from sim_bridge.simulator import wrap_rad

ROBOT_RADIUS_M = 0.15
LONGEST_CHORD_M = 0.02  # an arc is tested for collisions in straight pieces of this length
CONTACT_HALVINGS = 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class OdometryNoise:
    """Standard deviation of the wheel odometry; errors grow with the root of what was driven."""

    linear_m_per_sqrt_m: float = 0.0
    angular_rad_per_sqrt_rad: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f'{name} must be finite and at least 0, got {value}')


def arc(pose: Pose2D, linear_m: float, angular_rad: float) -> Pose2D:
    """Where a unicycle ends that drives ``linear_m`` while it turns by ``angular_rad``."""
    half_rad = angular_rad / 2
    chord_m = linear_m * (math.sin(half_rad) / half_rad if abs(half_rad) > 1e-9 else 1.0)
    direction_rad = pose.yaw_rad + half_rad
    return Pose2D(pose.x_m + chord_m * math.cos(direction_rad),
                  pose.y_m + chord_m * math.sin(direction_rad),
                  wrap_rad(pose.yaw_rad + angular_rad))


def drive(pose: Pose2D, linear_m: float, angular_rad: float, *,
          obstacles: ObstacleMap) -> tuple[Pose2D, bool]:
    """Follow an arc until something is in the way; a robot that is stopped still turns.

    Returns:
        the pose reached, and whether the robot touched an obstacle.
    """
    pieces = max(1, math.ceil(abs(linear_m) / LONGEST_CHORD_M))
    here = pose
    for piece in range(1, pieces + 1):
        share = piece / pieces
        ahead = arc(pose, linear_m * share, angular_rad * share)
        if linear_m and not obstacles.clear(here.xy[None], ahead.xy[None])[0]:
            contact = _contact(here, ahead, obstacles)
            return Pose2D(*contact, wrap_rad(pose.yaw_rad + angular_rad)), True
        here = ahead
    return here, False


def measure(odometry: Pose2D, moved: Pose2D, noise: OdometryNoise,
            rng: np.random.Generator) -> Pose2D:
    """Odometry after a true motion ``moved``, given in the robot's frame before it."""
    travelled_m = math.hypot(moved.x_m, moved.y_m)
    stretch_m, twist_rad = rng.standard_normal(2) * (
        noise.linear_m_per_sqrt_m * math.sqrt(travelled_m),
        noise.angular_rad_per_sqrt_rad * math.sqrt(abs(moved.yaw_rad)))
    scale = 1.0 + (stretch_m / travelled_m if travelled_m else 0.0)
    cos, sin = math.cos(odometry.yaw_rad), math.sin(odometry.yaw_rad)
    return Pose2D(odometry.x_m + scale * (cos * moved.x_m - sin * moved.y_m),
                  odometry.y_m + scale * (sin * moved.x_m + cos * moved.y_m),
                  wrap_rad(odometry.yaw_rad + moved.yaw_rad + twist_rad))


def _contact(here: Pose2D, ahead: Pose2D, obstacles: ObstacleMap) -> np.ndarray:
    """The last free place on the way from ``here`` to ``ahead``, (2,)."""
    free, blocked = 0.0, 1.0
    way = ahead.xy - here.xy
    for _ in range(CONTACT_HALVINGS):
        middle = (free + blocked) / 2
        if obstacles.clear(here.xy[None], (here.xy + middle * way)[None])[0]:
            free = middle
        else:
            blocked = middle
    return here.xy + free * way
