# SPDX-License-Identifier: Apache-2.0
"""Stop, listen, decide, move: whose turn it is, seen from the policy."""

from __future__ import annotations

import dataclasses
import math

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.causes import MotionState

# An action that motion did not take is sent so often before a new one is decided on.
SENDS = 3


@dataclasses.dataclass
class Sent:
    """An action on its way: its window's end is the name by which motion knows it again."""

    action: Action
    stamp_s: float
    sent_s: float
    sends: int = 1


class TurnTaking:
    """Says since when to listen, and what was sent without being taken.

    The policy's turn is when motion rests and has taken the last action: its state's stamp
    changes when it does. After STOP the turn comes with a new episode or a reset only.
    """

    def __init__(self, *, action_timeout_s: float, listen_while_moving: bool = False) -> None:
        """Begin with nothing known.

        Args:
            action_timeout_s: send an action again after so long without an effect.
            listen_while_moving: after an action that went as it should, a window may have begun
                while the robot moved.
        """
        if not action_timeout_s > 0:
            raise ValueError(f'action_timeout_s must be positive, got {action_timeout_s}')
        self._timeout_s, self._listens_while_moving = action_timeout_s, listen_while_moving
        self._motion: MotionState | None = None
        self._motion_since_s, self._moved_well = -math.inf, False
        self._episode, self._episode_start_s = '', -math.inf
        self.reset(-math.inf)

    @property
    def episode(self) -> str:
        """Name of the episode; empty before the first."""
        return self._episode

    @property
    def over(self) -> bool:
        """Whether STOP has been decided in this episode."""
        return self._over

    def reset(self, now_s: float) -> None:
        """Begin afresh: listen to nothing from before ``now_s``."""
        self._over = False
        self._not_before_s = now_s
        self._sent: Sent | None = None

    def forget(self) -> None:
        """Forget all stamps after the clock went back; motion tells its state again."""
        self._motion, self._motion_since_s, self._moved_well = None, -math.inf, False
        self.reset(-math.inf)

    def see_motion(self, state: str, since_s: float) -> None:
        """Take ``motion_state``.

        Raises:
            ValueError: an unknown state.
        """
        motion = MotionState(state)
        if since_s != self._motion_since_s or motion != self._motion:
            self._sent = None
            self._moved_well = (motion, self._motion) == (MotionState.IDLE, MotionState.MOVING)
        self._motion, self._motion_since_s = motion, since_s

    def see_episode(self, episode: str, start_s: float) -> bool:
        """Take ``episode``; true if it is a new one, before which the policy forgets."""
        if (episode, start_s) == (self._episode, self._episode_start_s):
            return False
        self._episode, self._episode_start_s = episode, start_s
        self.reset(start_s)
        return True

    @property
    def listens_since_s(self) -> float | None:
        """Everything to decide on must be from after this time; None if it is not our turn."""
        if self._motion is None or not self._motion.at_rest or self._over or self._sent:
            return None
        return max(self._motion_since_s, self._not_before_s)

    @property
    def hears_since_s(self) -> float | None:
        """A window must begin after this time: ``listens_since_s``, or earlier if that is allowed.

        After a fault, a collision or a new episode, what was heard before says nothing.
        """
        early = self._listens_while_moving and self._moved_well
        return self._not_before_s if early else self.listens_since_s

    @property
    def waits_for(self) -> str:
        """Why it is not the policy's turn; empty if it is."""
        if self._over:
            return 'a new episode or ~/reset'
        if self._motion is None:
            return 'motion_state'
        if not self._motion.at_rest:
            return f'motion, which is {self._motion.value}'
        return f'motion to take {self._sent.action.name}' if self._sent else ''

    def decide(self, action: Action, stamp_s: float, now_s: float) -> None:
        """Remember what is sent now."""
        self._sent = Sent(action, stamp_s, now_s)
        self._over = action == Action.STOP

    def send_again(self, now_s: float) -> Sent | None:
        """The action to send once more, if its time has come; gives up after ``SENDS``."""
        if self._sent is None or now_s - self._sent.sent_s < self._timeout_s:
            return None
        if self._sent.sends >= SENDS:
            self._sent, self._not_before_s = None, now_s
            return None
        self._sent = dataclasses.replace(self._sent, sent_s=now_s, sends=self._sent.sends + 1)
        return self._sent
