# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.benchmark.bench_grid_world import BakedEnvironment
from asgf_nav_ros.contract import Action


@pytest.fixture
def environment(tiny_bake, tiny_contract):
    dry = np.random.default_rng(0).uniform(-0.5, 0.5, tiny_contract.window_samples)
    return BakedEnvironment(tiny_bake, tiny_contract, dry.astype(np.float32))


def test_single_environment_observes_what_the_contract_wants(environment, tiny_contract):
    rgb, depth, spectrogram = environment.observe()
    assert rgb.shape == (64, 64, 3) and rgb.dtype == np.uint8
    assert 0 < depth.max() <= tiny_contract.depth_max_m
    assert spectrogram.shape == (*tiny_contract.spectrogram_shape[:2], 2)
    assert spectrogram.max() > 0


def test_four_turns_end_where_they_began_and_change_what_is_heard(environment):
    first = environment.observe()[2]
    environment.act(Action.TURN_LEFT)
    assert np.abs(environment.observe()[2] - first).max() > 1e-3
    for _ in range(3):
        environment.act(Action.TURN_LEFT)
    assert (environment.observe()[2] == first).all()


def test_walls_stop_it(environment, tiny_bake):
    for _ in range(100):
        environment.act(Action.MOVE_FORWARD)
    node, heading = environment._node, environment._heading
    assert tiny_bake.neighbors[node, heading] < 0
