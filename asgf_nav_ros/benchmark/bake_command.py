# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav bake``: make the cached views and impulse responses of houses ahead of time."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from asgf_nav_ros.benchmark import bake_soundspaces
from asgf_nav_ros.benchmark.cluster import job_pool
from asgf_nav_ros.benchmark.houses_v1 import Benchmark
from asgf_nav_ros.benchmark.runner import CLEAN
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from sim_bridge.bake import BakedHouse
from sim_bridge.bake_pool import bake_directory
from sim_bridge.bake_pool import make_bakes
from sim_bridge.conditions import bake_settings
from sim_bridge.conditions import condition_named
from sim_bridge.conditions import CONDITIONS
from sim_bridge.episodes import SIZES
from sim_bridge.sounds import SPLITS

CACHE, SOUNDSPACES = 'cache', 'soundspaces'
IMAGE_PIXELS = 64  # of most systems; the paper's network has 128


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = 'example: asgf-nav bake --size large --split test --workers 2'
    parser.add_argument('out', nargs='?', type=Path, metavar='OUT',
                        help='folder of the dataset that --layout soundspaces writes')
    parser.add_argument('--layout', default=CACHE, choices=(CACHE, SOUNDSPACES),
                        help='the cache of this package, or a dataset of SoundSpaces 1.0 as well')
    parser.add_argument('--split', default='train', choices=SPLITS)
    parser.add_argument('--size', default='small', choices=SIZES, help='of the houses')
    parser.add_argument('--houses', type=int,
                        help="how many of the split's houses, from the first; all if not given")
    parser.add_argument('--house', action='append', metavar='FILE', help='a floor plan (JSON)')
    parser.add_argument('--sources', type=int,
                        help="places of the sound in each house; the benchmark's if not given")
    parser.add_argument('--condition', default=CLEAN, choices=CONDITIONS,
                        help='its ears and poses')
    parser.add_argument('--severity', type=float, help='of the condition; its middle if not given')
    images = parser.add_mutually_exclusive_group()
    images.add_argument('--model', type=Path, help='exported model that the bakes are for')
    images.add_argument('--image-pixels', type=int, help='side of the images; '
                        f'{IMAGE_PIXELS}, or 128 in a dataset, if not given')
    bake_soundspaces.add_arguments(parser.add_argument_group('--layout soundspaces'))
    parser.add_argument('--workers', type=int, help='processes; one for each core if not given')
    parser.add_argument('--cluster', metavar='ADDRESS',
                        help="a Ray cluster instead, 'auto' or host:port")


def run(args: argparse.Namespace) -> int:
    """Bake what is missing and say where it lies; return the exit code."""
    benchmark, condition = Benchmark.read(), condition_named(args.condition)
    severity = condition.middle if args.severity is None else args.severity
    settings = dataclasses.replace(benchmark.bake, sources=args.sources or benchmark.bake.sources)
    if (args.layout == SOUNDSPACES) != (args.out is not None):
        raise ValueError('OUT is the folder of --layout soundspaces: give both or neither')
    contract, names = _contract(args), args.house or benchmark.house_names(
        args.size, args.split, args.houses)
    if args.out:
        bake_soundspaces.check(args, contract)
    bakes = make_bakes(
        names, contract, settings=bake_settings(args.condition, severity, settings),
        pool=job_pool(args.workers, args.cluster))
    print(f'{len(bakes)} houses, {sum(bake.nodes for bake in bakes)} nodes, '
          f'under {bake_directory()}')
    if args.out:
        houses = [BakedHouse.open(bake.path, name=name) for bake, name in zip(bakes, names)]
        bake_soundspaces.write(args, houses, contract, settings)
    return 0


def _contract(args: argparse.Namespace) -> PolicyContract:
    if args.model:
        return read_contract_of_file(args.model)
    if args.layout == SOUNDSPACES:
        return bake_soundspaces.contract_of(args.dataset_name, args.image_pixels)
    pixels = args.image_pixels or IMAGE_PIXELS
    return PolicyContract(image_height=pixels, image_width=pixels)
