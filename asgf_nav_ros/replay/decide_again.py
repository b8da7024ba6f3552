# SPDX-License-Identifier: Apache-2.0
"""Takes every decision of a recording once more, and says where and why it comes out otherwise."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import math
from typing import Any
from typing import Iterator

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from asgf_nav_ros.inference.onnx_policy import Decision
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.inference.onnx_policy import PolicyOutputError
from asgf_nav_ros.motion.odometry_features import OdometryFeatures
from asgf_nav_ros.replay.observations import Gathered
from asgf_nav_ros.replay.recording_index import Choice
from asgf_nav_ros.replay.recording_index import RecordingIndex

MAX_LOST = 10_000  # decisions between two recorded ones: more are no gap but nonsense


@dataclasses.dataclass(frozen=True, eq=False)
class Again:
    """One choice taken again.

    decision : None if it could not be taken; ``why`` then says what was missing.
    why : where the action is another one, the reason.
    """

    choice: Choice
    decision: Decision | None
    observation: Observation | None
    why: str = ''

    @property
    def compared(self) -> bool:
        """Whether there is something to compare."""
        return self.decision is not None and self.choice.action != ''

    def without_observation(self) -> Again:
        """The same without its images, to be kept in numbers."""
        return dataclasses.replace(self, observation=None)

    @property
    def agrees(self) -> bool:
        """Whether the action is the recorded one."""
        return self.compared and self.decision.action.name == self.choice.action


class DecidingAgain:
    """A policy, its memory and its random draws, along the choices of a recording.

    After each choice the robot is where the record says, whatever was decided again: one
    difference does not make the next decision another one, but for the policy's own memory.
    """

    def __init__(self, policy: OnnxPolicy, index: RecordingIndex) -> None:
        self._policy = policy
        self._poses, self._next_pose = index.poses, 0
        self._own_motion = OdometryFeatures(policy.contract)
        self._rng = np.random.default_rng()
        self._expected_step: int | None = None
        self._memory_whole = False

    def decide(self, gathered: Gathered) -> Again:
        """Take one choice again, in the order of the recording."""
        choice = gathered.choice
        self._remember_as_then(choice)
        self._see_poses(choice.stamp_s)
        if not gathered.complete:
            return self._impossible(choice, _lacks(gathered))
        observation = gathered.observation()
        if self._policy.contract.odometry:
            motion = self._motion(choice)
            if motion is None:
                return self._impossible(choice, 'no odometry from before it')
            observation = dataclasses.replace(observation, motion=motion)
        try:
            decision = self._policy.decide(
                observation, temperature=_temperature(choice.info), rng=self._rng)
        except (ContractMismatch, PolicyOutputError) as error:
            return self._impossible(choice, str(error))
        self._own_motion.decided(Action[choice.action] if choice.action else decision.action,
                                 choice.stamp_s)
        return Again(choice, decision, observation, self._why(choice, decision))

    def _remember_as_then(self, choice: Choice) -> None:
        """Empty the memory where the record does, and draw for decisions that were lost."""
        if choice.step == 0 or self._expected_step is None or choice.step < self._expected_step:
            self._policy.reset()
            self._own_motion.begin()
            self._rng = np.random.default_rng(_seed(choice.info))
            self._expected_step, self._memory_whole = 0, True
        lost = min(choice.step - self._expected_step, MAX_LOST)
        if lost:
            self._memory_whole = False
            self._rng.random(lost)
        self._expected_step = choice.step + 1

    def _see_poses(self, stamp_s: float) -> None:
        while self._next_pose < len(self._poses) and self._poses[self._next_pose][0] <= stamp_s:
            seen_s, pose = self._poses[self._next_pose]
            self._own_motion.see(pose, seen_s)
            self._next_pose += 1

    def _motion(self, choice: Choice) -> np.ndarray | None:
        """What the policy was told of its motion, or what odometry says of it."""
        told = choice.told.get('motion')
        if isinstance(told, list) and len(told) == MOTION_FEATURES and all(
                isinstance(value, float) for value in told):
            return np.array(told, np.float32)
        return self._own_motion.features(choice.stamp_s)

    def _impossible(self, choice: Choice, why: str) -> Again:
        self._memory_whole = False
        if _temperature(choice.info) > 0:
            self._rng.random()
        return Again(choice, None, None, why)

    def _why(self, choice: Choice, decision: Decision) -> str:
        if not choice.action or decision.action.name == choice.action:
            return ''
        reasons = [] if self._memory_whole else ['a decision before it is missing, the memory '
                                                 'is another']
        recorded = recorded_probabilities(choice, self._policy.contract.actions)
        if recorded is None:
            return '; '.join([*reasons, 'the probabilities of then are not recorded'])
        difference = float(np.abs(recorded - decision.probabilities).max())
        best_then, best_now = (self._policy.contract.actions[int(p.argmax())]
                               for p in (recorded, decision.probabilities))
        if best_then == best_now:
            reasons.append(f'{best_now} is the most probable both times, the draw falls otherwise')
        else:
            reasons.append(f'{best_now} is the most probable instead of {best_then}')
        return '; '.join([*reasons, f'probabilities differ by up to {difference:.2g}'])


def decide_all(policy: OnnxPolicy, index: RecordingIndex,
               observations: Iterator[Gathered]) -> Iterator[Again]:
    """Take all choices again, in their order."""
    deciding = DecidingAgain(policy, index)
    for gathered in observations:
        yield deciding.decide(gathered)


def recorded_probabilities(choice: Choice, actions: tuple[str, ...]) -> np.ndarray | None:
    """(actions,) float64 as recorded, None if the record has none for these actions."""
    told = choice.told.get('probabilities')
    if not isinstance(told, Mapping):
        return None
    values = [told.get(name) for name in actions]
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
        return None
    return np.array(values, float)


def _lacks(gathered: Gathered) -> str:
    return '; '.join([f'lacks {", ".join(gathered.missing)}', *gathered.faults])


def _temperature(info: Mapping[str, Any]) -> float:
    told = info.get('temperature')
    usable = isinstance(told, (int, float)) and 0 <= told < math.inf
    return float(told) if usable else DEPLOYED_TEMPERATURE


def _seed(info: Mapping[str, Any]) -> int:
    told = info.get('seed')
    return told if isinstance(told, int) and 0 <= told < 2 ** 63 else 0
