# SPDX-License-Identifier: Apache-2.0
"""Feed damaged inputs to every reader of foreign bytes, and print a line of JSON for each.

    .venv/bin/python tools/fuzz.py                       # seconds
    ulimit -v 6000000; .venv/bin/python tools/fuzz.py --inputs 1000000
    .venv/bin/python tools/fuzz.py --target mcap_bag --only 1234   # one input again
    .venv/bin/python tools/fuzz.py --target episodes --atheris 60  # guided by coverage

Readers run in processes of their own: one that kills its process, or that does not come back from
an input, counts as a crash too, and the next input follows. ``slowest_ms`` is processor time.
The readers, their valid inputs and the errors that they may raise stand in test/fuzz/targets.py.
"""

import argparse
from concurrent import futures
import contextlib
import json
import logging
import multiprocessing
import os
from pathlib import Path
import sys
import tempfile
import time
import traceback
from typing import Any
import warnings

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / 'test' / 'fuzz')]

MEMORY_FOLDER = Path('/dev/shm')
LOOK_S = 0.2
MOST_CRASHES = 100  # of one target, that are gone on from
START_PATIENCE_S = 1200.0
# What a process tells its parent while it runs; AT is the input that it is at.
AT, ACCEPTED, NAMED, CRASHES, SLOWEST_S, SLOWEST, STARTED = range(7)


def run_inputs(name: str, first: int, count: int, seed: int, told: multiprocessing.Array,
               folder: Path) -> None:
    """Feed inputs ``first`` to ``count``; in a process of its own, with a folder of its own."""
    from mutation import mutated
    from targets import TARGETS
    hush()
    target = TARGETS[name]
    seeds = target.seeds(folder)
    warm_up(target, seeds, folder)
    told[STARTED] = 1
    for index in range(first, count):
        told[AT] = index
        content = mutated(seeds, key=f'{seed}/{name}/{index}')
        began_s = time.process_time()
        try:
            target.read(content, folder)
            told[ACCEPTED] += 1
        except target.named:
            told[NAMED] += 1
        except Exception:
            told[CRASHES] += 1
            print(f'crash: --target {name} --seed {seed} --only {index}\n'
                  f'{traceback.format_exc(limit=-3)}', file=sys.stderr)
        took_s = time.process_time() - began_s
        if took_s > told[SLOWEST_S]:
            told[SLOWEST_S], told[SLOWEST] = took_s, index
    told[AT] = count


def warm_up(target: Any, seeds: list[bytes], folder: Path) -> None:
    """Import what the reader imports; with seeds that it refuses, damages would show nothing."""
    accepted = 0
    for content in seeds:
        with contextlib.suppress(*target.named):
            target.read(content, folder)
            accepted += 1
    if not accepted:
        raise ValueError(f'{target.name} refuses every valid input')


