# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

import numpy as np
import pytest

from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.learning import planner_systems
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.run_folder import CHECKPOINT
from asgf_nav_ros.learning.supervised import SupervisedSettings
from asgf_nav_ros.learning.waypoint_imitation import WaypointSettings
from asgf_nav_ros.network.checkpoint import CheckpointError
from asgf_nav_ros.systems.navigator import Views
from asgf_nav_ros.systems.registry import navigator
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)


@pytest.fixture
def recipe(tiny_contract):
    return Recipe(contract=dataclasses.replace(tiny_contract, audio_channels=TWO_EARS),
                  supervised=SupervisedSettings(samples=16, batch=16, round_batches=1),
                  waypoints=WaypointSettings(samples=30, segment_decisions=2,
                                             minibatch_segments=4, replayed_minibatches=1),
                  agents=4)


@pytest.mark.parametrize('system', planner_systems.SYSTEMS)
def test_trains_resumes_exports_and_drives(system, recipe, tiny_bake, tmp_path):
    run, model = tmp_path / 'run', tmp_path / 'model.onnx'
    recipe = recipe.with_system(system)
    world = {'houses': [tiny_bake], 'clips': [CLIP]}
    planner_systems.train(recipe, run, **world)
    before = planner_systems.load_part(run / CHECKPOINT)[1]['samples']
    with pytest.raises(ValueError, match='already holds a run'):
        planner_systems.train(recipe, run, **world)
    longer = dataclasses.replace(
        recipe, supervised=dataclasses.replace(recipe.supervised, samples=32),
        waypoints=dataclasses.replace(recipe.waypoints, samples=before + 20))
    planner_systems.train(longer, run, **world, resume=True)
    rounds = [json.loads(line) for line in (run / 'history.jsonl').read_text().splitlines()]
    samples = [figures['samples'] for figures in rounds]
    assert samples == sorted(set(samples))
    assert samples[-1] > before

    planner_systems.export(run, model, recipe={'seed': 0})
    assert model.stat().st_size < 10e6
    driver = navigator(system, model=model, models=tmp_path)
    grid = GridWorld([tiny_bake], driver.contract, count=3)
    slots = np.arange(3)
    for slot in slots:
        grid.place(slot, Placement(house=0, source=0, node=int(slot), heading=0, dry=CLIP,
                                   rng=np.random.default_rng(0)))
    driver.begin(slots, [np.random.default_rng(slot) for slot in slots])
    for _ in range(5):
        batch = grid.observe()
        actions = driver.decide(slots, Views(batch.rgb.numpy(), batch.depth.numpy(),
                                             batch.spectrogram.numpy(), grid.moved))
        assert set(actions.tolist()) <= {0, 1, 2, 3}
        grid.act(actions)


def test_a_missing_or_foreign_checkpoint_is_refused(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b'nothing')
    with pytest.raises(CheckpointError, match='must be a checkpoint of one of'):
        planner_systems.load_part(tmp_path / CHECKPOINT)
