# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav figures``: trajectories, audio states, severity and learning curves as images."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
from typing import Mapping

import numpy as np

from asgf_nav_ros.benchmark import embedding
from asgf_nav_ros.benchmark import houses_v1
from asgf_nav_ros.benchmark import learning_curves
from asgf_nav_ros.benchmark import probe
from asgf_nav_ros.benchmark import severity_curves
from asgf_nav_ros.benchmark import trajectories
from asgf_nav_ros.benchmark.comparison import entries
from asgf_nav_ros.benchmark.result_files import comparable
from asgf_nav_ros.benchmark.result_files import read_results
from asgf_nav_ros.benchmark.runner import EpisodeRunner
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.benchmark.system_names import order_of
from asgf_nav_ros.benchmark.table_rows import SIZES
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.systems.registry import navigator
from asgf_nav_ros.systems.registry import SHIPPED_MODELS
from sim_bridge.bake import BakedHouse
from sim_bridge.bake_pool import bake_houses
from sim_bridge.conditions import CONDITIONS
from sim_bridge.episodes import Episode
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound

KINDS = ('trajectories', 'embedding', 'severity', 'curves')
SHOWN = ('asgf_plus', 'asgf', 'av_nav')
PROJECTED = 2000  # samples of the t-SNE, as in the paper


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='folder to write')
    parser.add_argument('--only', type=_kinds, default=KINDS, metavar='LIST',
                        help=f'comma-separated: {", ".join(KINDS)}')
    parser.add_argument('--results', type=Path, metavar='DIR',
                        help='folder of evaluations, for severity')
    parser.add_argument('--runs', type=Path, metavar='DIR',
                        help='folder of training runs, for curves')
    parser.add_argument('--model', action='append', type=_model, default=[],
                        metavar='SYSTEM=FILE', help='model of a system, instead of the shipped '
                        f'one; shown are {", ".join(SHOWN)} and those that are named here')
    parser.add_argument('--split', default='test', choices=('val', 'test'),
                        help='of houses and sounds')
    parser.add_argument('--size', default='small', choices=SIZES,
                        help='of the houses of trajectories and audio states')
    parser.add_argument('--houses', type=int, help='houses to draw from, instead of the '
                        "benchmark's")
    parser.add_argument('--samples', type=int, default=4000,
                        help='places at which audio states are formed')
    parser.add_argument('--workers', type=int, help='processes that bake houses')


def run(args: argparse.Namespace) -> int:
    """Draw what was asked for; return the exit code."""
    if args.samples < 100:
        raise ValueError(f'--samples must be at least 100, got {args.samples}')
    args.out.mkdir(parents=True, exist_ok=True)
    draw = {'trajectories': _trajectories, 'embedding': _embedding, 'severity': _severity,
            'curves': _curves}
    for kind in args.only:
        for path in draw[kind](args):
            print(path)
    return 0


def _trajectories(args: argparse.Namespace) -> list[Path]:
    benchmark = houses_v1.Benchmark.read()
    names = benchmark.house_names(args.size, args.split, args.houses)
    sounds = load_catalogue().split(args.split)
    walked: dict[str, list[tuple[str, Run]]] = {}
    houses: dict[str, BakedHouse] = {}
    for system, model in _models(args).items():
        agent = navigator(system, model=model, models=share_directory('models'))
        drawn = houses_v1.draw_episodes(
            names, sounds, agent.contract, settings=benchmark.bake, count=benchmark.episodes,
            seed=benchmark.seed)
        chosen = trajectories.choose_episodes([each.episode for each in drawn])
        baked = _bake(args, sorted({episode.house for episode in chosen}), agent.contract)
        houses |= {house.name: house for house in baked}
        runner = EpisodeRunner(baked, agent, sounds=_clips(agent.contract, chosen, args.split),
                               batch=len(chosen))
        for walk in runner.run(chosen):
            walked.setdefault(walk.episode.episode_id, []).append((system, walk))
    path = args.out / f'trajectories_{args.size}.png'
    trajectories.write_comparison(path, [
        trajectories.compare(houses[runs[0][1].episode.house], runs)
        for runs in walked.values()], f'{args.size} houses of the {args.split} split, '
        f'unheard sounds: {trajectories.RULE}')
    return [path]


