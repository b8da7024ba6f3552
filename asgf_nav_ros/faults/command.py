# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav faults``: break everything, one thing at a time, in a graph of real processes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import json
from pathlib import Path
import random
import tempfile
from typing import Any

from asgf_nav_ros.faults.cases import choose
from asgf_nav_ros.faults.cases import FaultCase
from asgf_nav_ros.faults.cases import WITH_SENSES
from asgf_nav_ros.faults.sound_card import missing_programs
from asgf_nav_ros.faults.table import table
from asgf_nav_ros.faults.trial import run_start
from asgf_nav_ros.faults.trial import run_trial
from asgf_nav_ros.faults.trial_graph import TrialGraph
from asgf_nav_ros.faults.verdict import Verdict
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.ros_processes.process_group import terminated_as_interrupted
from asgf_nav_ros.share import share_directory

REPEATS = 3
REPEATED = '; {} tries were repeated, as the machine held up the robot that measures'
MODEL = 'asgf_paper.onnx'  # goes on forward through the trial robot's room


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--json', type=Path, metavar='F', help='write the results here')
    parser.add_argument('--markdown', type=Path, metavar='F', help='write a table of them here')
    parser.add_argument('--only', default='', metavar='PATTERN',
                        help='faults whose name contains this, or matches it (*, ?)')
    parser.add_argument('--seeds', type=int, default=1, metavar='N',
                        help='tries of each fault in which chance plays a part')
    parser.add_argument('--seed', type=int, default=1, metavar='K', help='first seed')
    parser.add_argument('--model', type=Path, metavar='FILE',
                        help=f'exported policy, instead of the shipped {MODEL}')
    parser.add_argument('--logs', type=Path, metavar='DIR',
                        help='keep the logs of the nodes here')
    parser.add_argument('--list', action='store_true', help='only print the names of the faults')


def run(arguments: argparse.Namespace) -> int:
    """Try every fault and return the exit code: 0 if all went as they must."""
    if arguments.seeds < 1:
        raise ValueError(f'--seeds must be positive, got {arguments.seeds}')
    cases = choose(arguments.only)
    if arguments.list:
        print('\n'.join(case.name for case in cases))
        return 0
    cases = possible(cases)
    model = (arguments.model or share_directory('models') / MODEL).resolve()
    rows: list[dict[str, Any]] = []
    with terminated_as_interrupted(), tempfile.TemporaryDirectory() as temporary:
        logs = arguments.logs or Path(temporary)
        for case, verdicts in try_all(cases, model=model, logs=logs, seeds=range(
                arguments.seed, arguments.seed + arguments.seeds)):
            rows.append(row(case, verdicts))
            print(line(rows[-1]), flush=True)
            if arguments.json:
                write(arguments.json, rows)
    if arguments.markdown:
        arguments.markdown.write_text(table(rows), encoding='utf-8')
    passed = sum(each['passed'] for each in rows)
    repeats = sum(each['repeats'] for each in rows)
    print(f'{passed} of {len(rows)} faults ended as they must'
          f'{REPEATED.format(repeats) if repeats else ""}')
    return 0 if passed == len(cases) else 1


def possible(cases: Sequence[FaultCase]) -> tuple[FaultCase, ...]:
    """Those that can be tried on this machine; says which cannot.

    Raises:
        ValueError: none can.
    """
    missing = missing_programs()
    left_out = [case.name for case in cases if missing and case.graph in WITH_SENSES]
    if left_out:
        why = (f'{", ".join(left_out)} need {", ".join(missing)}: install pulseaudio, '
               'pulseaudio-utils and libasound2-plugins')
        if len(left_out) == len(cases):
            raise ValueError(why)
        print(f'left out: {why}', flush=True)
    return tuple(case for case in cases if case.name not in left_out)


def try_all(cases: Sequence[FaultCase], *, model: Path, logs: Path,
            seeds: range) -> Iterator[tuple[FaultCase, list[Verdict]]]:
    """Try each case, with every seed where chance plays a part, on as few graphs as will do.

    Raises:
        RuntimeError: a graph that nothing is done to does not work.
    """
    window_s = read_contract_of_file(str(model)).window_s
    kinds = dict.fromkeys(case.graph for case in cases if not case.from_start)
    for kind in kinds:
        mine = [case for case in cases if case.graph == kind and not case.from_start]
        recorded = any(case.target == 'recorder' for case in mine)
        with TrialGraph(kind, model=model, folder=logs / kind, seed=seeds[0],
                        recorded=recorded) as graph:
            graph.start()
            for case in mine:
                yield case, [tried(graph, case, window_s=window_s, seed=seed)
                             for seed in (seeds if case.chance else seeds[:1])]
    for case in cases:
        if case.from_start:
            with TrialGraph(case.graph, model=model, folder=logs / case.name,
                            seed=seeds[0]) as graph:
                yield case, [run_start(graph, case, window_s=window_s)]


def tried(graph: TrialGraph, case: FaultCase, *, window_s: float, seed: int) -> Verdict:
    """Try a case; again where it failed while the machine held up the robot that measures."""
    repeats = 0
    while True:
        verdict = run_trial(graph, case, window_s=window_s,
                            rng=random.Random(f'{case.name} {seed}'))
        if verdict.passed or not verdict.held_up or repeats == REPEATS:
            return dataclasses.replace(verdict, repeats=repeats)
        repeats += 1


def row(case: FaultCase, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What is written about a case: the worst of all tries."""
    stops = [verdict.zero_after_s for verdict in verdicts]
    resumed = [verdict.resumed_after_s for verdict in verdicts]
    failures = [failure for verdict in verdicts for failure in verdict.failures]
    return {
        'name': case.name, 'passed': not failures,
        'zero_after_s': None if None in stops else round(max(stops), 3),
        'stopped_by': sorted({verdict.stopped_by for verdict in verdicts}),
        'cause_named': all(verdict.cause or not case.words for verdict in verdicts),
        'cause': verdicts[0].cause,
        'resumed_after_s': None if None in resumed else round(max(resumed), 2),
        'tries': len(verdicts), 'passed_tries': sum(verdict.passed for verdict in verdicts),
        'repeats': sum(verdict.repeats for verdict in verdicts), 'failures': failures}


def line(result: dict[str, Any]) -> str:
    """One line for the screen."""
    zero_s = result['zero_after_s']
    zero = 'never' if zero_s is None else f'{zero_s:.2f} s'
    end = '; '.join(result['failures']) or result['cause'][:90]
    word = 'ok  ' if result['passed'] else 'FAIL'
    return f'{word} {result["name"]:26} zero after {zero:7} {end}'


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write what is known so far."""
    path.write_text(json.dumps({'cases': list(rows)}, indent=2) + '\n', encoding='utf-8')
