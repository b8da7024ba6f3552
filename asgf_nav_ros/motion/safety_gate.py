# SPDX-License-Identifier: Apache-2.0
"""The last word on every velocity command: passes it, slows it, or says zero and why."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.corridor import Corridor
from asgf_nav_ros.motion.frozen_image import FrozenImage
from asgf_nav_ros.motion.pose import Pose

# Slower than this is no motion worth commanding.
LEAST_LINEAR_MPS = 0.02


@dataclasses.dataclass(frozen=True, kw_only=True)
class SafetyLimits:
    """Time and distance limits of the gate; units stand in the names."""

    odometry_timeout_s: float = 0.3  # older odometry: zero
    depth_timeout_s: float = 0.4  # older depth: no forward motion
    tick_timeout_s: float = 0.3  # a longer pause between two ticks ends the action
    hold_limit_s: float = 1.0  # an obstacle that stays longer ends the step
    action_timeout_s: float = 5.0  # an action decided longer ago is not begun
    stop_distance_m: float = 0.15  # obstacle to the robot's centre
    braking_mps2: float = 0.8
    whole_step: bool = True  # a step forward begins only if all of it is clear
    whole_step_slack_m: float = 0.03

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least_ok = value >= 0 if field.name == 'whole_step_slack_m' else value > 0
            if field.name != 'whole_step' and not (least_ok and math.isfinite(value)):
                raise ValueError(f'{field.name} must be positive and finite, got {value}')


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What may be commanded now.

    Attributes:
        linear_mps, angular_radps: zero wherever there is a cause.
        cause: why zero; empty when the command passed.
        held_s: how long this cause has lasted.
        give_up: end the action: only an obstacle that may go away again is waited for, as fresh
            depth shows the way then; after all else a new observation must be decided on.
    """

    linear_mps: float
    angular_radps: float
    cause: Cause = Cause.NONE
    held_s: float = 0.0
    give_up: bool = False


class SafetyGate:
    """Knows what has been seen and when, and judges commands by it."""

    def __init__(self, limits: SafetyLimits, corridor: Corridor) -> None:
        self._limits = limits
        self._corridor = corridor
        self._shut_down = False
        self._enabled = False
        self._why_disabled = Cause.NOT_ENABLED
        self.forget()

    @property
    def enabled(self) -> bool:
        """Whether motion is allowed at all."""
        return self._enabled and not self._shut_down

    def enable(self) -> None:
        """Allow motion."""
        self._enabled = True

    def disable(self, cause: Cause) -> None:
        """Command zero from now on, until enabled again; after SHUTDOWN for good."""
        self._enabled = False
        self._shut_down = self._shut_down or cause == Cause.SHUTDOWN
        self._why_disabled = Cause.SHUTDOWN if self._shut_down else cause

    def forget(self) -> None:
        """Forget what was seen, e.g. when the clock went back."""
        self._odometry_s = self._depth_s = -math.inf
        self._odometry_finite = True
        self._depth: np.ndarray | None = None
        self._clear_m: float | None = None
        self._frozen = FrozenImage()
        self._cause, self._since_s = Cause.NONE, 0.0

    def see_odometry(self, pose: Pose, velocity: tuple[float, float], stamp_s: float) -> None:
        """Take a pose and the measured (linear_mps, angular_radps)."""
        self._odometry_finite = pose.finite and all(map(math.isfinite, velocity))
        self._odometry_s = stamp_s
        self._frozen.move(pose)

    def see_depth(self, depth: np.ndarray, stamp_s: float) -> None:
        """Take a depth image, (H, W) float32 metres."""
        self._depth, self._depth_s = depth, stamp_s
        self._frozen.see(depth)

    @property
    def depth_stamp_s(self) -> float:
        """Stamp of the newest depth image; -infinity before the first."""
        return self._depth_s

    def clear_m(self) -> float | None:
        """Clear distance ahead in the newest depth image; None if it cannot be told."""
        if self._depth is not None:
            self._clear_m, self._depth = self._corridor.clear_m(self._depth), None
        return self._clear_m

    def step_blocked(self, step_m: float, now_s: float) -> bool:
        """Whether fresh depth shows an obstacle within a whole step forward."""
        if not self._limits.whole_step or self._depth_cause(now_s) != Cause.NONE:
            return False
        needed_m = step_m + self._limits.stop_distance_m - self._limits.whole_step_slack_m
        return self.clear_m() < needed_m

    def check(self, command: tuple[float, float], now_s: float,
              trouble: Cause = Cause.NONE) -> Verdict:
        """Judge a command at the time ``now_s``.

        Args:
            command: (linear_mps, angular_radps) that is wanted.
            now_s: time of the tick, seconds.
            trouble: why the robot must stand for reasons that lie outside of its own sensors.
        """
        cause, linear_mps = self._judge(command, now_s, trouble)
        if cause != self._cause:
            self._cause, self._since_s = cause, now_s
        if cause == Cause.NONE:
            return Verdict(linear_mps, command[1])
        held_s = max(now_s - self._since_s, 0.0)
        waits = cause == Cause.OBSTACLE and held_s < self._limits.hold_limit_s
        return Verdict(0.0, 0.0, cause, held_s, not waits)

    def _judge(self, command: tuple[float, float], now_s: float,
               trouble: Cause) -> tuple[Cause, float]:
        if not self.enabled:
            return self._why_disabled, 0.0
        if not all(map(math.isfinite, command)) or not self._odometry_finite:
            return Cause.NOT_FINITE, 0.0
        if trouble != Cause.NONE:
            return trouble, 0.0
        if not self._fresh(self._odometry_s, now_s, self._limits.odometry_timeout_s):
            return Cause.STALE_ODOMETRY, 0.0
        if command[0] <= 0.0:  # turning on the spot needs no depth; nothing drives back
            return Cause.NONE, 0.0
        return self._judge_forward(command[0], now_s)

    def _judge_forward(self, linear_mps: float, now_s: float) -> tuple[Cause, float]:
        cause = self._depth_cause(now_s)
        if cause != Cause.NONE:
            return cause, 0.0
        travelled_m = linear_mps * max(now_s - self._depth_s, 0.0)  # since the image was taken
        room_m = self.clear_m() - travelled_m - self._limits.stop_distance_m
        allowed_mps = math.sqrt(2 * self._limits.braking_mps2 * max(room_m, 0.0))
        if allowed_mps < LEAST_LINEAR_MPS:
            return Cause.OBSTACLE, 0.0
        return Cause.NONE, min(linear_mps, allowed_mps)

    def _depth_cause(self, now_s: float) -> Cause:
        if not self._fresh(self._depth_s, now_s, self._limits.depth_timeout_s):
            return Cause.STALE_DEPTH
        if self._frozen.frozen:
            return Cause.FROZEN_DEPTH
        return Cause.BLIND_DEPTH if self.clear_m() is None else Cause.NONE

    @staticmethod
    def _fresh(stamp_s: float, now_s: float, timeout_s: float) -> bool:
        """A stamp from the future is as wrong as an old one: two clocks disagree."""
        return abs(now_s - stamp_s) <= timeout_s
