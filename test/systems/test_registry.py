# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.systems.registry import navigator
from asgf_nav_ros.systems.registry import SHIPPED_MODELS
from asgf_nav_ros.systems.registry import SYSTEMS


def test_random_walk_repeats_with_its_episodes_generator(tmp_path):
    walks = []
    for _ in range(2):
        system = navigator('random', models=tmp_path)
        system.begin(np.array([0, 5]), [np.random.default_rng(seed) for seed in (1, 2)])
        walks.append([system.decide(np.array([0, 5]), None).tolist() for _ in range(40)])
    assert walks[0] == walks[1]
    assert set(np.ravel(walks)) == {0, 1, 2, 3}


def test_knows_every_system_of_the_tables():
    assert set(SYSTEMS) == {
        'random', 'direction_follower', 'look_listen_act', 'av_wan', 'agsa_style', 'av_nav',
        'asgf', 'asgf_without_ase', 'asgf_without_asgf', 'asgf_plus', 'av_nav_plus'}


@pytest.mark.parametrize('system', SHIPPED_MODELS)
def test_shipped_models_are_what_they_are_called(system):
    shipped = navigator(system, models=share_directory('models'))
    assert shipped.contract.system == system
    assert len(shipped.model_sha256) == 64


@pytest.mark.parametrize('system', ['direction_follower', 'look_listen_act', 'av_wan'])
def test_a_model_of_another_system_is_refused(system):
    with pytest.raises(ContractMismatch, match=system):
        navigator(system, model=share_directory('models') / 'av_nav.onnx', models=None)


def test_an_unknown_system_is_refused(tmp_path):
    with pytest.raises(ValueError, match='system must be one of'):
        navigator('dijkstra', models=tmp_path)
