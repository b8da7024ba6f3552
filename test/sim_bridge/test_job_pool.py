# SPDX-License-Identifier: Apache-2.0
import os
import time

import pytest

from sim_bridge.job_pool import all_cores
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.job_pool import run_jobs


def run(function, jobs, *, workers):
    return run_jobs(function, jobs, pool=LocalProcesses(workers), description='jobs',
                    progress=False)


def test_results_are_in_the_order_of_the_jobs():
    assert run(abs, [-3, -1, -2], workers=1) == [3, 1, 2]
    assert run(abs, [-3, -1, -2], workers=2) == [3, 1, 2]


def test_a_process_keeps_to_one_core_and_the_parent_is_left_alone(monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '7')
    monkeypatch.delenv('LP_NUM_THREADS', raising=False)
    found = run(os.getenv, ['OMP_NUM_THREADS', 'LP_NUM_THREADS'], workers=2)
    assert found == ['1', '0']
    assert os.environ['OMP_NUM_THREADS'] == '7' and 'LP_NUM_THREADS' not in os.environ


def test_one_worker_is_this_process():
    assert run(lambda _: os.getpid(), [1, 2], workers=1) == [os.getpid()] * 2


def test_one_worker_aside_is_another_process_that_gives_way():
    pool = LocalProcesses(1, aside=True)
    (_, nice), = pool.completed(os.nice, [0])
    assert nice == min(os.nice(0) + 10, 19)
    assert list(pool.completed(os.nice, [])) == []


def test_a_failed_job_ends_the_others():
    began_s = time.monotonic()
    with pytest.raises(ValueError, match='sleep length must be non-negative'):
        run(time.sleep, [-1.0, *[0.5] * 200], workers=2)
    assert time.monotonic() - began_s < 30


def test_workers_must_be_positive():
    with pytest.raises(ValueError, match='workers must be positive, got 0'):
        LocalProcesses(0)
    assert all_cores().workers == os.cpu_count()
