# SPDX-License-Identifier: Apache-2.0
"""Spread independent jobs over processes of this machine, one core each."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import multiprocessing
import os
from typing import Callable
from typing import Iterator
from typing import Protocol
from typing import Sequence
from typing import TypeVar

from tqdm import tqdm

Job = TypeVar('Job')
Result = TypeVar('Result')

# Mesa's software renderer starts a thread per core, and so do OpenMP and OpenBLAS.
ONE_CORE = {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'LP_NUM_THREADS': '0'}

_ASIDE_NICENESS = 10


class JobPool(Protocol):
    """Somewhere to run jobs."""

    def completed(self, function: Callable[[Job], Result],
                  jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield the index of each job and its result, as they end."""


@dataclasses.dataclass(frozen=True)
class LocalProcesses:
    """At most ``workers`` processes; one worker is the calling process itself.

    If they are to be ``aside``, that one is a process of its own too, and all give way to whatever
    else wants to run.
    """

    workers: int
    aside: bool = False

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f'workers must be positive, got {self.workers}')

    def completed(self, function: Callable[[Job], Result],
                  jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield the index of each job and its result, as they end."""
        count = min(self.workers, len(jobs))
        if count <= 1 and not self.aside:
            yield from ((index, function(job)) for index, job in enumerate(jobs))
            return
        # Processes are spawned: a forked OpenGL context or thread pool does not survive.
        context = multiprocessing.get_context('spawn')
        with (_environment(ONE_CORE),
              concurrent.futures.ProcessPoolExecutor(
                  max(count, 1), mp_context=context, initializer=os.nice,
                  initargs=(_ASIDE_NICENESS if self.aside else 0,)) as pool):
            indices = {pool.submit(function, job): index for index, job in enumerate(jobs)}
            try:
                for future in concurrent.futures.as_completed(indices):
                    yield indices[future], future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def all_cores() -> LocalProcesses:
    """One process for each core of this machine."""
    return LocalProcesses(os.cpu_count() or 1)


def run_jobs(function: Callable[[Job], Result], jobs: Sequence[Job], *, pool: JobPool,
             description: str, sizes: Sequence[int] | None = None,
             progress: bool = True) -> list[Result]:
    """Run ``function`` on every job, with a progress bar; results are in the jobs' order.

    Args:
        function: of a module, so that other processes find it.
        jobs: arguments of ``function``.
        pool: where to run them.
        description: label of the bar.
        sizes: by how much each job moves the bar; 1 by default.
        progress: whether to show the bar.
    """
    sizes = sizes or [1] * len(jobs)
    results: dict[int, Result] = {}
    with tqdm(total=sum(sizes), desc=description, disable=not progress) as bar:
        for index, result in pool.completed(function, jobs):
            results[index] = result
            bar.update(sizes[index])
    return [results[index] for index in range(len(jobs))]


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables that libraries read when a child imports them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
