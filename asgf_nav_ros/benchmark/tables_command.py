# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav tables``: the paper's tables and those beyond it, from a folder of result files."""

from __future__ import annotations

import argparse
from pathlib import Path
import sys

from asgf_nav_ros.benchmark import tables
from asgf_nav_ros.benchmark.comparison import entries
from asgf_nav_ros.benchmark.markdown import replace_between_markers
from asgf_nav_ros.benchmark.result_files import CLEAN
from asgf_nav_ros.benchmark.result_files import comparable
from asgf_nav_ros.benchmark.result_files import read_results
from asgf_nav_ros.benchmark.table_rows import Results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('results', type=Path, metavar='RESULTS_DIR',
                        help='folder of files that asgf-nav evaluate --json wrote; files of a '
                             'subfolder stand apart under its name, e.g. ppo')
    parser.add_argument('--split', default='test', choices=('train', 'val', 'test'))
    parser.add_argument('--out', type=Path, metavar='FILE.md',
                        help='write every table here instead of printing it')
    parser.add_argument('--readme', type=Path, metavar='FILE.md',
                        help='replace the text between its results markers by the main tables')


def run(args: argparse.Namespace) -> int:
    """Read, tabulate, write; return the exit code."""
    evaluations, unreadable = read_results(args.results)
    evaluations, other_episodes = comparable(
        [each for each in evaluations if each.setting.split == args.split])
    for line in unreadable + other_episodes:
        print(f'asgf-nav tables: {line}', file=sys.stderr)
    if not evaluations:
        raise ValueError(f'{args.results} holds no evaluation of the {args.split} split')
    results = Results(entries(evaluations), split=args.split,
                             middle_severities=middle_severities())
    if args.readme:
        replace_between_markers(args.readme, summary(results, args))
    document = full_document(results, args)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(document, encoding='utf-8')
    elif not args.readme:
        print(document)
    return 0


def middle_severities() -> dict[str, float]:
    """Every condition but clean, with the severity at which it stands in tables."""
    from sim_bridge.conditions import CONDITIONS
    return {name: float(each.middle) for name, each in CONDITIONS.items() if name != CLEAN}


def full_document(results: Results, args: argparse.Namespace) -> str:
    """Every table, as a document of its own."""
    parts = [f'# Results\n\n{tables.LEGEND} This file is written by\n\n```bash\n'
             f'{_own_command(args)}\n```']
    parts += [section.markdown(2) for section in tables.all_sections(results)]
    return '\n\n'.join(parts) + '\n'


def summary(results: Results, args: argparse.Namespace) -> str:
    """The main tables, for a README."""
    more = f' More tables: [{args.out.name}]({args.out.as_posix()}).' if args.out else ''
    parts = [tables.LEGEND + more]
    parts += [section.markdown(3) for section in tables.summary_sections(results)]
    parts.append(f'These tables are written by `{_own_command(args)}`.')
    return '\n\n'.join(parts)


def _own_command(args: argparse.Namespace) -> str:
    words = ['asgf-nav tables', args.results.name]
    words += [] if args.split == 'test' else [f'--split {args.split}']
    words += [f'--out {args.out.as_posix()}'] if args.out else []
    words += [f'--readme {args.readme.as_posix()}'] if args.readme else []
    return ' '.join(words)
