# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav evaluate``: one navigator on one set of episodes, one JSON file."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Sequence

from asgf_nav_ros.benchmark import evaluate_soundspaces
from asgf_nav_ros.benchmark import through_ros
from asgf_nav_ros.benchmark.cluster import job_pool
from asgf_nav_ros.benchmark.houses_v1 import Benchmark
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.houses_v1 import DrawnEpisode
from asgf_nav_ros.benchmark.houses_v1 import NAME
from asgf_nav_ros.benchmark.houses_v1 import PROTOCOLS
from asgf_nav_ros.benchmark.houses_v1 import sha256
from asgf_nav_ros.benchmark.parallel import evaluate_episodes
from asgf_nav_ros.benchmark.parallel import System
from asgf_nav_ros.benchmark.result_document import result_document
from asgf_nav_ros.benchmark.result_document import summary
from asgf_nav_ros.benchmark.runner import CLEAN
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.systems.exported import ExportedPolicy
from asgf_nav_ros.systems.registry import SHIPPED_MODELS
from asgf_nav_ros.systems.registry import SYSTEMS
from sim_bridge.bake_pool import bake_directory
from sim_bridge.conditions import bake_settings
from sim_bridge.conditions import condition_named
from sim_bridge.conditions import CONDITIONS
from sim_bridge.episodes import SIZES
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import prepare_sounds
from sim_bridge.sounds import read_sound_folder
from sim_bridge.sounds import Sound
from sim_bridge.sounds import SPLITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--system', required=True, choices=SYSTEMS)
    parser.add_argument('--model', type=Path, help='exported model, instead of the shipped one')
    parser.add_argument('--dataset', default=NAME, choices=(NAME, evaluate_soundspaces.NAME),
                        help='generated houses, or files of SoundSpaces 1.0')
    evaluate_soundspaces.add_arguments(parser.add_argument_group('--dataset soundspaces'))
    parser.add_argument('--split', default='test',
                        help=f'{", ".join(SPLITS)}; of soundspaces, test_telephone for example')
    parser.add_argument('--size', default='small', choices=SIZES, help='of the houses')
    parser.add_argument('--sounds', default='unheard', choices=('heard', 'unheard'),
                        help='heard: the telephone; unheard: all sounds of the split')
    parser.add_argument('--protocol', choices=PROTOCOLS,
                        help='name of the row; one_sound: --model was trained on the telephone '
                        'alone; as --sounds if not given')
    parser.add_argument('--condition', default=CLEAN, choices=CONDITIONS, help='what goes wrong')
    parser.add_argument('--severity', type=float, help='of the condition; its middle if not given')
    parser.add_argument('--episodes', type=int, default=300)
    parser.add_argument('--seed', type=int, default=1, help='draws the episodes')
    parser.add_argument('--unpinned', action='store_true',
                        help='go on although the episodes drawn are not the pinned ones')
    parser.add_argument('--houses', type=int,
                        help="how many of the split's houses, from the first; all if not given")
    parser.add_argument('--house', action='append', metavar='FILE',
                        help='a floor plan of your own (JSON), instead of generated houses')
    parser.add_argument('--sound-folder', type=Path, metavar='DIR',
                        help="recordings of your own, instead of the catalogue's")
    parser.add_argument('--bake-seed', type=int, default=0,
                        help='draws rays and late reverberation anew, in the same places')
    parser.add_argument('--temperature', type=float, default=DEPLOYED_TEMPERATURE,
                        help='of the actions drawn; 0 always takes the most probable')
    parser.add_argument('--batch', type=int, default=32, help='episodes that run side by side')
    parser.add_argument('--workers', type=int, help='processes; one for each core if not given')
    parser.add_argument('--cluster', metavar='ADDRESS',
                        help="a Ray cluster instead, 'auto' or host:port")
    parser.add_argument('--through-ros', action='store_true',
                        help='drive the whole ROS graph, in a continuous world from arbitrary '
                        'poses with odometry that drifts; --workers graphs side by side')
    parser.add_argument('--trajectories', action='store_true',
                        help='keep the poses of every episode in the file')
    parser.add_argument('--json', type=Path, help='file to write')


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the metrics, write the file; return the exit code."""
    check(args)
    on_houses = args.dataset == NAME
    document, lines = _on_houses(args) if on_houses else evaluate_soundspaces.evaluate(args)
    print(lines)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(document, indent=1) + '\n')
    return 0


def _on_houses(args: argparse.Namespace) -> tuple[dict, str]:
    """Return the document of the benchmark houses-v1 and a summary of it."""
    if args.split not in SPLITS:
        raise ValueError(f'--split must be one of {", ".join(SPLITS)}, got {args.split}')
    if args.root:
        raise ValueError('--root is for --dataset soundspaces')
    benchmark = Benchmark.read()
    system = System(name=args.system, model=args.model, temperature=args.temperature)
    navigator = system.build()
    sounds, others = _sounds(args)
    names = args.house or benchmark.house_names(args.size, args.split, args.houses)
    drawn = draw_episodes(names, sounds, navigator.contract, settings=benchmark.bake,
                          count=args.episodes, seed=args.seed)
    pinned = check_pins(args, benchmark, drawn)
    prepare_sounds({*sounds, *others})
    measure = _through_ros if args.through_ros else _on_the_grid
    drawn, runs, steps_per_second = measure(args, benchmark, system, drawn, (*sounds, *others))
    document = result_document(
        {'benchmark': NAME, **_setting(args), 'episodes_sha256': sha256(drawn), 'pinned': pinned,
         'model_sha256': navigator.model_sha256, 'steps_per_second': steps_per_second},
        runs, [each.difficulty for each in drawn], seed=args.seed,
        trajectories=args.trajectories)
    return document, summary(document)


def check(args: argparse.Namespace) -> None:
    """Refuse options that contradict each other.

    Raises:
        ValueError: names them.
    """
    for name in ('episodes', 'batch', 'houses'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ValueError(f'--{name} must be positive, got {getattr(args, name)}')
    if args.severity is not None and args.condition == CLEAN:
        raise ValueError(f'--severity needs a --condition, got {CLEAN}')
    if args.protocol and (args.protocol == 'heard') != (args.sounds == 'heard'):
        raise ValueError(f'--protocol {args.protocol} is not tested on {args.sounds} sounds')
    if args.through_ros and (args.cluster or args.condition != CLEAN or args.house):
        raise ValueError('--through-ros runs on this machine, in generated houses and in the '
                         'condition clean: leave --cluster, --condition and --house out')


def check_pins(args: argparse.Namespace, benchmark: Benchmark,
               drawn: Sequence[DrawnEpisode]) -> bool:
    """Tell whether the episodes are a pinned set of the benchmark.

    Raises:
        ValueError: they should be, and are others.
    """
    if args.house or args.houses or args.sound_folder or args.unpinned:
        return False
    wanted = benchmark.pinned_sha256(args.size, args.split, args.sounds,
                                     episodes=args.episodes, seed=args.seed)
    if wanted not in (None, found := sha256(drawn)):
        raise ValueError(
            f'the episodes of {NAME} {args.size}/{args.split}/{args.sounds} must have sha256 '
            f'{wanted[:12]}..., got {found[:12]}...: houses or contract have changed; '
            '--unpinned evaluates on them all the same')
    return wanted is not None


def _setting(args: argparse.Namespace) -> dict:
    return {
        'system': args.system, 'model': str(args.model) if args.model else None,
        'split': args.split, 'size': None if args.house else args.size, 'sounds': args.sounds,
        'protocol': args.protocol or args.sounds, 'condition': args.condition,
        'severity': None if args.condition == CLEAN else _severity(args), 'seed': args.seed,
        'temperature': args.temperature, 'through_ros': args.through_ros,
        'houses': args.house or args.houses or Benchmark.read().houses[args.split],
        'sound_folder': str(args.sound_folder) if args.sound_folder else None,
        'bake_seed': args.bake_seed}


def _severity(args: argparse.Namespace) -> float:
    condition = condition_named(args.condition)
    return condition.middle if args.severity is None else args.severity


def _sounds(args: argparse.Namespace) -> tuple[tuple[Sound, ...], tuple[Sound, ...]]:
    """Sounds to find, and others that may distract from them."""
    if args.sound_folder:
        return read_sound_folder(args.sound_folder).sounds, ()
    catalogue = load_catalogue()
    found = catalogue.split(args.split)
    if args.sounds == 'heard':
        return (catalogue.heard,), tuple(each for each in found if each != catalogue.heard)
    return found, ()


def _on_the_grid(args: argparse.Namespace, benchmark: Benchmark, system: System,
                 drawn: Sequence[DrawnEpisode], sounds: Sequence[Sound],
                 ) -> tuple[Sequence[DrawnEpisode], list[Run], float]:
    severity = _severity(args)
    settings = dataclasses.replace(benchmark.bake, seed=args.bake_seed)
    runs, steps_per_second = evaluate_episodes(
        [each.episode for each in drawn], system=system,
        settings=bake_settings(args.condition, severity, settings), sounds=sounds,
        condition=args.condition, severity=severity, batch=args.batch,
        directory=bake_directory(), pool=job_pool(args.workers, args.cluster))
    return drawn, runs, steps_per_second


def _through_ros(args: argparse.Namespace, benchmark: Benchmark, system: System,
                 drawn: Sequence[DrawnEpisode], sounds: Sequence[Sound],
                 ) -> tuple[Sequence[DrawnEpisode], list[Run], float]:
    navigator = system.build()
    if not isinstance(navigator, ExportedPolicy):
        raise ValueError('--through-ros needs a system that is one exported policy, '
                         f'got {args.system}')
    moved = through_ros.at_arbitrary_poses(drawn, navigator.contract, benchmark.bake)
    plan = through_ros.GraphPlan(
        model=args.model or share_directory('models') / SHIPPED_MODELS[args.system],
        temperature=args.temperature, odometry_noise=benchmark.odometry_noise,
        sound_folder=args.sound_folder)
    runs, steps_per_second = through_ros.evaluate_episodes(
        [each.episode for each in moved], plan, workers=args.workers or 1, results=args.json)
    return moved, runs, steps_per_second
