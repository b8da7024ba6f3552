# SPDX-License-Identifier: Apache-2.0
"""Jobs on a Ray cluster: the same functions and results as in processes of this machine."""

from __future__ import annotations

import dataclasses
from typing import Callable
from typing import Iterator
from typing import Sequence
from typing import TypeVar

from sim_bridge.job_pool import all_cores
from sim_bridge.job_pool import JobPool
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.job_pool import ONE_CORE

Job = TypeVar('Job')
Result = TypeVar('Result')

RETRIES = 2  # of a job whose machine went away


@dataclasses.dataclass(frozen=True)
class RayCluster:
    """Every core of the cluster at ``address`` ('auto' finds the one of this machine).

    Each machine needs this package and its Debian packages. Bakes are made where a job runs, or
    shared when $ASGF_NAV_CACHE is a folder that all machines see; so must a ``--model`` be.
    """

    address: str

    def completed(self, function: Callable[[Job], Result],
                  jobs: Sequence[Job]) -> Iterator[tuple[int, Result]]:
        """Yield the index of each job and its result, as they end.

        Raises:
            OSError: there is no cluster at the address.
            RuntimeError: a job failed; its message is the job's own.
        """
        import ray  # an optional extra

        try:
            ray.init(self.address, log_to_driver=False, logging_level='error',
                     runtime_env={'env_vars': ONE_CORE})
        except (ConnectionError, ValueError) as error:
            raise OSError(f'no Ray cluster at {self.address!r}: {error}') from error
        try:
            remote = ray.remote(num_cpus=1, max_retries=RETRIES)(function)
            waiting = {remote.remote(job): index for index, job in enumerate(jobs)}
            while waiting:
                [done], _ = ray.wait(list(waiting))
                yield waiting.pop(done), ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise RuntimeError(f'on the cluster: {error.cause}') from error
        finally:
            ray.shutdown()


def job_pool(workers: int | None, cluster: str | None) -> JobPool:
    """Where a command's options want its jobs.

    Raises:
        ValueError: both were given, or ``workers`` is not positive.
    """
    if cluster and workers:
        raise ValueError('--workers is about this machine, --cluster uses all cores of the '
                         'cluster: give one of them')
    if cluster:
        return RayCluster(cluster)
    return all_cores() if workers is None else LocalProcesses(workers)
