# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav soundspaces``: look after a download of SoundSpaces 1.0."""

from __future__ import annotations

import argparse
import itertools
import json
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
    checked.set_defaults(action=_check)
    _add_comparison(actions.add_parser(
        'compare', help='write datasets from generated houses and walk both: does every action '
        'agree?', epilog='example: asgf-nav soundspaces compare --episodes 100 --json walks.json',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter))


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--houses', type=int, default=3, help='generated ones of the test split')
    parser.add_argument('--episodes', type=int, default=100, help='of each policy')
    parser.add_argument('--seed', type=int, default=1, help='draws the episodes')
    parser.add_argument('--only', choices=('shipped', *sorted(DATASETS)),
                        help='shipped models, or fresh weights for the contract of a dataset; '
                        'all if not given')
    parser.add_argument('--out', type=Path, metavar='DIR',
                        help='keep the datasets here; about 1 GB a policy')
    parser.add_argument('--batch', type=int, default=32, help='episodes that run side by side')
    parser.add_argument('--workers', type=int, help='processes; one for each core if not given')
    parser.add_argument('--json', type=Path, metavar='FILE', help='file to write')
    parser.set_defaults(action=_compare)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; return the exit code."""
    return args.action(args)


def _compare(args: argparse.Namespace) -> int:
    """Print how many decisions differ; return 0 if none does, else 1."""
    from asgf_nav_ros.benchmark import compare_soundspaces  # needs torch
    rows = compare_soundspaces.compare(args)
    print(compare_soundspaces.summary(rows))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(rows, indent=1) + '\n')
    return int(any(row['decisions_differ'] or row['episodes_differ'] for row in rows))


def _check(args: argparse.Namespace) -> int:
    """Print what is missing; return 0 if nothing is, else 1."""
    names = [args.dataset_name] if args.dataset_name else [
        name for name in sorted(DATASETS) if (args.root / 'metadata' / name).is_dir()]
    found = (flaw for name in names or sorted(DATASETS)
             for flaw in find_flaws(Layout(args.root, name), args.split))
    flaws = list(dict.fromkeys(found))  # both datasets may lack the same
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
