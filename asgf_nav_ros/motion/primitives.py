# SPDX-License-Identifier: Apache-2.0
"""Primitive actions, closed loop on odometry: one step forward or one turn, then rest."""

from __future__ import annotations

import dataclasses
import math

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import wrap_angle
from asgf_nav_ros.motion.progress_watch import ProgressWatch
from asgf_nav_ros.motion.speed_profile import AxisLimits

ZERO = (0.0, 0.0)
# A step of the profile never spans more: a late tick must not jump to full speed.
LONGEST_STEP_S = 0.1
# Largest heading that a step takes towards its line.
STEEPEST_RETURN_RAD = 0.2


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotionLimits:
    """Limits of the base and of one action; units stand in the names."""

    max_linear_mps: float = 0.5
    max_linear_mps2: float = 0.8
    max_angular_radps: float = 1.5
    max_angular_radps2: float = 3.0
    position_tolerance_m: float = 0.01
    yaw_tolerance_rad: float = 0.01
    settle_s: float = 0.1  # at rest within the tolerance before the action is over
    response_s: float = 0.05  # lag of the base, caps the speed near the goal
    heading_gain_per_s: float = 2.0  # keeps the heading on a step forward
    cross_track_gain_per_m: float = 2.0  # and brings it back to the line, radians a metre
    stall_s: float = 1.0  # commanded but hardly moving for so long: blocked
    slip_m: float = 0.1  # sideways on a step, or away from the spot in a turn
    slip_rad: float = 0.3  # off the heading on a step
    jump_m: float = 0.3  # between two odometry messages
    jump_rad: float = 0.8
    action_deadline_s: float = 15.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f'{field.name} must be positive and finite, got {value}')

    def forward(self) -> AxisLimits:
        """Limits of a step forward; it is never driven back, nobody looks there."""
        return AxisLimits(speed=self.max_linear_mps, acceleration=self.max_linear_mps2,
                          tolerance=self.position_tolerance_m, response_s=self.response_s,
                          reversible=False)

    def turn(self) -> AxisLimits:
        """Limits of a turn on the spot."""
        return AxisLimits(speed=self.max_angular_radps, acceleration=self.max_angular_radps2,
                          tolerance=self.yaw_tolerance_rad, response_s=self.response_s,
                          reversible=True)


