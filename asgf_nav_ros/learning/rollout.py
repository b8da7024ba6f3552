# SPDX-License-Identifier: Apache-2.0
"""Collect segments of experience from a batched grid world under a teacher's eye."""

from __future__ import annotations

import collections

import numpy as np
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.learning.segment_memory import Segment
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.network.agent import NavigationAgent
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

_STEP_FIELDS = ('house', 'node', 'heading', 'spectrogram', 'starts', 'optimal', 'direction')


class Rollout:
    """Keeps every agent of ``world`` in an episode with a random house, source and sound.

    clips : training sounds, each (window_samples,) float32, peak 1.
    """

    def __init__(self, world: GridWorld, clips: list[np.ndarray], *, teacher: Teacher,
                 variation: SoundVariation, rng: np.random.Generator,
                 max_steps: int = 150, bfloat16: bool = True) -> None:
        if not clips:
            raise ValueError('learning needs at least one training sound, got none')
        self._world, self._clips, self._rng = world, clips, rng
        self._teacher, self._variation, self._max_steps = teacher, variation, max_steps
        self._bfloat16 = bfloat16
        self._steps = np.zeros(world.count, np.int64)
        self._guided = np.zeros(world.count, bool)
        self._starts = np.ones(world.count, bool)
        self._hidden = torch.zeros(world.count, world.contract.hidden_size)
        self._outcomes: collections.deque[bool] = collections.deque(maxlen=400)
        for slot in range(world.count):
            self._begin(slot, progress=0.0)

    def collect(self, agent: NavigationAgent, steps: int, *, progress: float) -> list[Segment]:
        """Let every agent act for ``steps`` steps; return one segment for each."""
        hidden = self._hidden.clone()
        rows = [self._step(agent, progress) for _ in range(steps)]
        return [Segment(hidden=hidden[slot], **{
            name: (torch.stack if name == 'spectrogram' else np.stack)(
                [row[name][slot] for row in rows]) for name in _STEP_FIELDS})
            for slot in range(self._world.count)]

    def outcomes(self) -> dict[str, float]:
        """Share of the last unguided episodes that the student itself stopped at the goal."""
        return {'student_success': float(np.mean(self._outcomes)) if self._outcomes else 0.0}

    @torch.no_grad()
    def _step(self, agent: NavigationAgent, progress: float) -> dict:
        world = self._world
        batch, optimal = world.observe(), world.optimal()
        row = {'house': world.house.copy(), 'node': world.node.copy(),
               'heading': world.heading.copy(), 'starts': self._starts.copy(),
               'optimal': optimal, 'direction': world.sound_direction(),
               'spectrogram': batch.spectrogram.to('cpu', torch.float16)}
        with mixed_precision(batch.rgb.device, enabled=self._bfloat16):
            output = agent(batch.rgb, batch.depth, batch.spectrogram,
                           self._hidden.to(batch.rgb.device))
        self._hidden = output.hidden.float().cpu()
        student = self._sample(output.logits)
        actions = self._teacher.choose(student, optimal, self._guided, self._rng)
        world.act(actions)
        self._steps += 1
        self._starts = (actions == Action.STOP) | (self._steps >= self._max_steps)
        for slot in np.flatnonzero(self._starts):
            if not self._guided[slot]:
                self._outcomes.append(bool(student[slot] == actions[slot] == Action.STOP))
            self._begin(slot, progress=progress)
        return row

    def _sample(self, logits: torch.Tensor) -> np.ndarray:
        probability = torch.softmax(logits.float(), -1).cpu().numpy()
        draws = self._rng.random((len(probability), 1)) * 0.999999
        return (probability.cumsum(1) < draws).sum(1).clip(0, probability.shape[1] - 1)

    def _begin(self, slot: int, *, progress: float) -> None:
        rng = self._rng
        house = int(rng.integers(len(self._world.houses)))
        baked = self._world.houses[house]
        clip = self._variation.vary(self._clips[rng.integers(len(self._clips))], self._clips, rng)
        self._world.place(slot, Placement(
            house=house, source=int(rng.integers(len(baked.source_nodes))),
            node=int(rng.integers(len(baked.nodes))), heading=int(rng.integers(4)), dry=clip,
            rng=rng, noise_rms=self._variation.noise_rms(rng)))
        self._hidden[slot] = 0.0
        self._steps[slot] = 0
        self._guided[slot] = self._teacher.guides(progress, rng)
