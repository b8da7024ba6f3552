# SPDX-License-Identifier: Apache-2.0
"""The JSON document of an evaluation: means, intervals, rows by difficulty, every episode."""

from __future__ import annotations

from typing import Any
from typing import Mapping
from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.benchmark.ways import Difficulty
from asgf_nav_ros.benchmark.ways import RATIO_BINS
from asgf_nav_ros.benchmark.ways import ROOM_BINS


def result_document(setting: Mapping[str, Any], runs: Sequence[Run],
                    difficulties: Sequence[Difficulty], *, seed: int,
                    trajectories: bool = False) -> dict[str, Any]:
    """Return what ``asgf-nav evaluate --json`` writes.

    Args:
        setting: what was asked for, put in front.
        runs: episodes in their order.
        difficulties: of each run.
        seed: of the bootstrap.
        trajectories: whether to keep the poses of every episode.
    """
    outcomes = [run.outcome for run in runs]
    return {
        **setting, 'episodes': len(runs),
        **metrics.report(outcomes, np.random.default_rng(seed)),
        'difficulty': {
            'ratio': _rows(outcomes, [each.ratio_bin for each in difficulties],
                           list(RATIO_BINS.values()), seed),
            'rooms_away': _rows(outcomes, [each.rooms_bin for each in difficulties],
                                list(ROOM_BINS.values()), seed)},
        'runs': [_run(run, difficulty, trajectories=trajectories)
                 for run, difficulty in zip(runs, difficulties, strict=True)]}


def summary(document: Mapping[str, Any]) -> str:
    """A few lines for people: means with their 95 % intervals."""
    condition = document['condition'] + (
        '' if document['severity'] is None else f' {document["severity"]:g}')
    lines = [f'{document["system"]}, {document["size"] or "own"} {document["split"]} houses, '
             f'{document["sounds"]} sounds, {condition}, {document["episodes"]} episodes, '
             f'{document["steps_per_second"]:.0f} steps/s a process']
    for group, radius in (('metrics', '1.0 m'), ('strict', '0.2 m')):
        figures = ', '.join(
            f'{name} {value:.3f} [{low:.3f}, {high:.3f}]' for (name, value), (low, high) in zip(
                document[group].items(), document['ci95'][group].values(), strict=True))
        lines.append(f'  success at {radius}: {figures}')
    for name, rows in document['difficulty'].items():
        figures = ', '.join(f'{label}: {row["metrics"]["success_rate"]:.3f} of {row["episodes"]}'
                            for label, row in rows.items())
        lines.append(f'  success by {name}: {figures}')
    return '\n'.join(lines)


def _rows(outcomes: Sequence[metrics.EpisodeOutcome], bins: Sequence[str],
          labels: Sequence[str], seed: int) -> dict[str, dict]:
    """One report for each bin that has episodes."""
    rows = {}
    for label in labels:
        found = [outcome for outcome, own in zip(outcomes, bins) if own == label]
        if found:
            rows[label] = {'episodes': len(found),
                           **metrics.report(found, np.random.default_rng(seed))}
    return rows


def _run(run: Run, difficulty: Difficulty, *, trajectories: bool) -> dict[str, Any]:
    episode, outcome = run.episode, run.outcome
    row = {
        'episode': episode.episode_id, 'house': episode.house, 'sound': episode.sound,
        'seed': episode.seed, 'geodesic_m': episode.geodesic_m, 'ratio': difficulty.ratio,
        'rooms_away': difficulty.rooms_away, 'difficulty': f'rooms away: {difficulty.rooms_bin}',
        **metrics.episode_metrics(outcome), 'stopped': outcome.stopped,
        'actions': outcome.actions, 'oracle_actions': outcome.oracle_actions,
        'path_m': outcome.path_m}
    paths = {'source_xy': run.source_xy, 'trajectory': run.poses} if trajectories else {}
    return {**row, **run.facts, **paths}
