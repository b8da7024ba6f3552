# SPDX-License-Identifier: Apache-2.0
"""Teach a network to locate a sound: Direction Follower's and Gan et al.'s supervised part."""

from __future__ import annotations

import dataclasses
import time
from typing import Callable

import numpy as np
import torch
from torch.nn import functional

from asgf_nav_ros.learning.heard_places import HeardBatch
from asgf_nav_ros.learning.heard_places import HeardPlaces
from asgf_nav_ros.learning.learning_rate import set_learning_rate
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.network.sound_locator import compressed_offset
from asgf_nav_ros.network.sound_locator import DIRECTION_FOLLOWER
from asgf_nav_ros.network.sound_locator import offset_m
from asgf_nav_ros.network.sound_locator import SoundLocator


@dataclasses.dataclass(frozen=True, kw_only=True)
class SupervisedSettings:
    """Budget and optimiser; ``samples`` counts windows heard, in batches of ``batch``."""

    samples: int = 400_000
    batch: int = 128
    round_batches: int = 10
    learning_rate: float = 1e-3
    final_learning_rate_fraction: float = 0.02
    gradient_norm: float = 1.0
    weight_decay: float = 1e-4
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name in ('samples', 'batch', 'round_batches', 'learning_rate', 'gradient_norm'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')


class SupervisedLearner:
    """Draws places, listens, and learns where the sound was."""

    def __init__(self, locator: SoundLocator, places: HeardPlaces, *,
                 settings: SupervisedSettings, device: torch.device | str = 'cpu') -> None:
        self.network, self._places, self._settings = locator, places, settings
        self._device = device
        self._optimizer = torch.optim.AdamW(
            locator.parameters(), lr=settings.learning_rate,
            weight_decay=settings.weight_decay, fused=True)
        self.samples = 0

    def learn(self, on_round: Callable[[dict[str, float]], None]) -> None:
        """Spend the remaining budget; ``on_round`` hears of every round's figures."""
        while self.samples < self._settings.samples:
            on_round(self.round())

    def round(self) -> dict[str, float]:
        """Learn from ``round_batches`` fresh batches."""
        began_s = time.perf_counter()
        rows = [self._update(self._places.draw(progress=self._progress))
                for _ in range(self._settings.round_batches)]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} | {
            'samples': self.samples, 'learn_s': time.perf_counter() - began_s}

    def state(self) -> dict:
        """Everything but the weights that a resumed run needs."""
        return {'optimizer': self._optimizer.state_dict(), 'samples': self.samples}

    def restore(self, state: dict) -> None:
        """Continue from what ``state`` returned."""
        self._optimizer.load_state_dict(state['optimizer'])
        self.samples = state['samples']

    def _update(self, batch: HeardBatch) -> dict[str, float]:
        set_learning_rate(self._optimizer, self._settings.learning_rate, self._progress,
                          floor=self._settings.final_learning_rate_fraction)
        with mixed_precision(self._device, enabled=self._settings.bfloat16):
            vector, logit = self.network(batch.spectrogram)
        losses = locator_losses(vector, logit, batch, system=self.network.contract.system)
        self._optimizer.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._settings.gradient_norm)
        self._optimizer.step()
        self.samples += len(logit)
        return {name: loss.item() for name, loss in losses.items()} | locator_errors(
            vector.detach(), logit.detach(), batch, system=self.network.contract.system)

    @property
    def _progress(self) -> float:
        return min(self.samples / self._settings.samples, 1.0)


def locator_losses(vector: torch.Tensor, logit: torch.Tensor, batch: HeardBatch, *,
                   system: str) -> dict[str, torch.Tensor]:
    """Score a locator's vector (B, 2) and logit (B,) against the truth.

    At the source itself the sound has no direction, so none is asked for.
    """
    stop_loss = functional.binary_cross_entropy_with_logits(logit, batch.at_goal.float())
    if system == DIRECTION_FOLLOWER:
        errors = (vector - batch.direction[:, :2]).square().sum(-1)
        elsewhere = (~batch.at_goal).float()
        vector_loss = (errors * elsewhere).sum() / elsewhere.sum().clamp(min=1)
    else:
        vector_loss = functional.smooth_l1_loss(vector, compressed_offset(batch.offset_m),
                                                beta=0.3)
    return {'vector_loss': vector_loss, 'stop_loss': stop_loss}


def locator_errors(vector: torch.Tensor, logit: torch.Tensor, batch: HeardBatch, *,
                   system: str) -> dict[str, float]:
    """Mean azimuth error away from the source in degrees, offset error in metres, stop rates."""
    truth = batch.direction[:, :2] if system == DIRECTION_FOLLOWER else batch.offset_m
    cosine = functional.cosine_similarity(vector, truth, dim=-1).clamp(-1, 1)
    stops = logit > 0
    figures = {'azimuth_error_deg': torch.rad2deg(torch.acos(cosine[~batch.at_goal])).mean(),
               'missed_stops': (~stops[batch.at_goal]).float().mean(),
               'false_stops': stops[~batch.at_goal].float().mean()}
    if system != DIRECTION_FOLLOWER:
        figures['offset_error_m'] = (offset_m(vector) - batch.offset_m).norm(dim=-1).mean()
    return {name: float(torch.nan_to_num(value)) for name, value in figures.items()}