def _embedding(args: argparse.Namespace) -> list[Path]:
    panels, document, heard = [], {}, None
    benchmark = houses_v1.Benchmark.read()
    names = benchmark.house_names(args.size, args.split, args.houses)
    for system, model in _models(args).items():
        encoder = embedding.AudioStateEncoder(model)
        heard = embedding.listen(
            _bake(args, names, encoder.contract), _clips(encoder.contract, None, args.split),
            encoder.contract, count=args.samples, seed=benchmark.seed)
        states = encoder.states(heard.spectrograms)
        figures = probe.linear_probe(states, heard.azimuth_rad, heard.distance_m, heard.house)
        document[system] = {'model': model.name, **figures}
        shown = states[:PROJECTED]
        panels.append(embedding.StatePanel(
            system, embedding.project(shown, seed=benchmark.seed), probe.caption(figures)))
    picture, file = (args.out / f'{name}_{args.size}.{kind}'
                     for name, kind in (('audio_state', 'png'), ('probe', 'json')))
    embedding.write_embedding(picture, panels, azimuth_rad=heard.azimuth_rad[:PROJECTED],
                              distance_m=heard.distance_m[:PROJECTED])
    constant = probe.constant_probe(heard.azimuth_rad, heard.distance_m, heard.house)
    file.write_text(json.dumps({
        'split': args.split, 'size': args.size, 'houses': len(names), 'samples': args.samples,
        'seed': benchmark.seed, 'systems': document, 'constant': constant}, indent=1) + '\n')
    return [picture, file]


def _severity(args: argparse.Namespace) -> list[Path]:
    if args.results is None:
        raise ValueError('severity curves need --results DIR, or leave them out with --only')
    evaluations, left_out = read_results(args.results)
    evaluations, other_episodes = comparable(evaluations)
    for line in left_out + other_episodes:
        print(f'asgf-nav figures: {line}', file=sys.stderr)
    severities = {name: condition.severities for name, condition in CONDITIONS.items()
                  if name != 'clean'}
    paths = {size: args.out / f'severity_{size}.png' for size in SIZES}
    written = [path for size, path in paths.items() if severity_curves.write_severity_curves(
        path, entries(evaluations), split=args.split, size=size, severities=severities)]
    if not written:
        print(f'asgf-nav figures: no severity curves, {args.results} has no results of a '
              f'condition in the {args.split} split', file=sys.stderr)
    return written


def _curves(args: argparse.Namespace) -> list[Path]:
    if args.runs is None:
        raise ValueError('learning curves need --runs DIR, or leave them out with --only')
    histories = learning_curves.read_histories(args.runs)
    paths = {way: args.out / f'learning_{way}.png' for way in learning_curves.WAYS}
    written = [path for way, path in paths.items()
               if learning_curves.write_learning_curves(path, histories, way)]
    if not written:
        print(f'asgf-nav figures: no learning curves, {args.runs} has no training run that has '
              'finished a round', file=sys.stderr)
    return written


def _models(args: argparse.Namespace) -> dict[str, Path]:
    """The file of every system that is shown, the best first."""
    shipped = {name: share_directory('models') / SHIPPED_MODELS[name] for name in SHOWN}
    models = {**shipped, **dict(args.model)}
    return {name: models[name] for name in sorted(models, key=order_of, reverse=True)}


def _bake(args: argparse.Namespace, names: list[str],
          contract: PolicyContract) -> list[BakedHouse]:
    return bake_houses(names, contract, settings=houses_v1.Benchmark.read().bake,
                       workers=args.workers)


def _clips(contract: PolicyContract, episodes: list[Episode] | None,
           split: str) -> Mapping[str, np.ndarray]:
    """One window of every sound of the split, or of those that ``episodes`` need."""
    needed = None if episodes is None else {episode.sound for episode in episodes}
    return {sound.name: load_sound(sound, contract.sample_rate_hz, duration_s=contract.window_s)
            for sound in load_catalogue().split(split) if needed is None or sound.name in needed}


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(','))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f'must be some of {",".join(KINDS)}, got {",".join(unknown)}')
    return kinds


def _model(text: str) -> tuple[str, Path]:
    system, equals, file = text.partition('=')
    if not equals or system not in SHIPPED_MODELS:
        raise argparse.ArgumentTypeError(
            f'must be SYSTEM=FILE with a system of {", ".join(SHIPPED_MODELS)}, got {text!r}')
    return system, Path(file)
