# SPDX-License-Identifier: Apache-2.0
import json
import os

import pytest

from asgf_nav_ros.benchmark.cluster import job_pool
from asgf_nav_ros.benchmark.cluster import RayCluster
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.parallel import evaluate_episodes
from asgf_nav_ros.benchmark.parallel import System
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import make_bakes
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.job_pool import run_jobs
from sim_bridge.sounds import load_catalogue

MEMORY = {'object_store_memory': 80 * 2**20, 'include_dashboard': False}
HOUSES = ['small/train/11', 'small/train/23']
SETTINGS = BakeSettings(sources=2, rays=1000, response_s=0.2)


def test_an_address_without_cluster_is_one_line():  # before there is one
    pytest.importorskip('ray')
    with pytest.raises(OSError, match="no Ray cluster at 'auto'"):
        run_jobs(json.loads, ['3'], pool=RayCluster('auto'), description='jobs', progress=False)


@pytest.fixture(scope='module')
def address():
    """A head without cores and two machines of one core each, all here."""
    pytest.importorskip('ray')
    from ray.cluster_utils import Cluster
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('RAY_USAGE_STATS_ENABLED', '0')
        cluster = Cluster(initialize_head=True, head_node_args={'num_cpus': 0, **MEMORY})
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=MEMORY['object_store_memory'])
        yield cluster.address
        cluster.shutdown()


def test_bakes_and_runs_are_those_of_processes(address, tiny_bake, tiny_contract):
    directory = tiny_bake.path.parent
    bakes = [make_bakes(HOUSES, tiny_contract, settings=SETTINGS, pool=pool, directory=directory,
                        progress=False) for pool in (RayCluster(address), LocalProcesses(1))]
    assert bakes[0] == bakes[1]
    system = System(name='random', model=None, temperature=0.5)
    sounds = load_catalogue().split('val')[:2]
    episodes = [each.episode for each in draw_episodes(
        HOUSES, sounds, system.build().contract, settings=SETTINGS, count=4, seed=1)]
    on_cluster, here = (evaluate_episodes(
        episodes, system=system, settings=SETTINGS, sounds=sounds, condition='clean',
        severity=0.0, batch=4, directory=directory, pool=pool)[0]
        for pool in (RayCluster(address), LocalProcesses(1)))
    assert on_cluster == here


def test_a_job_runs_on_one_core_and_its_failure_is_its_own(address):
    pool = RayCluster(address)
    assert run_jobs(os.getenv, ['OMP_NUM_THREADS'], pool=pool, description='jobs',
                    progress=False) == ['1']
    with pytest.raises(RuntimeError, match='on the cluster: Expecting value'):
        run_jobs(json.loads, ['3', 'x'], pool=pool, description='jobs', progress=False)


def test_options_choose_the_pool():
    assert job_pool(3, None) == LocalProcesses(3)
    assert job_pool(None, 'head:6379') == RayCluster('head:6379')
    assert job_pool(None, None).workers == os.cpu_count()
    with pytest.raises(ValueError, match='give one of them'):
        job_pool(2, 'auto')
