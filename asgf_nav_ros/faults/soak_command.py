# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav soak``: the whole graph for hours of simulated time, and what that does to it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import contextlib
import json
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

from asgf_nav_ros.faults.soak_report import MemorySample
from asgf_nav_ros.faults.soak_report import SoakRecord
from asgf_nav_ros.faults.soak_report import summary
from asgf_nav_ros.ros_processes.node_command import node_arguments
from asgf_nav_ros.ros_processes.node_command import NODES
from asgf_nav_ros.ros_processes.process_group import ProcessGroup
from asgf_nav_ros.ros_processes.process_group import terminated_as_interrupted
from asgf_nav_ros.ros_processes.process_usage import memory_use
from asgf_nav_ros.ros_processes.ros_domain import chosen_or_free_domain
from asgf_nav_ros.ros_processes.ros_domain import graph_environment
from asgf_nav_ros.share import share_directory

MODEL = 'asgf_nav.onnx'
WITNESS = 'witness'
TOPICS = 'action,diagnostics,episode_result'
SILENCE_S = 180.0  # the first start on a machine compiles the acoustics
SAMPLE_PERIOD_S = 1.0  # of memory, wall time
PROGRESS_S = 30.0  # between lines for people, and what is written so far
MANY_EPISODES = 100000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--hours', type=float, default=2.0, metavar='H',
                        help='simulated time after which no search begins any more')
    parser.add_argument('--max-actions', type=int, default=100, metavar='N',
                        help='a search is given up after so many')
    parser.add_argument('--seed', type=int, default=1, metavar='K',
                        help='draws houses, ways and sounds')
    parser.add_argument('--model', type=Path, metavar='FILE',
                        help=f'exported policy, instead of the shipped {MODEL}')
    parser.add_argument('--json', type=Path, metavar='F', help='write the results here')
    parser.add_argument('--logs', type=Path, metavar='DIR',
                        help='keep the logs of the nodes here')


def run(arguments: argparse.Namespace) -> int:
    """Run the graph and return the exit code: 0 if all is as it is wanted."""
    if not arguments.hours > 0:
        raise ValueError(f'--hours must be positive, got {arguments.hours}')
    record, began_s = SoakRecord(), time.monotonic()
    told_s = began_s
    try:
        with terminated_as_interrupted(), tempfile.TemporaryDirectory() as temporary:
            for event in watch(arguments, record, logs=arguments.logs or Path(temporary)):
                record.take(event)
                if time.monotonic() - told_s >= PROGRESS_S and event['clock_s']:
                    told_s = time.monotonic()
                    print(progress(record, event['clock_s'], arguments.hours), file=sys.stderr,
                          flush=True)
                    write(arguments.json, record.report(wall_s=told_s - began_s))
    finally:  # hours are not lost because they ended early
        document = record.report(wall_s=time.monotonic() - began_s)
        write(arguments.json, document)
        print(summary(document))
    return 0 if document['passed'] else 1


def progress(record: SoakRecord, clock_s: float, hours: float) -> str:
    """Return one line about how far the run is."""
    return f'{clock_s:.0f} of {3600 * hours:.0f} s, {len(record.results)} episodes'


def write(path: Path | None, document: dict[str, Any]) -> None:
    """Write what is known so far, where a file is wanted."""
    if path is not None:
        path.write_text(json.dumps(document, indent=2) + '\n', encoding='utf-8')


def watch(arguments: argparse.Namespace, record: SoakRecord, *,
          logs: Path) -> Iterator[dict[str, Any]]:
    """Run the graph to its end; yield what its witness tells, sample its memory meanwhile.

    Raises:
        ChildFailed: a process of the graph ended early; its last words are in the message.
        TooSlow: the graph stands still.
    """
    parameters = own_parameters(arguments)
    environment = graph_environment(chosen_or_free_domain())
    sampled_s = -SAMPLE_PERIOD_S
    pids: dict[str, int] = {}
    with ProcessGroup(logs, environment=environment) as processes:
        processes.start(WITNESS, node_arguments(WITNESS, parameters[WITNESS]), listened=True)
        for line in processes.lines(silence_s=SILENCE_S):
            event, now_s = json.loads(line), time.monotonic()
            if event['event'] == 'ready':  # nothing that is said from now on is missed
                pids = {node: processes.start(node, node_arguments(node, parameters[node]))
                        for node in NODES}
                continue
            yield event
            if record.settled:
                return
            if event['clock_s'] and now_s - sampled_s >= SAMPLE_PERIOD_S and not record.ended:
                sampled_s = now_s
                with contextlib.suppress(ProcessLookupError):  # the group names who has ended
                    record.memory.append(MemorySample(event['clock_s'], {
                        name: memory_use(pid) for name, pid in pids.items()}))


def own_parameters(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return what differs from ``sim.yaml``, for each node."""
    model = (arguments.model or share_directory('models') / MODEL).resolve()
    shared = {'model_path': str(model)}
    return {
        **dict.fromkeys(NODES, shared),
        WITNESS: {'topics': TOPICS, 'use_sim_time': True},
        'simulator': {**shared, 'episodes': MANY_EPISODES, 'seed': arguments.seed,
                      'run_time_limit_s': 3600 * arguments.hours,
                      'max_actions': arguments.max_actions, 'exit_when_done': False}}
