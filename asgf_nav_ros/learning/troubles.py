# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while a policy learns: every condition now and then, at any severity."""

from __future__ import annotations

import dataclasses

import numpy as np

from sim_bridge import conditions
from sim_bridge.conditions import Situation
from sim_bridge.disturbance import Disturbance
from sim_bridge.disturbance import UNDISTURBED


@dataclasses.dataclass(frozen=True, kw_only=True)
class Troubles:
    """Probability of each condition in an episode, and the ranges of its severity.

    The probabilities rise from 0 over the first ``ease_in_fraction`` of the budget. What comes
    all at once is as severe as the benchmark's ``all`` at a share in ``everything_share``.
    """

    noise: float = 0.0
    second_sound: float = 0.0
    intermittent: float = 0.0
    ears: float = 0.0
    slip: float = 0.0
    dropout: float = 0.0
    everything: float = 0.0  # all of them at once
    ease_in_fraction: float = 0.25
    snr_db: tuple[float, float] = (-8.0, 25.0)
    second_sound_db: tuple[float, float] = (-25.0, 0.0)
    silent_share: tuple[float, float] = (0.1, 0.8)
    silent_from_steps: tuple[float, float] = (15.0, 120.0)
    mismatch_db: tuple[float, float] = (0.0, 12.0)
    slip_share: tuple[float, float] = (0.0, 0.15)
    dropout_share: tuple[float, float] = (0.0, 0.5)
    everything_share: tuple[float, float] = (0.0, 0.7)

    def __post_init__(self) -> None:
        for name in ('noise', 'second_sound', 'intermittent', 'ears', 'slip', 'dropout',
                     'everything'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {getattr(self, name)}')

    def draw(self, situation: Situation, *, progress: float = 1.0) -> Disturbance:
        """Draw what goes wrong in one episode, at ``progress`` in [0, 1] of the budget."""
        rng = situation.rng
        eased = min(1.0, progress / self.ease_in_fraction) if self.ease_in_fraction else 1.0
        drawn: dict = {}
        if self.everything > 0 and rng.random() < eased * self.everything:
            share = float(rng.uniform(*self.everything_share))
            return _either_late(conditions.everything(situation, share), rng)
        for probability, draw, severities in (
                (self.noise, conditions.noise, self.snr_db),
                (self.second_sound, conditions.second_sound, self.second_sound_db),
                (self.intermittent, conditions.intermittent, self.silent_share),
                (self.ears, conditions.ears, self.mismatch_db),
                (self.slip, conditions.pose, self.slip_share),
                (self.dropout, conditions.dropout, self.dropout_share)):
            if probability > 0 and rng.random() < eased * probability:
                drawn |= draw(situation, float(rng.uniform(*severities)))
        if 'silent_from' in drawn:
            drawn['silent_from'] = int(rng.uniform(*self.silent_from_steps))
        return _either_late(drawn, rng)


def _either_late(drawn: dict, rng: np.random.Generator) -> Disturbance:
    """The disturbance, with either ear the late one."""
    if 'skew_samples' in drawn:
        drawn['skew_samples'] = float(rng.uniform(-3, 3))
    return Disturbance(**drawn) if drawn else UNDISTURBED
