# SPDX-License-Identifier: Apache-2.0
"""Names of what motion does and why it does not move: the words of its diagnostics."""

from __future__ import annotations

import enum


class MotionState(str, enum.Enum):
    """``frame_id`` of ``motion_state``."""

    IDLE = 'idle'
    MOVING = 'moving'
    BLOCKED = 'blocked'
    FAILED = 'failed'
    DISABLED = 'disabled'

    @property
    def at_rest(self) -> bool:
        """Whether the last action is over and the next may be decided on."""
        return self in (MotionState.IDLE, MotionState.BLOCKED, MotionState.FAILED)


class Cause(str, enum.Enum):
    """Why zero is commanded, or why an action ended before its goal."""

    NONE = ''
    NOT_ENABLED = 'not_enabled'
    STOPPED = 'stopped'
    SHUTDOWN = 'shutdown'
    STALE_ODOMETRY = 'stale_odometry'
    STALE_DEPTH = 'stale_depth'
    BLIND_DEPTH = 'blind_depth'
    FROZEN_DEPTH = 'frozen_depth'
    OBSTACLE = 'obstacle'
    UNKNOWN_ACTION = 'unknown_action'
    STALE_ACTION = 'stale_action'
    DUPLICATE_ACTION = 'duplicate_action'
    BUSY = 'busy'
    NOT_FINITE = 'not_finite'
    DEADLINE = 'deadline'
    STALLED = 'stalled'
    SLIPPED = 'slipped'
    ODOMETRY_JUMP = 'odometry_jump'
    PAUSED = 'paused'
    CLOCK_STOPPED = 'clock_stopped'
    NO_DEADMAN = 'no_deadman'
    SILENT_NODE = 'silent_node'
    UNWELL_NODE = 'unwell_node'