class PrimitiveExecutor:
    """Drives one primitive action at a time to its goal, or says why it could not.

    ``state`` is idle, moving, blocked (the base does not get on) or failed; ``cause`` names
    the reason of the last two. An action that follows one which reached its goal starts from
    that goal, not from where the base came to rest, so that small errors do not add up.
    """

    def __init__(self, limits: MotionLimits, contract: PolicyContract) -> None:
        self._limits = limits
        self._goals = {
            Action.STOP: 0.0,
            Action.MOVE_FORWARD: contract.forward_step_m,
            Action.TURN_LEFT: contract.turn_rad,
            Action.TURN_RIGHT: -contract.turn_rad,
        }
        self._action = Action.STOP
        self._reached: Pose | None = None
        self._end(MotionState.IDLE, Cause.NONE)

    @property
    def state(self) -> MotionState:
        """idle, moving, blocked or failed."""
        return self._state

    @property
    def cause(self) -> Cause:
        """Why the last action ended before its goal; empty if it did not."""
        return self._cause

    @property
    def action(self) -> Action:
        """The action that is being or was last executed."""
        return self._action

    @property
    def remaining(self) -> float:
        """Signed distance to the goal, metres or radians; 0 at rest."""
        return self._goal - self._progress if self._state == MotionState.MOVING else 0.0

    def start(self, action: Action, pose: Pose, now_s: float) -> None:
        """Begin an action at ``pose``; STOP is over at once.

        Raises:
            ValueError: an action is under way, or the pose is not finite.
        """
        if self._state == MotionState.MOVING:
            raise ValueError(f'{self._action.name} is under way, cannot start {action.name}')
        if not pose.finite:
            raise ValueError(f'pose must be finite, got {pose}')
        self._action, self._goal = action, self._goals[action]
        self._end(MotionState.IDLE, Cause.NONE)
        if self._goal == 0.0:
            return
        self._axis = (self._limits.forward() if action == Action.MOVE_FORWARD
                      else self._limits.turn())
        self._origin, self._last_pose = self._ideal(pose), pose
        self._progress = (0.0 if action == Action.MOVE_FORWARD
                          else wrap_angle(pose.yaw_rad - self._origin.yaw_rad))
        self._last_s = self._started_s = now_s
        self._settled_since_s = math.inf
        self._watch = ProgressWatch(self._axis.speed, self._limits.stall_s)
        self._state = MotionState.MOVING

    def command(self, pose: Pose, now_s: float) -> tuple[float, float]:
        """Velocity for the next tick.

        Args:
            pose: newest pose of the odometry.
            now_s: its time, seconds.

        Returns:
            (linear_mps, angular_radps); zero unless an action is under way.
        """
        if self._state != MotionState.MOVING:
            return ZERO
        dt_s = min(max(now_s - self._last_s, 0.0), LONGEST_STEP_S)
        self._last_s = now_s
        fault = self._observe(pose, now_s, dt_s)
        if fault != Cause.NONE:
            blocked = fault == Cause.STALLED
            self._end(MotionState.BLOCKED if blocked else MotionState.FAILED, fault)
            return ZERO
        if self._settled(now_s):
            self._reached = self._goal_pose()
            self._end(MotionState.IDLE, Cause.NONE)
            return ZERO
        self._speed = self._axis.next_speed(self.remaining, self._speed, dt_s)
        return self._velocity(pose)

    def hold(self, speed: float = 0.0) -> None:
        """Tell the speed that was commanded in place of the last one; go on from there."""
        self._speed = speed

    def abort(self, state: MotionState, cause: Cause) -> None:
        """End the action that is under way, if there is one."""
        if self._state == MotionState.MOVING:
            self._end(state, cause)

    def _ideal(self, pose: Pose) -> Pose:
        """Where the last action should have ended, if the base is still there."""
        reached, self._reached = self._reached, None
        if reached is None or pose.distance_m(reached) > 3 * self._limits.position_tolerance_m:
            return pose
        off_rad = abs(wrap_angle(pose.yaw_rad - reached.yaw_rad))
        return reached if off_rad <= 3 * self._limits.yaw_tolerance_rad else pose

    def _goal_pose(self) -> Pose:
        x_m, y_m, yaw_rad = dataclasses.astuple(self._origin)
        if self._action == Action.MOVE_FORWARD:
            return Pose(x_m + self._goal * math.cos(yaw_rad),
                        y_m + self._goal * math.sin(yaw_rad), yaw_rad)
        return Pose(x_m, y_m, wrap_angle(yaw_rad + self._goal))

    def _end(self, state: MotionState, cause: Cause) -> None:
        self._state, self._cause, self._speed = state, cause, 0.0

    def _observe(self, pose: Pose, now_s: float, dt_s: float) -> Cause:
        """Follow the odometry; the fault that it shows, if any."""
        if not (pose.finite and math.isfinite(now_s)):
            return Cause.NOT_FINITE
        step = pose.seen_from(self._last_pose)
        self._last_pose = pose
        if math.hypot(step.x_m, step.y_m) > self._limits.jump_m or (
                abs(step.yaw_rad) > self._limits.jump_rad):
            return Cause.ODOMETRY_JUMP
        here = pose.seen_from(self._origin)
        if self._action == Action.MOVE_FORWARD:
            self._progress = here.x_m
            slipped = (abs(here.y_m) > self._limits.slip_m
                       or abs(here.yaw_rad) > self._limits.slip_rad)
        else:
            self._progress += step.yaw_rad  # unwrapped: turns of any size
            slipped = math.hypot(here.x_m, here.y_m) > self._limits.slip_m
        if slipped:
            return Cause.SLIPPED
        self._watch.add(self._speed * dt_s, self._progress, now_s)
        if now_s - self._started_s > self._limits.action_deadline_s:
            return Cause.DEADLINE
        return Cause.STALLED if self._watch.stalled else Cause.NONE

    def _settled(self, now_s: float) -> bool:
        """Whether the goal has been kept at rest for ``settle_s``."""
        if self._speed != 0.0 or not self._axis.reached(self.remaining):
            self._settled_since_s = math.inf
        else:
            self._settled_since_s = min(self._settled_since_s, now_s)
        return now_s - self._settled_since_s >= self._limits.settle_s - 1e-9

    def _velocity(self, pose: Pose) -> tuple[float, float]:
        if self._action != Action.MOVE_FORWARD:
            return 0.0, self._speed
        if self._speed == 0.0:
            return ZERO
        here = pose.seen_from(self._origin)
        wanted_rad = _limited(-self._limits.cross_track_gain_per_m * here.y_m, STEEPEST_RETURN_RAD)
        turn_radps = self._limits.heading_gain_per_s * (wanted_rad - here.yaw_rad)
        return self._speed, _limited(turn_radps, self._limits.max_angular_radps)


def _limited(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)
