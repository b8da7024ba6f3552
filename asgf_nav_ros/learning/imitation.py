# SPDX-License-Identifier: Apache-2.0
"""DAgger: the student drives, the shortest-path oracle says what would have been right."""

from __future__ import annotations

import dataclasses
import time
from typing import Callable

import numpy as np
import torch
from torch.nn import functional

from asgf_nav_ros.learning import augment
from asgf_nav_ros.learning.budget import Budget
from asgf_nav_ros.learning.direction_loss import direction_loss
from asgf_nav_ros.learning.distributed import Processes
from asgf_nav_ros.learning.hearing import parameters_to_learn
from asgf_nav_ros.learning.learning_rate import set_learning_rate
from asgf_nav_ros.learning.oracle_loss import oracle_loss
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.learning.rollout import Rollout
from asgf_nav_ros.learning.segment_memory import Segment
from asgf_nav_ros.learning.segment_memory import SegmentMemory
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.agent import SequenceOutput
from asgf_nav_ros.network.descriptor import descriptor_loss
from sim_bridge.grid_world import GridWorld
from sim_bridge.resident_world import ResidentWorld

_FIGURES = ('action_loss', 'direction_loss', 'agreement', 'goal_loss')


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImitationSettings:
    """Budget and optimiser of one imitation run; ``samples`` counts environment steps."""

    samples: int = 90_000
    minutes: float | None = None  # at most
    segment_steps: int = 20
    minibatch_segments: int = 16
    replayed_minibatches: int = 6
    memory_segments: int = 3000
    learning_rate: float = 5e-4
    final_learning_rate_fraction: float = 0.05
    gradient_norm: float = 1.0
    direction_weight: float = 0.5
    descriptor_weight: float = 0.1
    goal_weight: float = 0.5
    mask_spectrograms: float = 0.0  # share of samples
    jitter_colors: float = 0.0  # share of samples
    learn_hearing: bool = True  # else the ears stay as they were taught
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name in ('samples', 'segment_steps', 'minibatch_segments', 'memory_segments',
                     'learning_rate', 'gradient_norm'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')


@dataclasses.dataclass(frozen=True)
class ImitationLosses:
    """Means over a minibatch: action loss (nats), direction loss, agreement with the oracle.

    ``descriptor`` is the loss of the sound descriptor (nats), ``goal`` that of where the memory
    believes the goal to be; 0 for systems without them.
    """

    action: torch.Tensor
    direction: torch.Tensor
    agreement: torch.Tensor
    descriptor: torch.Tensor
    goal: torch.Tensor


def imitation_losses(output: SequenceOutput, optimal: torch.Tensor, direction: torch.Tensor,
                     audible: torch.Tensor | None = None,
                     goal: torch.Tensor | None = None) -> ImitationLosses:
    """Score a sequence against the oracle.

    optimal : (T, N, 4) bool, every optimal action, see ``oracle_loss``.
    direction : (T, N, 3) float32, cosine and sine of the azimuth, log1p of the path in metres.
    audible : (T, N) bool, where there is a direction to be heard; everywhere if None.
    goal : (T, N, 3) float32, see ``rollout.goal_targets``.
    """
    action, agreement = oracle_loss(output.logits, optimal)
    heard = torch.ones_like(optimal[..., 0]) if audible is None else audible
    believed, direction = output.sound_direction.float()[heard], direction[heard]
    nothing = action.new_zeros(())
    return ImitationLosses(
        action, direction_loss(believed, direction), agreement,
        nothing if output.descriptor is None or not len(direction)
        else descriptor_loss(output.descriptor[heard], direction),
        nothing if output.goal is None or goal is None
        else functional.smooth_l1_loss(output.goal, goal))


class ImitationLearner:
    """Alternates between collecting segments and learning from fresh and remembered ones."""

    def __init__(self, agent: NavigationAgent, world: GridWorld | ResidentWorld,
                 rollout: Rollout, *, settings: ImitationSettings, rng: np.random.Generator,
                 device: torch.device | str = 'cpu',
                 processes: Processes | None = None) -> None:
        self.agent, self._world, self._rollout = agent, world, rollout
        self._settings, self._rng = settings, rng
        self._processes = processes or Processes()
        self._scored = self._processes.scored(agent, self._score)
        self._device = torch.device(device)
        self._memory = SegmentMemory(settings.memory_segments)
        self._optimizer = torch.optim.Adam(
            parameters_to_learn(agent, learn_hearing=settings.learn_hearing),
            lr=settings.learning_rate, fused=True)
        self.samples, self._budget = 0, Budget(settings.samples, settings.minutes)
        self.history: list[dict[str, float]] = []

    def learn(self, on_round: Callable[[dict[str, float]], None]) -> None:
        """Spend the remaining budget; ``on_round`` hears of every round's figures."""
        while self._budget.progress(self.samples) < 1:
            figures = self.round()
            self.history.append(figures)
            on_round(figures)

    def round(self) -> dict[str, float]:
        """Collect one segment per agent, then learn from it and from the memory."""
        began_s = time.perf_counter()
        fresh = self._rollout.collect(self.agent, self._settings.segment_steps,
                                      progress=self._budget.progress(self.samples))
        collected_s = time.perf_counter()
        self.samples += len(fresh) * self._settings.segment_steps * self._processes.size
        set_learning_rate(self._optimizer, self._settings.learning_rate,
                          self._budget.progress(self.samples),
                          floor=self._settings.final_learning_rate_fraction)
        for segment in fresh:
            self._memory.add(segment)
        losses = [self._update(batch) for batch in self._memory.minibatches(
            fresh, size=self._settings.minibatch_segments,
            replayed=self._settings.replayed_minibatches, rng=self._rng)]
        means = torch.stack(losses).mean(0).tolist()  # the device is waited for here alone
        figures = dict(zip(_FIGURES, means))
        figures |= self._rollout.outcomes() | {
            'collect_s': collected_s - began_s, 'learn_s': time.perf_counter() - collected_s}
        return {'samples': self.samples} | self._processes.mean_figures(figures)

    def state(self) -> dict:
        """What all processes have in common beside the weights: tensors and plain values."""
        return {'optimizer': self._optimizer.state_dict(), 'samples': self.samples,
                'spent_s': self._budget.spent_s,
                'history': self.history}

    def own_state(self) -> dict:
        """What is this process's own: the generator."""
        return {'generator': self._rng.bit_generator.state}

    def restore(self, state: dict, own: dict | None = None) -> None:
        """Continue from what ``state`` and ``own_state`` returned.

        Episodes begin anew, and the memory of segments, a gigabyte or more, fills anew.
        """
        self._optimizer.load_state_dict(state['optimizer'])
        self.samples, self.history = state['samples'], list(state['history'])
        self._budget.go_on(state.get('spent_s', 0.0))
        if own is not None:
            self._rng.bit_generator.state = own['generator']

    def _update(self, segments: list[Segment]) -> torch.Tensor:
        """Take one step of the optimiser; return ``_FIGURES``."""
        losses = self._scored(segments)
        total = (losses.action + self._settings.direction_weight * losses.direction
                 + self._settings.descriptor_weight * losses.descriptor
                 + self._settings.goal_weight * losses.goal)
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.agent.parameters(), self._settings.gradient_norm)
        self._optimizer.step()
        return torch.stack([losses.action, losses.direction, losses.agreement,
                            losses.goal]).detach()

    def _score(self, segments: list[Segment]) -> ImitationLosses:
        shape = (len(segments[0].starts), len(segments))
        index = [np.stack([getattr(segment, name) for segment in segments], 1).ravel()
                 for name in ('house', 'node', 'heading')]
        rgb, depth = (image.unflatten(0, shape) for image in self._world.views(*index))
        blank = self._stack(segments, 'blank')
        rgb[blank], depth[blank] = 0, 0.0
        spectrogram = torch.stack([segment.spectrogram for segment in segments], 1)
        spectrogram = spectrogram.float()
        augment.mask_spectrograms(spectrogram, self._settings.mask_spectrograms, self._rng)
        rgb = augment.jitter_colors(rgb, self._settings.jitter_colors, self._rng)
        hidden = torch.stack([segment.hidden for segment in segments])
        with mixed_precision(self._device, enabled=self._settings.bfloat16):
            output = self.agent.sequence(
                rgb, depth, spectrogram, hidden,
                self._stack(segments, 'starts'), self._stack(segments, 'motion'))
        return imitation_losses(output, self._stack(segments, 'optimal'),
                                self._stack(segments, 'direction'),
                                self._stack(segments, 'audible'),
                                self._stack(segments, 'goal'))

    def _stack(self, segments: list[Segment], name: str) -> torch.Tensor:
        stacked = np.stack([getattr(segment, name) for segment in segments], 1)
        return torch.from_numpy(stacked).to(self._device)
