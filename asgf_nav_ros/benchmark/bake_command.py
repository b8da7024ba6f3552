# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav bake``: make the cached views and impulse responses of houses ahead of time."""

from __future__ import annotations

import argparse

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import bake_houses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.epilog = 'example: asgf-nav bake --split train --houses 48 --workers 2'
    parser.add_argument('--split', default='train', choices=('train', 'val', 'test'))
    parser.add_argument('--houses', type=int, default=48, help='how many, from the first')
    parser.add_argument('--house', action='append', metavar='FILE', help='a floor plan (JSON)')
    parser.add_argument('--sources', type=int, default=BakeSettings.sources,
                        help='places of the sound in each house')
    parser.add_argument('--workers', type=int, help='processes; all cores by default')


def run(args: argparse.Namespace) -> int:
    """Bake what is missing and say where it lies; return the exit code."""
    names = args.house or [f'small/{args.split}/{index}' for index in range(args.houses)]
    houses = bake_houses(names, PolicyContract(), settings=BakeSettings(sources=args.sources),
                         workers=args.workers)
    nodes = sum(len(house.nodes) for house in houses)
    print(f'{len(houses)} houses, {nodes} nodes, under {houses[0].path.parent}')
    return 0
