# SPDX-License-Identifier: Apache-2.0
"""DAgger for AV-WaN: the student sets waypoints, the oracle says which would have been right."""

from __future__ import annotations

import dataclasses
import time
from typing import Callable

import numpy as np
import torch

from asgf_nav_ros.learning.direction_loss import direction_loss
from asgf_nav_ros.learning.learning_rate import set_learning_rate
from asgf_nav_ros.learning.oracle_loss import oracle_loss
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.learning.segment_memory import SegmentMemory
from asgf_nav_ros.learning.waypoint_rollout import unpacked
from asgf_nav_ros.learning.waypoint_rollout import WaypointRollout
from asgf_nav_ros.learning.waypoint_rollout import WaypointSegment
from asgf_nav_ros.network.av_wan import AvWanNetwork
from asgf_nav_ros.network.av_wan import WaypointSequence
from asgf_nav_ros.network.av_wan import WaypointViews


@dataclasses.dataclass(frozen=True, kw_only=True)
class WaypointSettings:
    """Budget and optimiser; ``samples`` counts environment steps, as for every other system."""

    samples: int = 300_000
    segment_decisions: int = 8
    minibatch_segments: int = 16
    replayed_minibatches: int = 6
    memory_segments: int = 3000
    learning_rate: float = 5e-4
    final_learning_rate_fraction: float = 0.05
    gradient_norm: float = 1.0
    direction_weight: float = 0.5
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name in ('samples', 'segment_decisions', 'minibatch_segments', 'memory_segments',
                     'learning_rate', 'gradient_norm'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')


class WaypointLearner:
    """Alternates between collecting segments and learning from fresh and remembered ones."""

    def __init__(self, network: AvWanNetwork, rollout: WaypointRollout, *,
                 settings: WaypointSettings, rng: np.random.Generator,
                 device: torch.device | str = 'cpu') -> None:
        self.network, self._rollout = network, rollout
        self._settings, self._rng = settings, rng
        self._device = torch.device(device)
        self._memory = SegmentMemory(settings.memory_segments)
        self._optimizer = torch.optim.Adam(
            network.parameters(), lr=settings.learning_rate, fused=True)
        self.samples = 0

    def learn(self, on_round: Callable[[dict[str, float]], None]) -> None:
        """Spend the remaining budget; ``on_round`` hears of every round's figures."""
        while self.samples < self._settings.samples:
            on_round(self.round())

    def round(self) -> dict[str, float]:
        """Collect as many segments as there are agents, then learn from them and the memory."""
        began_s, steps = time.perf_counter(), self._rollout.steps
        fresh = self._rollout.collect(self.network, self._settings.segment_decisions,
                                      progress=self.samples / self._settings.samples)
        collected_s = time.perf_counter()
        self.samples += self._rollout.steps - steps
        set_learning_rate(self._optimizer, self._settings.learning_rate,
                          self.samples / self._settings.samples,
                          floor=self._settings.final_learning_rate_fraction)
        for segment in fresh:
            self._memory.add(segment)
        losses = [self._update(batch) for batch in self._memory.minibatches(
            fresh, size=self._settings.minibatch_segments,
            replayed=self._settings.replayed_minibatches, rng=self._rng)]
        figures = {name: float(np.mean([loss[name] for loss in losses])) for name in losses[0]}
        return figures | self._rollout.outcomes() | {
            'samples': self.samples, 'collect_s': collected_s - began_s,
            'learn_s': time.perf_counter() - collected_s}

    def state(self) -> dict:
        """Everything but the weights that a resumed run needs."""
        return {'optimizer': self._optimizer.state_dict(), 'samples': self.samples}

    def restore(self, state: dict) -> None:
        """Continue from what ``state`` returned; the memory of segments fills anew."""
        self._optimizer.load_state_dict(state['optimizer'])
        self.samples = state['samples']

    def _update(self, segments: list[WaypointSegment]) -> dict[str, float]:
        columns = {field.name: np.stack([getattr(segment, field.name) for segment in segments],
                                        axis=0 if field.name == 'hidden' else 1)
                   for field in dataclasses.fields(WaypointSegment)}
        columns['geometric'] = unpacked(columns['geometric'])
        views = WaypointViews(*(self._tensor(columns[name].astype(np.float32))
                                for name in WaypointViews._fields))
        with mixed_precision(self._device, enabled=self._settings.bfloat16):
            output = self.network.sequence(views, self._tensor(columns['hidden']),
                                           self._tensor(columns['starts']))
        losses = waypoint_losses(output, self._tensor(columns['right']),
                                 self._tensor(columns['direction']))
        total = (losses['waypoint_loss']
                 + self._settings.direction_weight * losses['direction_loss'])
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._settings.gradient_norm)
        self._optimizer.step()
        return {name: loss.item() for name, loss in losses.items()}

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)


def waypoint_losses(output: WaypointSequence, right: torch.Tensor,
                    direction: torch.Tensor) -> dict[str, torch.Tensor]:
    """Score decisions against the oracle; means over a minibatch.

    The waypoint loss is minus the log of the summed probability of all right waypoints, so that
    the student is free among them; decisions without a right one are left out.

    Args:
        output: of T decisions of N agents.
        right: (T, N, 81) bool.
        direction: (T, N, 3) float32, cosine and sine of the azimuth, log1p of the path in metres.
    """
    known = right.any(-1)
    loss, agreement = oracle_loss(output.logits[known], right[known])
    return {'waypoint_loss': loss,
            'direction_loss': direction_loss(output.sound_direction, direction),
            'agreement': agreement}
