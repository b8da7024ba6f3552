# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav evaluate``: one navigator, one split, one kind of sounds, one JSON file."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
import time

import numpy as np

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark.runner import EpisodeRunner
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.inference.onnx_policy import DEPLOYED_TEMPERATURE
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.systems.registry import navigator
from asgf_nav_ros.systems.registry import SYSTEMS
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import bake_houses
from sim_bridge.episodes import Episode
from sim_bridge.episodes import sample_episodes
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.sounds import read_sound_folder
from sim_bridge.sounds import Sound

HOUSES = 20
SOURCES = 3  # places of the sound in each house


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = ('example: asgf-nav evaluate --system asgf --split test --sounds unheard '
                     '--episodes 200 --seed 1 --json asgf.json')
    parser.add_argument('--system', required=True, choices=SYSTEMS)
    parser.add_argument('--model', type=Path, help='exported model, instead of the shipped one')
    parser.add_argument('--split', default='test', choices=('train', 'val', 'test'))
    parser.add_argument('--sounds', default='unheard', choices=('heard', 'unheard'),
                        help='heard: the telephone; unheard: all sounds of the split')
    parser.add_argument('--episodes', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--houses', type=int, default=HOUSES, help='generated houses of the split')
    parser.add_argument('--house', action='append', metavar='FILE',
                        help='a floor plan of your own (JSON), instead of generated houses')
    parser.add_argument('--sound-folder', type=Path, metavar='DIR',
                        help="recordings of your own, instead of the catalogue's")
    parser.add_argument('--bake-seed', type=int, default=0,
                        help='draws rays and late reverberation anew, in the same places')
    parser.add_argument('--temperature', type=float, default=DEPLOYED_TEMPERATURE,
                        help='of the actions drawn; 0 always takes the most probable')
    parser.add_argument('--batch', type=int, default=32, help='episodes that run side by side')
    parser.add_argument('--workers', type=int, help='processes that bake houses')
    parser.add_argument('--json', type=Path, help='file to write')


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the metrics, write the file; return the exit code."""
    if args.episodes < 1:
        raise ValueError(f'--episodes must be positive, got {args.episodes}')
    system = navigator(args.system, model=args.model, models=share_directory('models'),
                       temperature=args.temperature)
    sounds = _sounds(args)
    names = args.house or [f'small/{args.split}/{index}' for index in range(args.houses)]
    settings = BakeSettings(sources=SOURCES, seed=args.bake_seed)
    houses = bake_houses(names, system.contract, settings=settings, workers=args.workers)
    episodes = draw_episodes(houses, sounds, count=args.episodes, seed=args.seed)
    rate_hz = system.contract.sample_rate_hz
    clips = {sound.name: load_sound(sound, rate_hz, duration_s=system.contract.window_s)
             for sound in sounds}
    runner = EpisodeRunner(houses, system, sounds=clips, batch=min(args.batch, args.episodes))
    began_s = time.perf_counter()
    runs = runner.run(episodes)
    document = report(args, runs, steps_per_second=runner.steps / (time.perf_counter() - began_s),
                      model_sha256=system.model_sha256)
    print(summary(document))
    if args.json:
        args.json.write_text(json.dumps(document, indent=1) + '\n')
    return 0


def _sounds(args: argparse.Namespace) -> tuple[Sound, ...]:
    if args.sound_folder:
        return read_sound_folder(args.sound_folder).sounds
    catalogue = load_catalogue()
    return (catalogue.heard,) if args.sounds == 'heard' else catalogue.split(args.split)


def draw_episodes(houses: list[BakedHouse], sounds: tuple[Sound, ...], *, count: int,
                  seed: int) -> list[Episode]:
    """Spread ``count`` episodes evenly over the houses; the same seed draws the same."""
    drawn = []
    for index, house in enumerate(houses):
        share = count // len(houses) + (index < count % len(houses))
        if share:
            drawn += sample_episodes(
                house.graph, house.source_nodes, sounds, count=share, house=house.name,
                rng=np.random.default_rng([seed, index]))
    return [dataclasses.replace(episode, episode_id=f'{number:05d}')
            for number, episode in enumerate(drawn)]


def report(args: argparse.Namespace, runs: list[Run], *, steps_per_second: float,
           model_sha256: str | None) -> dict:
    """The document that ``--json`` writes."""
    outcomes = [run.outcome for run in runs]
    return {
        'system': args.system, 'split': args.split, 'sounds': args.sounds,
        'episodes': len(runs), 'seed': args.seed, 'temperature': args.temperature,
        **metrics.report(outcomes, np.random.default_rng(args.seed)),
        'steps_per_second': steps_per_second, 'model_sha256': model_sha256,
        'houses': args.house or args.houses,
        'sound_folder': str(args.sound_folder) if args.sound_folder else None,
        'runs': [_row(run) for run in runs]}


def _row(run: Run) -> dict:
    return {'house': run.episode.house, 'sound': run.episode.sound,
            'geodesic_m': run.episode.geodesic_m, 'seed': run.episode.seed,
            **metrics.episode_metrics(run.outcome), 'actions': run.outcome.actions}


def summary(document: dict) -> str:
    """A few lines for people: means with their 95 % intervals."""
    lines = [f'{document["system"]}, {document["split"]} houses, {document["sounds"]} sounds, '
             f'{document["episodes"]} episodes, {document["steps_per_second"]:.0f} steps/s']
    for group, radius in (('metrics', '1.0 m'), ('strict', '0.2 m')):
        figures = ', '.join(
            f'{name} {value:.3f} [{low:.3f}, {high:.3f}]' for (name, value), (low, high) in zip(
                document[group].items(), document['ci95'][group].values(), strict=True))
        lines.append(f'  success at {radius}: {figures}')
    return '\n'.join(lines)
