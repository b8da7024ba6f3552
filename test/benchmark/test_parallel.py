# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path

import pytest

from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.parallel import evaluate_episodes
from asgf_nav_ros.benchmark.parallel import System
from sim_bridge.bake import BakeSettings
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.sounds import load_catalogue

HOUSES = ['small/train/11', 'small/train/23']
SETTINGS = BakeSettings(sources=2, rays=1000, response_s=0.2)
RANDOM = System(name='random', model=None, temperature=0.5)
LEARNED = System(name='av_nav', model=None, temperature=0.5)


@pytest.fixture(scope='module')
def evaluate(tiny_bake):
    """Run two houses' episodes; all calls share their bakes."""
    sounds = load_catalogue().split('val')[:2]

    def evaluate(system, *, workers=1, batch=8, condition='clean', severity=0.0, seed=1):
        drawn = draw_episodes(HOUSES, sounds, system.build().contract, settings=SETTINGS,
                              count=5, seed=seed)
        runs, steps_per_second = evaluate_episodes(
            [each.episode for each in drawn], system=system, settings=SETTINGS, sounds=sounds,
            condition=condition, severity=severity, batch=batch,
            directory=tiny_bake.path.parent, pool=LocalProcesses(workers))
        assert [run.episode for run in runs] == [each.episode for each in drawn]
        assert steps_per_second > 0
        return runs
    return evaluate


@pytest.mark.parametrize('system', [RANDOM, LEARNED], ids=lambda system: system.name)
def test_neither_workers_nor_batch_change_a_run(evaluate, system):
    one = evaluate(system)
    assert evaluate(system, batch=1) == one
    assert evaluate(system, workers=2) == one


def test_the_seed_and_the_condition_do(evaluate):
    assert evaluate(RANDOM, seed=2) != evaluate(RANDOM)
    assert evaluate(RANDOM, condition='pose', severity=0.9) != evaluate(RANDOM)


def test_a_model_of_another_system_is_refused(evaluate):
    shipped = Path('models/av_nav.onnx').resolve()
    with pytest.raises(ValueError, match='system'):
        evaluate(System(name='asgf', model=shipped, temperature=0.5))


def test_a_new_model_file_takes_effect(tmp_path):
    first = LEARNED.build()
    assert LEARNED.build() is first
    other = dataclasses.replace(LEARNED, temperature=0.0).build()
    assert other is not first and other.model_sha256 == first.model_sha256
