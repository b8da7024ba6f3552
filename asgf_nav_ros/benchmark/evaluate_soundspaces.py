# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav evaluate --dataset soundspaces``: a navigator on a split of SoundSpaces 1.0.

Success is measured as habitat does it: STOP *below* 1.0 m from the goal along the graph, where
the benchmark houses-v1 counts 1.0 m itself.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any
from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.cluster import job_pool
from asgf_nav_ros.benchmark.parallel import System
from asgf_nav_ros.benchmark.runner import CLEAN
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.benchmark.soundspaces_runner import evaluate_episodes
from asgf_nav_ros.benchmark.soundspaces_runner import LARGEST_SUCCESS_M
from sim_bridge.soundspaces.episode_files import draw_episodes
from sim_bridge.soundspaces.episode_files import StoredEpisode
from sim_bridge.soundspaces.layout import DATASETS
from sim_bridge.soundspaces.layout import Layout

NAME = 'soundspaces'
_OF_HOUSES = ('house', 'houses', 'sound_folder', 'protocol', 'severity', 'unpinned', 'bake_seed',
              'through_ros')


def add_arguments(group: Any) -> None:
    """Declare the options that only this dataset has."""
    group.add_argument('--root', type=Path, metavar='DIR',
                       help='folder of metadata, binaural_rirs, datasets, ...')
    group.add_argument('--dataset-name', default='replica', choices=sorted(DATASETS))


def check(args: argparse.Namespace) -> None:
    """Refuse options of the other benchmark.

    Raises:
        ValueError: names one.
    """
    if args.root is None:
        raise ValueError('--dataset soundspaces needs --root DIR')
    given = [name for name in _OF_HOUSES if getattr(args, name)]
    given += ['condition'] if args.condition != CLEAN else []
    if given:
        raise ValueError(f'--{given[0].replace("_", "-")} is not for --dataset soundspaces: '
                         '--split names houses and sounds')


def evaluate(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Run the episodes; return the document and a summary of it.

    Raises:
        DatasetError: a file is missing or wrong, or does not fit the system's contract.
    """
    check(args)
    layout = Layout(args.root, args.dataset_name)
    system = System(name=args.system, model=args.model, temperature=args.temperature)
    model_sha256 = system.build().model_sha256
    episodes = drawn(layout, args.split, count=args.episodes, seed=args.seed)
    runs, steps_per_second = evaluate_episodes(
        episodes, system=system, layout=layout, seed=args.seed, batch=args.batch,
        pool=job_pool(args.workers, args.cluster))
    document = {
        'benchmark': f'{NAME}/{layout.name}', 'system': args.system,
        'model': str(args.model) if args.model else None, 'split': args.split, 'seed': args.seed,
        'temperature': args.temperature, 'episodes_sha256': _sha256(episodes),
        'model_sha256': model_sha256, 'steps_per_second': steps_per_second,
        'episodes': len(runs),
        **metrics.report([run.outcome for run in runs], np.random.default_rng(args.seed),
                         radius_m=LARGEST_SUCCESS_M),
        'runs': [_row(run, trajectories=args.trajectories) for run in runs]}
    return document, summary(document)


def drawn(layout: Layout, split: str, *, count: int, seed: int) -> list[StoredEpisode]:
    """The episodes of a split that an evaluation with this seed runs.

    Raises:
        DatasetError: a file is missing or wrong.
    """
    return draw_episodes(layout, split, count=count, rng=np.random.default_rng([seed, 0]))


def summary(document: dict[str, Any]) -> str:
    """A few lines for people: means with their 95 % intervals."""
    lines = [f'{document["system"]}, {document["benchmark"]}, {document["split"]}, '
             f'{document["episodes"]} episodes, {document["steps_per_second"]:.0f} steps/s a '
             'process']
    for group, radius in (('metrics', 'below 1.0 m'), ('strict', 'at 0.2 m')):
        figures = ', '.join(
            f'{name} {value:.3f} [{low:.3f}, {high:.3f}]' for (name, value), (low, high) in zip(
                document[group].items(), document['ci95'][group].values(), strict=True))
        lines.append(f'  success {radius}: {figures}')
    return '\n'.join(lines)


def _row(run: Run, *, trajectories: bool) -> dict[str, Any]:
    episode, outcome = run.episode, run.outcome
    row = {
        'episode': episode.episode_id, 'house': episode.house, 'sound': episode.sound,
        'seed': episode.seed, 'geodesic_m': episode.geodesic_m,
        **metrics.episode_metrics(outcome, radius_m=LARGEST_SUCCESS_M),
        'stopped': outcome.stopped, 'actions': outcome.actions,
        'oracle_actions': outcome.oracle_actions, 'path_m': outcome.path_m}
    paths = {'source_xy': run.source_xy, 'trajectory': run.poses} if trajectories else {}
    return {**row, **paths}


def _sha256(episodes: Sequence[StoredEpisode]) -> str:
    return hashlib.sha256('\n'.join(map(repr, episodes)).encode()).hexdigest()
