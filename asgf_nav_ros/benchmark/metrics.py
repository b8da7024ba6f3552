# SPDX-License-Identifier: Apache-2.0
"""Metrics of audio-goal navigation, defined as in SoundSpaces and habitat-lab."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import math
from typing import Any

import numpy as np

SUCCESS_RADIUS_M = 1.0  # SoundSpaces since June 2022
STRICT_RADIUS_M = 0.2  # before; papers rarely say which one they used
METRIC_NAMES = ('success_rate', 'spl', 'soft_spl', 'sna', 'distance_to_goal_m')
CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpisodeOutcome:
    """How one episode went.

    stopped : the agent took STOP itself, it did not run out of steps.
    geodesic_start_m, geodesic_end_m : distance to the goal along the floor at either end.
    path_m : length of the path that was driven.
    actions : primitive actions taken, turns and STOP included.
    oracle_actions : the least primitive actions to the goal, turns and STOP included.
    """

    stopped: bool
    geodesic_start_m: float
    geodesic_end_m: float
    path_m: float
    actions: int
    oracle_actions: int

    @classmethod
    def of_result(cls, result: Mapping[str, Any]) -> EpisodeOutcome:
        """Take the raw numbers of an ``episode_result``."""
        return cls(
            stopped=result['stopped'], geodesic_start_m=result['geodesic_m'],
            geodesic_end_m=result['distance_to_goal_m'], path_m=result['path_length_m'],
            actions=result['actions'], oracle_actions=result['oracle_actions'])

    def __post_init__(self) -> None:
        for name in ('geodesic_start_m', 'geodesic_end_m', 'path_m'):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f'{name} must be finite and at least 0, got {value}')
        if self.actions < 0:
            raise ValueError(f'actions must be at least 0, got {self.actions}')
        if self.oracle_actions < 1:
            raise ValueError('oracle_actions must be at least 1, STOP counts, '
                             f'got {self.oracle_actions}')


def success(outcome: EpisodeOutcome, radius_m: float = SUCCESS_RADIUS_M) -> bool:
    """Whether the agent stopped within ``radius_m`` of the goal, along the floor."""
    return outcome.stopped and outcome.geodesic_end_m <= radius_m


def spl(outcome: EpisodeOutcome, radius_m: float = SUCCESS_RADIUS_M) -> float:
    """Success weighted by path length: S * l / max(l, p)."""
    return success(outcome, radius_m) * _path_efficiency(outcome)


def soft_spl(outcome: EpisodeOutcome) -> float:
    """SPL with the fraction of the distance that was covered in place of success."""
    if outcome.geodesic_start_m == 0:
        return float(outcome.geodesic_end_m == 0) * _path_efficiency(outcome)
    covered = max(0.0, 1.0 - outcome.geodesic_end_m / outcome.geodesic_start_m)
    return covered * _path_efficiency(outcome)


def sna(outcome: EpisodeOutcome, radius_m: float = SUCCESS_RADIUS_M) -> float:
    """Success weighted by number of actions: S * n_oracle / max(n_oracle, n)."""
    efficiency = outcome.oracle_actions / max(outcome.oracle_actions, outcome.actions)
    return success(outcome, radius_m) * efficiency


def episode_metrics(outcome: EpisodeOutcome, *,
                    radius_m: float = SUCCESS_RADIUS_M) -> dict[str, float]:
    """Return every metric of one episode, keyed by ``METRIC_NAMES``."""
    return {
        'success_rate': float(success(outcome, radius_m)),
        'spl': spl(outcome, radius_m),
        'soft_spl': soft_spl(outcome),
        'sna': sna(outcome, radius_m),
        'distance_to_goal_m': outcome.geodesic_end_m,
    }


def mean_metrics(outcomes: Sequence[EpisodeOutcome], *,
                 radius_m: float = SUCCESS_RADIUS_M) -> dict[str, float]:
    """Return the mean of every metric over ``outcomes``; rates are 0-1.

    Raises:
        ValueError: there are no outcomes.
    """
    means = _table(outcomes, radius_m).mean(axis=0)
    return dict(zip(METRIC_NAMES, means.tolist(), strict=True))


def bootstrap_intervals(outcomes: Sequence[EpisodeOutcome], rng: np.random.Generator, *,
                        radius_m: float = SUCCESS_RADIUS_M,
                        resamples: int = 2000) -> dict[str, tuple[float, float]]:
    """Return the percentile bootstrap interval (95 %) of every mean, (low, high).

    Raises:
        ValueError: there are no outcomes, or ``resamples`` is not positive.
    """
    if resamples < 1:
        raise ValueError(f'resamples must be positive, got {resamples}')
    table = _table(outcomes, radius_m)  # (episodes, metrics)
    counts = rng.multinomial(len(table), np.full(len(table), 1 / len(table)), size=resamples)
    means = counts @ table / len(table)  # (resamples, metrics)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return dict(zip(METRIC_NAMES, zip(low.tolist(), high.tolist(), strict=True), strict=True))


def report(outcomes: Sequence[EpisodeOutcome], rng: np.random.Generator, *,
           radius_m: float = SUCCESS_RADIUS_M) -> dict[str, dict]:
    """Return ``metrics`` at 1.0 m, ``strict`` at 0.2 m and ``ci95`` of both."""
    return {
        'metrics': mean_metrics(outcomes, radius_m=radius_m),
        'strict': mean_metrics(outcomes, radius_m=STRICT_RADIUS_M),
        'ci95': {
            'metrics': bootstrap_intervals(outcomes, rng, radius_m=radius_m),
            'strict': bootstrap_intervals(outcomes, rng, radius_m=STRICT_RADIUS_M),
        },
    }


def _path_efficiency(outcome: EpisodeOutcome) -> float:
    longest = max(outcome.geodesic_start_m, outcome.path_m)
    return outcome.geodesic_start_m / longest if longest else 1.0


def _table(outcomes: Sequence[EpisodeOutcome], radius_m: float) -> np.ndarray:
    """Return metrics as (episodes, METRIC_NAMES) float64."""
    if not outcomes:
        raise ValueError('metrics need at least one episode, got none')
    rows = [episode_metrics(outcome, radius_m=radius_m) for outcome in outcomes]
    return np.array([[row[name] for name in METRIC_NAMES] for row in rows])
