# SPDX-License-Identifier: Apache-2.0
"""When a simulation in lockstep may go on: it waits for each message that the graph owes it.

A tick begins with the clock and odometry, and motion answers with a command of the same stamp.
Only then come the senses. If they complete a listening window at rest, the policy owes an
action, and motion its word that it has begun. So no step depends on which process was faster.
"""

from __future__ import annotations

import enum
import math

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.causes import MotionState

# Stamps are nanoseconds in messages and floats here.
ROUNDING_S = 1e-6


class Due(enum.Enum):
    """What the simulation may do now."""

    NOTHING = 'nothing'
    SENSES = 'senses'  # publish audio and images of this tick
    ADVANCE = 'advance'  # go on to the next tick


class Lockstep:
    """Follows what has come for the tick at ``now_s``."""

    def __init__(self, *, window_s: float) -> None:
        """A window of ``window_s`` at rest earns an action."""
        self._window_s = window_s
        self.motion: MotionState | None = None
        self.motion_since_s = -math.inf
        self.velocity = (0.0, 0.0)
        self._episode_since_s = 0.0
        self._now_s = -math.inf
        self._command_came = self._sensed = True
        self._owes_action = False
        self._action: Action | None = None
        self._rested_since_s = -math.inf

    def begin_episode(self, now_s: float) -> None:
        """Only windows from after now count."""
        self._episode_since_s = now_s
        self._owes_action, self._action = False, None

    def begin_tick(self, now_s: float) -> None:
        """Wait for the command of this tick."""
        self._now_s = now_s
        self._command_came = self._sensed = False

    def see_motion(self, state: MotionState, since_s: float) -> None:
        """Take ``motion_state``."""
        self.motion, self.motion_since_s = state, since_s

    def see_command(self, velocity: tuple[float, float], stamp_s: float) -> None:
        """Take ``cmd_vel``; one for another tick is nobody's answer."""
        if abs(stamp_s - self._now_s) < ROUNDING_S:
            self.velocity, self._command_came = velocity, True

    def see_action(self, action: Action) -> bool:
        """Take ``action``; false if it was not owed: the graph has lost step."""
        if not self._owes_action:
            return False
        self._owes_action, self._action = False, action
        return True

    def turn_complete(self, heard_until_s: float) -> bool:
        """Whether audio until then completes a window since the robot came to rest."""
        if self.motion is None or not self.motion.at_rest:
            return False
        since_s = max(self.motion_since_s, self._episode_since_s)
        return heard_until_s >= since_s + self._window_s - ROUNDING_S

    def sensed(self, *, action_owed: bool) -> None:
        """The senses of this tick are out."""
        self._sensed, self._owes_action = True, action_owed
        if action_owed:  # motion's word may be faster than the policy's
            self._action, self._rested_since_s = None, self.motion_since_s

    @property
    def due(self) -> Due:
        """What may be done now."""
        if not self._command_came:
            return Due.NOTHING
        if not self._sensed:
            return Due.SENSES
        if self._owes_action or self._is_untaken:
            return Due.NOTHING
        return Due.ADVANCE

    @property
    def waits_for(self) -> str:
        """What has not come, for the message of a timeout."""
        if not self._command_came:
            return f'cmd_vel stamped {self._now_s:.2f} from motion'
        if self._owes_action:
            return f'an action from policy for the window until {self._now_s:.2f}'
        return f'motion_state after {self._action.name}' if self._is_untaken else ''

    @property
    def _is_untaken(self) -> bool:
        """Whether motion has not yet said that it begins the action."""
        return (self._action not in (None, Action.STOP)
                and self._rested_since_s == self.motion_since_s)
