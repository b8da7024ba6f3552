# SPDX-License-Identifier: Apache-2.0
"""The interface that every world offers to the graph: no ROS, no torch."""

from __future__ import annotations

import dataclasses
import math
from typing import Protocol
from typing import runtime_checkable

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import Observation
from sim_bridge.episodes import Episode


@dataclasses.dataclass(frozen=True)
class Pose2D:
    """A place on the floor, metres, and a heading, counter-clockwise from +x (REP-103)."""

    x_m: float
    y_m: float
    yaw_rad: float

    @property
    def xy(self) -> np.ndarray:
        """(2,) float64, metres."""
        return np.array([self.x_m, self.y_m])

    def relative_to(self, origin: Pose2D) -> Pose2D:
        """The same pose seen from ``origin``."""
        cos, sin = math.cos(origin.yaw_rad), math.sin(origin.yaw_rad)
        dx, dy = self.x_m - origin.x_m, self.y_m - origin.y_m
        return Pose2D(cos * dx + sin * dy, cos * dy - sin * dx,
                      wrap_rad(self.yaw_rad - origin.yaw_rad))


def wrap_rad(angle_rad: float) -> float:
    """The same angle in (-pi, pi]."""
    return math.pi - (math.pi - angle_rad) % (2 * math.pi)


@runtime_checkable
class Simulator(Protocol):
    """A robot with two ears and an RGB-D camera in a house with one sounding source.

    ``reset`` comes first. Continuous worlds move by ``advance``; ``act`` carries a primitive
    action out ideally, in any world.
    """

    def reset(self, episode: Episode) -> None:
        """Place the robot and the source of ``episode``."""

    def observe(self) -> Observation:
        """Stand still for one listening window, then look."""

    def advance(self, linear_mps: float, angular_radps: float, dt_s: float) -> bool:
        """Drive for ``dt_s``; tell whether something was in the way."""

    def act(self, action: Action) -> bool:
        """Carry out one primitive action; tell whether something was in the way."""

    def geodesic_m(self) -> float:
        """Length of the way that is left to the source."""

    def oracle_action(self) -> Action:
        """First action of a shortest way to the source; STOP at it."""
