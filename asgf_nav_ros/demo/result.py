# SPDX-License-Identifier: Apache-2.0
"""What the demo says about each episode: metrics, speed and latency."""

from __future__ import annotations

from typing import Any
from typing import Mapping
from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.metrics import EpisodeOutcome


def episode_row(result: Mapping[str, Any],
                decisions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one entry of ``result.json``.

    Args:
        result: an ``episode_result``.
        decisions: what the policy told about the episode's decisions.
    """
    outcome = EpisodeOutcome.of_result(result)
    radius_m = result.get('success_radius_m', metrics.SUCCESS_RADIUS_M)
    latencies_ms = [decision['latency_ms'] for decision in decisions]
    p50, p99 = np.quantile(latencies_ms, [0.5, 0.99]).tolist() if latencies_ms else (None, None)
    return {
        'seed': result['seed'], 'success': metrics.success(outcome, radius_m),
        'actions': outcome.actions, 'spl': metrics.spl(outcome, radius_m),
        'sna': metrics.sna(outcome, radius_m),
        'realtime_factor': result['realtime_factor'],
        'decision_latency_ms': {'p50': p50, 'p99': p99},
        'house': result['house'], 'sound': result['sound'], 'end': result['end'],
        'geodesic_m': outcome.geodesic_start_m, 'distance_to_goal_m': outcome.geodesic_end_m,
        'collisions': result['collisions']}


def caption(row: Mapping[str, Any]) -> str:
    """Return one line about an episode, for figures and the terminal."""
    ending = 'found' if row['success'] else f'missed by {row["distance_to_goal_m"]:.1f} m'
    sound = row['sound'].replace('_', ' ')
    return (f'{sound}, {row["geodesic_m"]:.1f} m away: {ending} in {row["actions"]} '
            f'actions, SPL {row["spl"]:.2f}')
