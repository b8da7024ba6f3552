# SPDX-License-Identifier: Apache-2.0
"""A lesson in hearing before the first step: where the sound comes from, at random places.

Imitation alone teaches front from back slowly: most of its windows come from few episodes, and
the optimal action says little of where a sound arrives. What tells front from back is fine work:
the first hundred steps of imitation at full rate wipe it out, so the ears may be kept as they are
(``learn_hearing`` of ``ImitationSettings`` and ``PpoSettings``).
"""

from __future__ import annotations

import dataclasses
import time
from typing import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from asgf_nav_ros.learning.budget import Budget
from asgf_nav_ros.learning.direction_loss import direction_loss
from asgf_nav_ros.learning.heard_places import HeardBatch
from asgf_nav_ros.learning.heard_places import HeardPlaces
from asgf_nav_ros.learning.learning_rate import set_learning_rate
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.belief_map import place_targets
from asgf_nav_ros.network.belief_map import PLACES
from asgf_nav_ros.network.descriptor import AZIMUTH_BINS
from asgf_nav_ros.network.descriptor import descriptor_loss
from asgf_nav_ros.network.descriptor import undecided_loss
from asgf_nav_ros.network.descriptor import unevenness


def parameters_to_learn(agent: nn.Module, *, learn_hearing: bool) -> list[nn.Parameter]:
    """What an optimiser is to change; without ``learn_hearing``, the ears are frozen."""
    if not learn_hearing:
        for parameter in agent.hearing_parameters():
            parameter.requires_grad_(False)
    return [parameter for parameter in agent.parameters() if parameter.requires_grad]


@dataclasses.dataclass(frozen=True, kw_only=True)
class HearingSettings:
    """Budget and optimiser; ``samples`` counts windows heard, 0 leaves the lesson out."""

    samples: int = 0
    minutes: float | None = None  # at most
    batch: int = 128
    round_batches: int = 20
    learning_rate: float = 2e-3
    gradient_norm: float = 1.0
    weight_decay: float = 1e-3
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name in ('batch', 'round_batches', 'learning_rate', 'gradient_norm'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')


class HearingLesson:
    """Teaches an agent's ears, and what reads sound directions off them; nothing else."""

    def __init__(self, agent: NavigationAgent, places: HeardPlaces, *,
                 settings: HearingSettings, device: torch.device | str = 'cpu') -> None:
        """Raises: ValueError: the agent's system describes no sounds."""
        if not agent.describes_sounds:
            raise ValueError(f'{agent.system} has no sound descriptor to be taught')
        self._agent, self._places, self._settings = agent, places, settings
        self._device = torch.device(device)
        self._parameters = list(agent.hearing_parameters())
        self._optimizer = torch.optim.AdamW(self._parameters, lr=settings.learning_rate,
                                            weight_decay=settings.weight_decay, fused=True)
        self._rounds = -(-settings.samples // (settings.batch * settings.round_batches))
        self._budget = Budget(max(settings.samples, 1), settings.minutes)
        self._heard = 0
        # How often the source was in each bin of places, so that ears learn likelihoods of places
        # and not where the lesson's sources mostly are.
        self._placed = torch.full((PLACES,), 0.5, device=self._device)

    @torch.no_grad()
    def take_up(self) -> None:
        """Make ears that can hear already ready to learn on, see ``restate_norms``."""
        self._agent.restate_norms([
            (batch.spectrogram, self._goal_sound(batch))
            for batch in (self._places.draw() for _ in range(self._settings.round_batches))])

    def teach(self, on_round: Callable[[dict[str, float]], None]) -> None:
        """Spend the budget; ``on_round`` hears of every round's figures."""
        self._agent.learn_statistics(True)
        try:
            while self._heard < self._settings.samples and self._progress() < 1:
                on_round(self._round())
        finally:
            self._agent.learn_statistics(False)

    def _progress(self) -> float:
        return self._budget.progress(self._heard)

    def _round(self) -> dict[str, float]:
        began_s = time.perf_counter()
        troubled = min(1.0, self._progress() + 1 / self._rounds)
        rows = [self._update(self._places.draw(progress=troubled))
                for _ in range(self._settings.round_batches)]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} | {
            'heard': self._heard, 'learn_s': time.perf_counter() - began_s}

    def _goal_sound(self, batch: HeardBatch) -> torch.Tensor | None:
        if batch.first_spectrograms is None:
            return None
        return self._agent.goal_sound_of(batch.first_spectrograms)

    def _update(self, batch: HeardBatch) -> dict[str, float]:
        self._heard += self._settings.batch
        set_learning_rate(self._optimizer, self._settings.learning_rate, warm_up=0.1,
                          progress=self._progress())
        with mixed_precision(self._device, enabled=self._settings.bfloat16):
            _, state, _ = self._agent.hear(batch.spectrogram, self._goal_sound(batch))
        believed, descriptor = self._agent.locate(state)
        audible = (batch.direction[:, :2].abs().sum(-1) > 0) & batch.sounding
        loss = (descriptor_loss(descriptor[audible], batch.direction[audible])
                + direction_loss(believed[audible], batch.direction[audible]))
        if not audible.all():
            loss = loss + (~audible).float().mean() * undecided_loss(descriptor[~audible])
        if self._agent.believes:
            loss = loss + self._place_loss(state, batch.offset_m, audible)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, self._settings.gradient_norm)
        self._optimizer.step()
        away = audible & ~batch.at_goal
        return {'hearing_loss': loss.item(),
                'azimuth_error_deg': azimuth_error_deg(
                    descriptor[away].detach(), batch.direction[away])}

    def _place_loss(self, state: torch.Tensor, offset_m: torch.Tensor,
                    audible: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of the source's place, nats; where it is silent, ratios are to be 1."""
        ratios = self._agent.place(state)
        targets = place_targets(offset_m[audible])
        self._placed += targets.sum(0)
        prior = (self._placed / self._placed.sum()).log()
        loss = functional.cross_entropy(ratios[audible] + prior, targets)
        if audible.all():
            return loss
        return loss + (~audible).float().mean() * unevenness(ratios[~audible])


def azimuth_error_deg(descriptor: torch.Tensor, direction: torch.Tensor) -> float:
    """Median error of the most probable azimuth, degrees; 180 for no rows."""
    if not len(direction):
        return 180.0
    azimuth = descriptor[:, :AZIMUTH_BINS].argmax(-1) * (2 * np.pi / AZIMUTH_BINS)
    error = azimuth - torch.atan2(direction[:, 1], direction[:, 0])
    return float(torch.rad2deg(torch.atan2(error.sin(), error.cos()).abs()).median())
