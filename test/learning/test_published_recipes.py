# SPDX-License-Identifier: Apache-2.0
"""The three experiments that SoundSpaces published: contracts, recipes, networks, files."""

import dataclasses
import math
from pathlib import Path

import onnxruntime
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.ppo import PpoSettings
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.published_contracts import PUBLISHED
from asgf_nav_ros.published_contracts import published_contract
from sim_bridge.bake import bake_house
from sim_bridge.bake import BakeSettings
from sim_bridge.episodes import load_house

RECIPES = Path(__file__).parents[2] / 'config' / 'recipes'
FILES = {'replica': 'soundspaces_replica.yaml', 'matterport3d': 'soundspaces_matterport3d.yaml',
         'soundspaces2': 'soundspaces2.yaml'}
EVERY = pytest.mark.parametrize('name', FILES)


@pytest.mark.parametrize('name, rate, step_m, turn_deg, shape', [
    ('replica', 44100, 0.5, 90, (65, 69, 2)), ('matterport3d', 16000, 1.0, 90, (65, 26, 2)),
    ('soundspaces2', 16000, 0.25, 10, (65, 26, 2))])
def test_contracts_are_the_published_ones(name, rate, step_m, turn_deg, shape):
    contract = published_contract(name)
    assert contract.sample_rate_hz == rate
    assert contract.forward_step_m == step_m
    assert math.degrees(contract.turn_rad) == pytest.approx(turn_deg)
    assert contract.spectrogram_shape == shape
    assert (contract.image_height, contract.image_width, contract.depth_max_m) == (128, 128, 10.0)
    assert contract.input_gain == 1.0
    assert PolicyContract.from_json(contract.to_json()) == contract


def test_unknown_contract_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="one of .*'replica'.* got 'gibson'"):
        published_contract('gibson')


@EVERY
def test_recipe_trains_for_the_contract(name):
    recipe = Recipe.read(RECIPES / FILES[name]).with_system('av_nav')
    assert dataclasses.replace(recipe.contract, trained_on='') == PUBLISHED[name]
    assert recipe.method == 'ppo'
    assert recipe.max_steps == 500
    assert recipe.sounds == 'telephone'


@pytest.mark.parametrize('name, agents', [('replica', 5), ('matterport3d', 10)])
def test_recipes_of_the_first_version_have_the_published_settings(name, agents):
    recipe = Recipe.read(RECIPES / FILES[name])
    assert recipe.agents == agents
    assert recipe.ppo == PpoSettings(
        samples=40_000 * 150 * agents, steps=150, epochs=4, minibatches=1, learning_rate=2.5e-4,
        adam_epsilon=1e-5, clip=0.1, linear_decay=True, value_weight=0.5, entropy_weight=0.2,
        discount=0.99, trace=0.95, gradient_norm=0.5, bfloat16=False)
    reward = recipe.reward
    assert (reward.success, reward.step, reward.approach) == (10.0, -0.01, 1.0)
    assert reward.stop_within_m == 0.2


def test_recipe_of_soundspaces_2_has_the_published_settings():
    recipe = Recipe.read(RECIPES / FILES['soundspaces2'])
    assert recipe.ppo == PpoSettings(
        samples=40_000 * 150 * 10, epochs=2, minibatches=2, clip=0.2, linear_decay=False,
        entropy_weight=0.05, gradient_norm=0.2, bfloat16=False)
    assert recipe.reward.stop_within_m == recipe.contract.success_radius_m


@EVERY
@pytest.mark.parametrize('system', ['av_nav', 'asgf'])
def test_contract_builds_a_network_and_exports(name, system, tmp_path):
    torch.set_num_threads(1)
    contract = Recipe.read(RECIPES / FILES[name]).with_system(system).contract
    path = tmp_path / 'policy.onnx'
    export_onnx(NavigationAgent(contract), path, provenance={})
    inputs = {each.name: each.shape for each in onnxruntime.InferenceSession(path).get_inputs()}
    assert inputs['spectrogram'] == ['batch', *contract.spectrogram_shape]


def test_lattices_refuse_turns_of_ten_degrees(tmp_path):
    with pytest.raises(ValueError, match='a lattice needs turns of pi/2, got turn_rad=0.17'):
        bake_house(load_house('small/train/0'), PUBLISHED['soundspaces2'],
                   settings=BakeSettings(), directory=tmp_path)
