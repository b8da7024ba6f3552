# SPDX-License-Identifier: Apache-2.0
"""Executes each action at most once, within the limits, and reports its state."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.corridor import Corridor
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.primitives import MotionLimits
from asgf_nav_ros.motion.primitives import PrimitiveExecutor
from asgf_nav_ros.motion.safety_gate import SafetyGate
from asgf_nav_ros.motion.safety_gate import SafetyLimits
from asgf_nav_ros.motion.safety_gate import Verdict

# Held for one of these an action ends as blocked: the way is not free. The others mean that
# the robot cannot know what it does, and end it as failed.
BLOCKING = (Cause.OBSTACLE, Cause.STALLED)
# Stamps are nanoseconds in messages and floats here.
ROUNDING_S = 1e-6
# As near as this to where a step stalled, the next one would push against the same thing.
SAME_PLACE_M, SAME_HEADING_RAD = 0.1, 0.3


@dataclasses.dataclass(frozen=True)
class Command:
    """One tick's velocity, zero wherever there is a cause."""

    linear_mps: float = 0.0
    angular_radps: float = 0.0
    cause: Cause = Cause.NONE


class MotionController:
    """Primitive executor and safety gate together: what the motion node asks.

    ``state`` began at ``state_since_s``; its stamp changes whenever an action begins or ends,
    so that an action which was taken can be told from one that was lost.
    """

    def __init__(self, contract: PolicyContract, *, motion: MotionLimits | None = None,
                 safety: SafetyLimits | None = None, corridor: Corridor | None = None) -> None:
        self._contract = contract
        self._safety = safety or SafetyLimits()
        self._executor = PrimitiveExecutor(motion or MotionLimits(), contract)
        self._gate = SafetyGate(self._safety, corridor or Corridor(
            camera_height_m=contract.camera_height_m, hfov_rad=contract.hfov_rad))
        self._state, self._state_since_s = MotionState.DISABLED, 0.0
        self._cause = Cause.NOT_ENABLED
        self._last_action_s = -math.inf
        self._taken = 0
        self._pose: Pose | None = None
        self._stalled_at: Pose | None = None
        self._step_unseen = False
        self._stepped_s = -math.inf

    @property
    def state(self) -> MotionState:
        """What ``motion_state`` says."""
        return self._state

    @property
    def state_since_s(self) -> float:
        """When the state began."""
        return self._state_since_s

    @property
    def cause(self) -> Cause:
        """Why zero is commanded or the last action ended early."""
        return self._cause

    @property
    def action(self) -> Action:
        """The action under way, or the last one."""
        return self._executor.action

    @property
    def taken(self) -> int:
        """How many actions have begun, STOP and steps that were blocked at once included."""
        return self._taken

    def see_odometry(self, pose: Pose, velocity: tuple[float, float], stamp_s: float) -> None:
        """Take the newest pose and measured (linear_mps, angular_radps)."""
        self._pose = pose
        self._gate.see_odometry(pose, velocity, stamp_s)

    def see_depth(self, depth: np.ndarray, stamp_s: float) -> None:
        """Take the newest depth image, (H, W) float32 metres."""
        self._gate.see_depth(depth, stamp_s)

    def needs_depth_since(self, stamp_s: float) -> bool:
        """Whether the coming tick depends on depth not older than this, which is not here yet."""
        forward = (self._state == MotionState.MOVING
                   and self._executor.action == Action.MOVE_FORWARD)
        return forward and self._gate.depth_stamp_s < stamp_s - ROUNDING_S

    def enable(self, now_s: float) -> None:
        """Allow motion; the controller is idle from ``now_s`` on."""
        self._gate.enable()
        if self._gate.enabled and self._state == MotionState.DISABLED:
            self._enter(MotionState.IDLE, Cause.NONE, now_s)

    def disable(self, cause: Cause, now_s: float) -> None:
        """Command zero and drop the action under way (NOT_ENABLED, STOPPED or SHUTDOWN)."""
        self._gate.disable(cause)
        self._executor.abort(MotionState.FAILED, cause)
        self._enter(MotionState.DISABLED, cause, now_s)

    def forget(self, now_s: float) -> None:
        """Start afresh after the clock went back; drops the action under way."""
        self._executor.abort(MotionState.FAILED, Cause.STALE_ODOMETRY)
        self._gate.forget()
        self._pose, self._last_action_s, self._stalled_at = None, -math.inf, None
        if self._state != MotionState.DISABLED:
            self._enter(MotionState.IDLE, Cause.NONE, now_s)

    def accept(self, name: str, stamp_s: float, now_s: float) -> Cause:
        """Begin an action, or say why not; zero is commanded for whatever is refused.

        Args:
            name: ``frame_id`` of the action.
            stamp_s: end of the window that it was decided on.
            now_s: time now.
        """
        cause = self._refusal(name, stamp_s, now_s)
        if cause == Cause.NONE:
            self._begin(Action[name], stamp_s, now_s)
        elif cause in (Cause.UNKNOWN_ACTION, Cause.NOT_FINITE):
            self._executor.abort(MotionState.FAILED, cause)
            self._enter(MotionState.FAILED, cause, now_s)
        return cause

    def step(self, now_s: float, trouble: Cause = Cause.NONE) -> Command:
        """The velocity for the tick at ``now_s``; zero for any ``trouble`` outside."""
        paused_s, self._stepped_s = abs(now_s - self._stepped_s), now_s
        if paused_s > self._safety.tick_timeout_s:  # the world went on, the decision is old
            self._executor.abort(MotionState.FAILED, Cause.PAUSED)
        if self._pose is None:
            wanted = (0.0, 0.0)
        else:
            wanted = self._executor.command(self._pose, now_s)
        if self._step_unseen and self._state == MotionState.MOVING:
            self._look_before_step(now_s)
        verdict = self._gate.check(wanted, now_s, trouble)
        if self._state == MotionState.MOVING:
            self._follow(verdict, now_s)
        elif verdict.cause != Cause.NONE:
            return Command(cause=verdict.cause)
        if self._state != MotionState.MOVING:
            return Command(cause=self._cause)
        return Command(verdict.linear_mps, verdict.angular_radps, verdict.cause)

    def _refusal(self, name: str, stamp_s: float, now_s: float) -> Cause:
        if self._state == MotionState.DISABLED:
            return self._cause
        if name not in self._contract.actions:
            return Cause.UNKNOWN_ACTION
        if not math.isfinite(stamp_s) or (self._pose is not None and not self._pose.finite):
            return Cause.NOT_FINITE
        if stamp_s <= self._last_action_s:
            return Cause.DUPLICATE_ACTION
        if self._state == MotionState.MOVING:
            return Cause.BUSY
        if self._is_stale(stamp_s, now_s):
            return Cause.STALE_ACTION
        return Cause.STALE_ODOMETRY if self._pose is None else Cause.NONE

    def _is_stale(self, stamp_s: float, now_s: float) -> bool:
        """Decided long ago, or on something from before the robot came to rest.

        The latter comes from a policy that was not told yet that motion began anew.
        """
        return (abs(now_s - stamp_s) > self._safety.action_timeout_s
                or stamp_s < self._state_since_s - ROUNDING_S)

    def _begin(self, action: Action, stamp_s: float, now_s: float) -> None:
        self._last_action_s = stamp_s
        self._taken += 1
        self._stepped_s = now_s
        if action == Action.MOVE_FORWARD and self._stalls_again:
            self._enter(MotionState.BLOCKED, Cause.STALLED, now_s)
            return
        self._executor.start(action, self._pose, now_s)
        self._step_unseen = action == Action.MOVE_FORWARD
        self._enter(MotionState(self._executor.state), Cause.NONE, now_s)

    @property
    def _stalls_again(self) -> bool:
        """Whether a step would push against what the last one could not move."""
        if self._stalled_at is None:
            return False
        here = self._pose.seen_from(self._stalled_at)
        return (math.hypot(here.x_m, here.y_m) < SAME_PLACE_M
                and abs(here.yaw_rad) < SAME_HEADING_RAD)

    def _look_before_step(self, now_s: float) -> None:
        self._step_unseen = False
        if self._gate.step_blocked(self._contract.forward_step_m, now_s):
            self._executor.abort(MotionState.BLOCKED, Cause.OBSTACLE)

    def _follow(self, verdict: Verdict, now_s: float) -> None:
        """Let the executor know what really was commanded, and take its end over."""
        self._cause = verdict.cause
        if verdict.cause != Cause.NONE:
            self._executor.hold(0.0)
        elif verdict.linear_mps > 0:
            self._executor.hold(verdict.linear_mps)
        if verdict.give_up:
            blocked = verdict.cause in BLOCKING
            self._executor.abort(MotionState.BLOCKED if blocked else MotionState.FAILED,
                                 verdict.cause)
        if self._executor.state != MotionState.MOVING:
            stalled = (self._executor.cause == Cause.STALLED
                       and self._executor.action == Action.MOVE_FORWARD)
            self._stalled_at = self._pose if stalled else self._stalled_at
            self._enter(self._executor.state, self._executor.cause, now_s)

    def _enter(self, state: MotionState, cause: Cause, now_s: float) -> None:
        self._state, self._cause, self._state_since_s = state, cause, now_s
