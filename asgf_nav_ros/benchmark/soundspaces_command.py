# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav soundspaces``: look after a download of SoundSpaces 1.0."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

from sim_bridge.soundspaces.completeness import find_flaws
from sim_bridge.soundspaces.completeness import Flaw
from sim_bridge.soundspaces.layout import DATASETS
from sim_bridge.soundspaces.layout import Layout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    actions = parser.add_subparsers(title='actions', metavar='ACTION', required=True)
    checked = actions.add_parser(
        'check', help='list all that is missing or wrong, and where to get it',
        epilog='example: asgf-nav soundspaces check data --dataset-name replica '
        '--split test_telephone', formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    checked.add_argument('root', type=Path, metavar='DIR',
                         help='folder of metadata, binaural_rirs, datasets, ...')
    checked.add_argument('--dataset-name', choices=sorted(DATASETS),
                         help='one dataset; those that have metadata if not given')
    checked.add_argument('--split', action='append', default=[],
                         help='only what this split needs; may be given again')


def run(args: argparse.Namespace) -> int:
    """Print what is missing; return 0 if nothing is, else 1."""
    names = [args.dataset_name] if args.dataset_name else [
        name for name in sorted(DATASETS) if (args.root / 'metadata' / name).is_dir()]
    flaws = [flaw for name in names or sorted(DATASETS)
             for flaw in find_flaws(Layout(args.root, name), args.split)]
    if not flaws:
        print(f'{args.root}: {" and ".join(names)} complete')
        return 0
    print('\n'.join(_lines(flaws)))
    return 1


def _lines(flaws: list[Flaw]) -> list[str]:
    """Each remedy once, under what it is good for."""
    lines = []
    by_remedy = sorted(flaws, key=lambda flaw: flaw.remedy)
    for remedy, found in itertools.groupby(by_remedy, lambda flaw: flaw.remedy):
        lines += [*(flaw.what for flaw in found), f'    -> {remedy}']
    return [*lines, f'{len(flaws)} findings']
