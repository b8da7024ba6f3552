# SPDX-License-Identifier: Apache-2.0
"""Collect segments of experience from a batched grid world under a teacher's eye."""

from __future__ import annotations

import collections

import numpy as np
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.learning.sampling import draw_choices
from asgf_nav_ros.learning.segment_memory import Segment
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.motion.reckoning import Reckoning
from asgf_nav_ros.network.agent import NavigationAgent
from sim_bridge.grid_world import GridWorld
from sim_bridge.resident_world import ResidentWorld

_STEP_FIELDS = ('house', 'node', 'heading', 'spectrogram', 'starts', 'optimal', 'direction',
                'audible', 'motion', 'blank', 'goal')
_SPARE_STEPS = 5  # an episode that begins at the goal still has some steps


class Rollout:
    """Keeps every agent of ``world`` in an episode that ``episodes`` drew.

    Episodes end after ``max_steps``, or after ``max_detour`` times the oracle's actions: agents
    that are stuck would soon fill the batch, and teach little.
    """

    def __init__(self, world: GridWorld | ResidentWorld, episodes: EpisodeDraw, *,
                 teacher: Teacher, rng: np.random.Generator, max_steps: int = 150,
                 max_detour: float | None = None, bfloat16: bool = True) -> None:
        self._world, self._episodes, self._rng = world, episodes, rng
        self._teacher, self._max_steps, self._bfloat16 = teacher, max_steps, bfloat16
        self._max_detour = max_detour
        self._allowed_steps = np.zeros(world.count, np.int64)
        self._reckoning = Reckoning(world.count, world.contract)
        self._steps = np.zeros(world.count, np.int64)
        self._guided = np.zeros(world.count, bool)
        self._starts = np.ones(world.count, bool)
        self._hidden: torch.Tensor | None = None
        self._outcomes: collections.deque[bool] = collections.deque(maxlen=400)
        for slot in range(world.count):
            self._begin(slot, progress=0.0)

    def collect(self, agent: NavigationAgent, steps: int, *, progress: float) -> list[Segment]:
        """Let every agent act for ``steps`` steps; return one segment for each."""
        if self._hidden is None:
            self._hidden = agent.initial_hidden(self._world.count)
        hidden = self._hidden
        rows = [self._step(agent, progress) for _ in range(steps)]
        columns = {name: (torch.stack if name == 'spectrogram' else np.stack)(
            [row[name] for row in rows]) for name in _STEP_FIELDS}
        return [Segment(hidden=hidden[slot], **{name: column[:, slot]
                                                for name, column in columns.items()})
                for slot in range(self._world.count)]

    def outcomes(self) -> dict[str, float]:
        """Share of the last unguided episodes that the student itself stopped at the goal."""
        return {'student_success': float(np.mean(self._outcomes)) if self._outcomes else 0.0}

    @torch.no_grad()
    def _step(self, agent: NavigationAgent, progress: float) -> dict:
        world = self._world
        batch, optimal = world.observe(), world.optimal()
        everyone = np.arange(world.count)
        motion = self._reckoning.features(everyone)
        row = {'house': world.house.copy(), 'node': world.node.copy(),
               'heading': world.heading.copy(), 'starts': self._starts.copy(),
               'optimal': optimal, 'direction': world.sound_direction(),
               'spectrogram': batch.spectrogram.half(),
               'audible': world.audible(), 'motion': motion, 'blank': batch.blank,
               'goal': goal_targets(world)}
        with mixed_precision(batch.rgb.device, enabled=self._bfloat16):
            output = agent(batch.rgb, batch.depth, batch.spectrogram,
                           self._hidden,
                           torch.from_numpy(motion).to(batch.rgb.device))
        student = draw_choices(output.logits, self._rng)
        actions = self._teacher.choose(student, optimal, self._guided, self._rng)
        world.act(actions)
        self._reckoning.record(everyone, actions, world.moved)
        self._steps += 1
        self._starts = (actions == Action.STOP) | (self._steps >= self._allowed_steps)
        ended = torch.from_numpy(self._starts).to(output.hidden.device)
        self._hidden = output.hidden.float().masked_fill(ended[:, None], 0.0)
        for slot in np.flatnonzero(self._starts):
            if not self._guided[slot]:
                self._outcomes.append(bool(student[slot] == actions[slot] == Action.STOP))
            self._begin(slot, progress=progress)
        return row

    def _begin(self, slot: int, *, progress: float) -> None:
        self._world.place(slot, self._episodes.draw(progress=progress))
        self._reckoning.begin(np.array([slot]))
        self._steps[slot] = 0
        self._allowed_steps[slot] = self._max_steps
        if self._max_detour is not None:
            oracle = self._world.oracle_actions(slot) + _SPARE_STEPS
            self._allowed_steps[slot] = min(self._max_steps, self._max_detour * oracle)
        self._guided[slot] = self._teacher.guides(progress, self._rng)


def goal_targets(world: GridWorld | ResidentWorld) -> np.ndarray:
    """(N, 3) float32: the goal ahead and left in units of 10 m, log1p of the way in metres."""
    return np.column_stack([world.goal_offset_m() / 10, np.log1p(world.geodesic_m())])
