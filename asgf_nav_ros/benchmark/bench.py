# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav bench``: every speed and memory figure of the README, as ratios of one run."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import contextlib
import importlib
import json
from pathlib import Path
import platform
from types import ModuleType
from typing import Any

import numpy as np

from asgf_nav_ros.benchmark.bench_timing import Comparison
from asgf_nav_ros.benchmark.bench_timing import one_core

TIMED = ('spectrogram', 'policy', 'grid_world', 'soundspaces')
MEMORY, GRAPH = 'memory', 'graph'
PARTS = (*TIMED, MEMORY, GRAPH)
EXTRAS = {MEMORY: 'demo', GRAPH: 'replay'}  # of setup.py; the timed parts need BENCH
BENCH = 'bench'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--json', type=Path, metavar='F', help='also write the figures here')
    parser.add_argument('--only', nargs='+', choices=PARTS, default=PARTS, metavar='PART',
                        help=f'measure some of {", ".join(PARTS)}')
    parser.add_argument('--model', type=Path, metavar='FILE',
                        help=f'exported policy of {MEMORY} and {GRAPH}, not the shipped one')
    parser.add_argument('--decisions', type=int, default=200, metavar='N',
                        help='how many decisions of the running graph are timed')
    parser.add_argument('--laps', type=int, default=40, help='repeats of every timed call')
    parser.add_argument('--seed', type=int, default=0, help='of the made-up input')


def run(arguments: argparse.Namespace) -> int:
    """Measure, print a table, write JSON; return the exit code."""
    comparisons = measure_times(arguments.only, laps=arguments.laps, seed=arguments.seed)
    memory = measure_shown(MEMORY, arguments.model) if MEMORY in arguments.only else None
    graph = measure_shown(GRAPH, arguments.model, decisions=arguments.decisions,
                          seed=arguments.seed) if GRAPH in arguments.only else None
    if arguments.json is not None:
        report = {'machine': machine(), 'laps': arguments.laps,
                  'comparisons': [comparison.as_row() for comparison in comparisons],
                  'memory': memory, 'graph': graph}
        arguments.json.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    return 0


@contextlib.contextmanager
def module_of(part: str) -> Iterator[ModuleType]:
    """Import what measures ``part``: on a robot the graph is measured without torch.

    Raises:
        RuntimeError: a package is missing, at the import or while it measures.
    """
    try:
        yield importlib.import_module(f'{__package__}.bench_{part}')
    except ModuleNotFoundError as error:
        raise RuntimeError(f'{error}; bench --only {part} needs: pip install '
                           f"'asgf_nav_ros[{EXTRAS.get(part, BENCH)}]'") from error


def measure_times(parts: list[str], *, laps: int, seed: int) -> list[Comparison]:
    """Run the timed ``parts`` on one core and print each line as it comes."""
    comparisons = []
    with one_core():
        for part in TIMED:
            if part in parts:
                with module_of(part) as module:
                    for comparison in module.measure(np.random.default_rng(seed), laps=laps):
                        print(line(comparison), flush=True)
                        comparisons.append(comparison)
    return comparisons


def measure_shown(part: str, model: Path | None, **options: int) -> dict[str, Any]:
    """Run a part that measures the deployed graph, print its lines and return its figures."""
    with module_of(part) as module:
        figures = module.measure(model, **options)
    print(module.table(figures))
    return figures


def line(comparison: Comparison) -> str:
    """Return one line of the table."""
    wanted = f', wanted {comparison.wanted:g}x' if comparison.wanted else ''
    return (f'{comparison.name:<32} {comparison.ratio:6.1f}x  '
            f'{_time(comparison.ours_s)} ({comparison.ours}) against '
            f'{_time(comparison.theirs_s)} ({comparison.theirs}){wanted}')


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    return {'processor': platform.processor() or platform.machine(),
            'python': platform.python_version(), 'system': platform.platform()}


def _time(seconds: float) -> str:
    return f'{1e3 * seconds:.2f} ms' if seconds >= 1e-3 else f'{1e6 * seconds:.0f} us'