def hush() -> None:
    """Keep stdout for figures and stderr for crashes: libraries tell every damage there."""
    logging.disable()
    warnings.simplefilter('ignore')
    sys.stderr = os.fdopen(os.dup(2), 'w', buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def scratch_folder() -> tempfile.TemporaryDirectory:
    """A folder in memory where there is one: inputs are files of a moment."""
    class Scratch(tempfile.TemporaryDirectory):
        def __enter__(self) -> Path:
            return Path(super().__enter__())
    return Scratch(prefix='fuzz-', dir=MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None)


def fuzz(name: str, count: int, *, seed: int, patience_s: float) -> dict:
    """Run all inputs of a target, past those that end or stop its process."""
    context = multiprocessing.get_context('spawn')
    told = context.Array('d', 7, lock=False)
    first, began_s = 0, time.monotonic()
    while first < count and told[CRASHES] < MOST_CRASHES:
        told[STARTED] = 0
        with scratch_folder() as folder:
            process = context.Process(
                target=run_inputs, args=(name, first, count, seed, told, folder))
            process.start()
            hung = wait(process, told, patience_s)
        if told[AT] >= count and not hung and process.exitcode == 0:
            break
        why = f'does not end within {patience_s:g} s' if hung else f'exit code {process.exitcode}'
        print(f'crash: --target {name} --seed {seed} --only {int(told[AT])}: {why}',
              file=sys.stderr)
        told[CRASHES] += 1
        if not told[STARTED]:
            break
        first = int(told[AT]) + 1
    return {'target': name, 'inputs': int(told[ACCEPTED] + told[NAMED] + told[CRASHES]),
            'accepted': int(told[ACCEPTED]), 'named_errors': int(told[NAMED]),
            'crashes': int(told[CRASHES]), 'slowest_ms': round(1000 * told[SLOWEST_S], 1),
            'slowest': int(told[SLOWEST]), 'seed': seed,
            'wall_s': round(time.monotonic() - began_s, 1)}


def wait(process: multiprocessing.Process, told: multiprocessing.Array,
         patience_s: float) -> bool:
    """Wait for the end; kill it and return True if it stays at one input for too long."""
    at, since_s = (told[STARTED], told[AT]), time.monotonic()
    while process.is_alive():
        process.join(LOOK_S)
        if (told[STARTED], told[AT]) != at:
            at, since_s = (told[STARTED], told[AT]), time.monotonic()
        elif time.monotonic() - since_s > (patience_s if told[STARTED] else START_PATIENCE_S):
            process.kill()
            process.join()
            return True
    return False


def show_one(name: str, index: int, seed: int) -> None:
    """Feed one input here, so that a crash shows its whole trace."""
    from mutation import mutated
    from targets import TARGETS
    with scratch_folder() as folder:
        content = mutated(TARGETS[name].seeds(folder), key=f'{seed}/{name}/{index}')
        print(f'{len(content)} bytes: {content[:2000]!r}')
        try:
            TARGETS[name].read(content, folder)
            print('accepted')
        except TARGETS[name].named as error:
            print(f'{type(error).__name__}: {error}')


def run_guided(name: str, seconds: int) -> int:
    """Run atheris in a process of its own, which it ends as it likes."""
    with scratch_folder() as folder:
        process = multiprocessing.get_context('spawn').Process(
            target=run_atheris, args=(name, seconds, folder))
        process.start()
        process.join()
    return process.exitcode


def run_atheris(name: str, seconds: int, folder: Path) -> None:
    """Let atheris look for inputs by coverage; it ends the process, with 0 if all is well."""
    import atheris
    with atheris.instrument_imports(include=['asgf_nav_ros', 'sim_bridge']):
        from targets import TARGETS
        target = TARGETS[name]
        seeds = target.seeds(folder)
        corpus = folder / 'corpus'
        corpus.mkdir()
        for number, content in enumerate(seeds):
            (corpus / str(number)).write_bytes(content)
            try:  # what is imported on the way is instrumented too
                target.read(content, folder)
            except target.named as error:
                print(f'seed {number}: {error}', file=sys.stderr)
    logging.disable()

    def one(content: bytes) -> None:
        with contextlib.suppress(*target.named):
            target.read(content, folder)

    atheris.Setup([sys.argv[0], f'-max_total_time={seconds}', '-max_len=65536',
                   '-rss_limit_mb=4096', '-print_final_stats=1', str(corpus)], one)
    atheris.Fuzz()


def main() -> int:
    """Fuzz, print figures; 1 if anything crashed."""
    from targets import TARGETS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--inputs', type=int, default=5000, metavar='N',
                        help='in all; cheap readers get the larger share')
    parser.add_argument('--target', action='append', choices=TARGETS, help='only this reader')
    parser.add_argument('--seed', type=int, default=0, help='draws the inputs')
    parser.add_argument('--patience', type=float, default=120.0, metavar='S',
                        help='for one input, before it counts as a crash')
    parser.add_argument('--workers', type=int, default=1, metavar='N', help='readers at a time')
    parser.add_argument('--only', type=int, metavar='I', help='this input of one target, once')
    parser.add_argument('--atheris', type=int, metavar='S',
                        help='so many seconds of one target with atheris (pip install atheris)')
    arguments = parser.parse_args()
    names = arguments.target or list(TARGETS)
    if (arguments.only is not None or arguments.atheris) and len(names) != 1:
        parser.error('--only and --atheris need one --target')
    if arguments.only is not None:
        show_one(names[0], arguments.only, arguments.seed)
        return 0
    if arguments.atheris:
        return run_guided(names[0], arguments.atheris)
    shares = sum(TARGETS[name].share for name in names)
    figures = []
    with futures.ThreadPoolExecutor(arguments.workers) as pool:
        for found in pool.map(lambda name: fuzz(
                name, -(-arguments.inputs * TARGETS[name].share // shares),
                seed=arguments.seed, patience_s=arguments.patience), names):
            figures.append(found)
            print(json.dumps(found), flush=True)
    total = {key: sum(each[key] for each in figures)
             for key in ('inputs', 'accepted', 'named_errors', 'crashes')}
    slowest_ms = max(each['slowest_ms'] for each in figures)
    print(json.dumps({'target': 'all', **total, 'slowest_ms': slowest_ms}), flush=True)
    return int(total['crashes'] > 0)


if __name__ == '__main__':
    sys.exit(main())
