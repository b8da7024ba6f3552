# SPDX-License-Identifier: Apache-2.0
"""The trapezoidal speed profile of one axis, closed over the distance that remains."""

from __future__ import annotations

import dataclasses
import math

# Share of the acceleration that braking counts on; the rest corrects for the base's lag.
BRAKING_SHARE = 0.8


@dataclasses.dataclass(frozen=True, kw_only=True)
class AxisLimits:
    """Limits of one axis, in metres or radians.

    Attributes:
        speed: largest speed, per second.
        acceleration: largest change of speed, per second squared.
        tolerance: distance from the goal that counts as reached.
        response_s: time that the base needs to follow a command.
        reversible: whether an overshoot may be driven back.
    """

    speed: float
    acceleration: float
    tolerance: float
    response_s: float
    reversible: bool

    def next_speed(self, remaining: float, speed: float, dt_s: float) -> float:
        """Speed for the next ``dt_s``, given what remains and the speed commanded last.

        Args:
            remaining: signed distance to the goal.
            speed: signed speed commanded last.
            dt_s: time since then, seconds.
        """
        change = self.acceleration * dt_s
        return min(max(self._wanted(remaining), speed - change), speed + change)

    def _wanted(self, remaining: float) -> float:
        reach = abs(remaining)
        if reach <= self.tolerance / 2 or (remaining < 0 and not self.reversible):
            return 0.0
        braking = math.sqrt(2 * BRAKING_SHARE * self.acceleration * reach)
        return math.copysign(min(self.speed, braking, reach / self.response_s), remaining)

    def reached(self, remaining: float) -> bool:
        """Whether the goal is within the tolerance (or behind, where that cannot be mended)."""
        return remaining <= self.tolerance and (
            not self.reversible or remaining >= -self.tolerance)
