# SPDX-License-Identifier: Apache-2.0
"""DAgger: the student drives, the shortest-path oracle says what would have been right."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Callable

import numpy as np
import torch
from torch.nn import functional

from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.learning.rollout import Rollout
from asgf_nav_ros.learning.segment_memory import Segment
from asgf_nav_ros.learning.segment_memory import SegmentMemory
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.agent import SequenceOutput
from sim_bridge.grid_world import GridWorld


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImitationSettings:
    """Budget and optimiser of one imitation run; ``samples`` counts environment steps."""

    samples: int = 90_000
    segment_steps: int = 20
    minibatch_segments: int = 16
    replayed_minibatches: int = 6
    memory_segments: int = 3000
    learning_rate: float = 5e-4
    final_learning_rate_fraction: float = 0.05
    gradient_norm: float = 1.0
    direction_weight: float = 0.5
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name in ('samples', 'segment_steps', 'minibatch_segments', 'memory_segments',
                     'learning_rate', 'gradient_norm'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')


@dataclasses.dataclass(frozen=True)
class ImitationLosses:
    """Means over a minibatch: action loss (nats), direction loss, agreement with the oracle."""

    action: torch.Tensor
    direction: torch.Tensor
    agreement: torch.Tensor


def imitation_losses(output: SequenceOutput, optimal: torch.Tensor,
                     direction: torch.Tensor) -> ImitationLosses:
    """Score a sequence against the oracle.

    optimal : (T, N, 4) bool, every optimal action; the loss is minus the log of their summed
    probability, so that the student is free among them.
    direction : (T, N, 3) float32, cosine and sine of the azimuth, log1p of the path in metres.
    """
    log_probability = functional.log_softmax(output.logits.float(), -1)
    summed = log_probability.masked_fill(~optimal, -math.inf).logsumexp(-1)
    heard = output.sound_direction.float()
    direction_loss = (functional.mse_loss(heard[..., :2], direction[..., :2])
                      + 0.5 * functional.smooth_l1_loss(heard[..., 2], direction[..., 2]))
    chosen = log_probability.argmax(-1, keepdim=True)
    agreement = optimal.gather(-1, chosen).float().mean()
    return ImitationLosses(-summed.mean(), direction_loss, agreement)


class ImitationLearner:
    """Alternates between collecting segments and learning from fresh and remembered ones."""

    def __init__(self, agent: NavigationAgent, world: GridWorld, rollout: Rollout, *,
                 settings: ImitationSettings, rng: np.random.Generator,
                 device: torch.device | str = 'cpu') -> None:
        self.agent, self._world, self._rollout = agent, world, rollout
        self._settings, self._rng = settings, rng
        self._device = torch.device(device)
        self._memory = SegmentMemory(settings.memory_segments)
        self._optimizer = torch.optim.Adam(
            agent.parameters(), lr=settings.learning_rate, fused=True)
        self.samples = 0
        self.history: list[dict[str, float]] = []

    def learn(self, on_round: Callable[[dict[str, float]], None]) -> None:
        """Spend the remaining budget; ``on_round`` hears of every round's figures."""
        while self.samples < self._settings.samples:
            figures = self.round()
            self.history.append(figures)
            on_round(figures)

    def round(self) -> dict[str, float]:
        """Collect one segment per agent, then learn from it and from the memory."""
        began_s = time.perf_counter()
        fresh = self._rollout.collect(self.agent, self._settings.segment_steps,
                                      progress=self.samples / self._settings.samples)
        collected_s = time.perf_counter()
        self.samples += len(fresh) * self._settings.segment_steps
        self._set_learning_rate()
        for segment in fresh:
            self._memory.add(segment)
        losses = [self._update(batch) for batch in self._minibatches(fresh)]
        figures = {name: float(np.mean([loss[name] for loss in losses])) for name in losses[0]}
        return figures | self._rollout.outcomes() | {
            'samples': self.samples, 'collect_s': collected_s - began_s,
            'learn_s': time.perf_counter() - collected_s}

    def state(self) -> dict:
        """Everything but the weights that a resumed run needs: tensors and plain values."""
        return {'optimizer': self._optimizer.state_dict(), 'samples': self.samples,
                'history': self.history}

    def restore(self, state: dict) -> None:
        """Continue from what ``state`` returned; the memory of segments fills anew."""
        self._optimizer.load_state_dict(state['optimizer'])
        self.samples, self.history = state['samples'], list(state['history'])

    def _set_learning_rate(self) -> None:
        progress = min(self.samples / self._settings.samples, 1.0)
        floor = self._settings.final_learning_rate_fraction
        factor = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))
        for group in self._optimizer.param_groups:
            group['lr'] = self._settings.learning_rate * factor

    def _minibatches(self, fresh: list[Segment]) -> list[list[Segment]]:
        size = self._settings.minibatch_segments
        order = self._rng.permutation(len(fresh))
        batches = [[fresh[index] for index in order[start:start + size]]
                   for start in range(0, len(order), size)]
        batches += [self._memory.draw(size, self._rng)
                    for _ in range(self._settings.replayed_minibatches)]
        return batches

    def _update(self, segments: list[Segment]) -> dict[str, float]:
        losses = self._score(segments)
        total = losses.action + self._settings.direction_weight * losses.direction
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.agent.parameters(), self._settings.gradient_norm)
        self._optimizer.step()
        return {'action_loss': losses.action.item(), 'direction_loss': losses.direction.item(),
                'agreement': losses.agreement.item()}

    def _score(self, segments: list[Segment]) -> ImitationLosses:
        shape = (len(segments[0].starts), len(segments))
        index = [np.stack([getattr(segment, name) for segment in segments], 1).ravel()
                 for name in ('house', 'node', 'heading')]
        rgb, depth = (image.unflatten(0, shape) for image in self._world.views(*index))
        spectrogram = torch.stack([segment.spectrogram for segment in segments], 1)
        hidden = torch.stack([segment.hidden for segment in segments])
        starts = self._stack(segments, 'starts')
        with mixed_precision(self._device, enabled=self._settings.bfloat16):
            output = self.agent.sequence(rgb, depth, spectrogram.to(self._device).float(),
                                          hidden.to(self._device), starts)
        return imitation_losses(output, self._stack(segments, 'optimal'),
                                self._stack(segments, 'direction'))

    def _stack(self, segments: list[Segment], name: str) -> torch.Tensor:
        stacked = np.stack([getattr(segment, name) for segment in segments], 1)
        return torch.from_numpy(stacked).to(self._device)
