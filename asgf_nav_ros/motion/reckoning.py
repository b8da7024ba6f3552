# SPDX-License-Identifier: Apache-2.0
"""Dead reckoning from primitive actions and their outcomes, for many agents at once."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import MOTION_BLOCKED
from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import MOTION_LAST
from asgf_nav_ros.contract import MOTION_POSITION
from asgf_nav_ros.contract import MOTION_POSITION_SCALE_M
from asgf_nav_ros.contract import MOTION_YAW
from asgf_nav_ros.contract import PolicyContract

_STEP_SCALE = 100.0


class Reckoning:
    """Where each agent is, seen from where its episode began: x ahead, y left, metres."""

    def __init__(self, count: int, contract: PolicyContract) -> None:
        self._step_m, self._turn_rad = contract.forward_step_m, contract.turn_rad
        self._xy = np.zeros((count, 2))
        self._yaw_rad = np.zeros(count)
        self._steps = np.zeros(count)
        self._last = np.zeros((count, len(Action)), np.float32)
        self._blocked = np.zeros(count, bool)

    def resize(self, count: int) -> None:
        """Make room for at least ``count`` agents."""
        more = count - len(self._xy)
        if more > 0:
            for name in ('_xy', '_yaw_rad', '_steps', '_last', '_blocked'):
                state = getattr(self, name)
                setattr(self, name, np.concatenate(
                    [state, np.zeros((more, *state.shape[1:]), state.dtype)]))

    def begin(self, slots: np.ndarray) -> None:
        """Start new episodes in ``slots``."""
        for state in (self._xy, self._yaw_rad, self._steps, self._last, self._blocked):
            state[slots] = 0

    def record(self, slots: np.ndarray, actions: np.ndarray, moved: np.ndarray) -> None:
        """Take note of the actions (N,) that ``slots`` carried out.

        ``moved`` (N,) bool tells whether a step forward went ahead; turns always do.
        """
        slots, actions = np.asarray(slots), np.asarray(actions)
        forward = actions == Action.MOVE_FORWARD
        went = forward & np.asarray(moved, bool)
        heading = np.stack([np.cos(self._yaw_rad[slots]), np.sin(self._yaw_rad[slots])], axis=1)
        self._xy[slots] += self._step_m * went[:, None] * heading
        turn = (actions == Action.TURN_LEFT).astype(float) - (actions == Action.TURN_RIGHT)
        self._yaw_rad[slots] += self._turn_rad * turn
        self._steps[slots] += 1
        self._last[slots] = np.eye(len(Action), dtype=np.float32)[actions]
        self._blocked[slots] = forward & ~went

    def poses(self, slots: np.ndarray) -> np.ndarray:
        """(N, 3) float64: x, y in metres, yaw in radians, left positive."""
        return np.column_stack([self._xy[slots], self._yaw_rad[slots]])

    def features(self, slots: np.ndarray) -> np.ndarray:
        """What a policy with ``contract.odometry`` is told, (N, MOTION_FEATURES) float32.

        Last action without STOP (one-hot), blocked, x and y in units of 10 m, cosine and sine of
        the yaw, decisions so far in units of 100.
        """
        return motion_features(self._last[slots], self._blocked[slots], self._xy[slots],
                               self._yaw_rad[slots], self._steps[slots])


def motion_features(last: np.ndarray, blocked: np.ndarray, xy: np.ndarray, yaw_rad: np.ndarray,
                    steps: np.ndarray) -> np.ndarray:
    """Assemble (N, MOTION_FEATURES) float32, see ``Reckoning.features``.

    last : (N, 4) one-hot over ``Action``, zeros at the start; blocked, yaw_rad, steps : (N,);
    xy : (N, 2) metres in the frame of the start.
    """
    features = np.empty((len(last), MOTION_FEATURES), np.float32)
    features[:, MOTION_LAST] = last[:, 1:]
    features[:, MOTION_BLOCKED] = blocked
    features[:, MOTION_POSITION] = xy / MOTION_POSITION_SCALE_M
    features[:, MOTION_YAW] = np.column_stack([np.cos(yaw_rad), np.sin(yaw_rad)])
    features[:, 8] = steps / _STEP_SCALE
    return features
