# SPDX-License-Identifier: Apache-2.0
import hashlib
import json

import pytest
import torch

from asgf_nav_ros import cli
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export

RECIPE = """
contract: {image_height: 64, image_width: 64, trained_on: one house}
bake: {sources: 1, rays: 500, response_s: 0.1}
imitation: {samples: 80, segment_steps: 5, minibatch_segments: 8, replayed_minibatches: 1}
houses: {small: 1}
agents: 8
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv('ASGF_NAV_CACHE', str(tmp_path / 'cache'))
    file = tmp_path / 'recipe.yaml'
    file.write_text(RECIPE)
    return file


def test_trains_resumes_and_exports(recipe, tmp_path):
    out, model = tmp_path / 'run', tmp_path / 'model.onnx'
    train = ['train', '--recipe', str(recipe), '--system', 'av_nav', '--out', str(out),
             '--device', 'cpu', '--workers', '1']
    assert cli.main(train) == 0
    assert cli.main([*train, '--samples', '120', '--resume', '--export', str(model)]) == 0
    rounds = [json.loads(line) for line in (out / 'history.jsonl').read_text().splitlines()]
    assert [figures['samples'] for figures in rounds] == [40, 80, 120]
    assert load_checkpoint(out / 'checkpoint.pt').training['samples'] == 120
    assert list((out / 'curves').glob('events.*'))

    policy = OnnxPolicy(model)
    assert policy.contract.system == 'av_nav'
    assert policy.contract.trained_on == 'one house'
    assert policy.provenance['samples'] == 120


@pytest.fixture
def train(recipe, tmp_path):
    """Train on the CPU in two houses that stay in memory."""
    def run(sections, *options):
        recipe.write_text(RECIPE.replace('small: 1', 'small: 2') + sections)
        return cli.main(['train', '--recipe', str(recipe), '--system', 'av_nav', '--out',
                         str(tmp_path / 'run'), '--device', 'cpu', '--workers', '1', *options])
    return run


BANK = 'sound_bank: {sounds: 4, noises: 1}\n'
COMING = ['--begin-with', '1', '--house-memory-gb', '0.2']


@pytest.mark.parametrize('options', [[], COMING])
def test_trains_in_houses_that_are_resident(train, tmp_path, options):
    assert train(BANK, '--resident', *options) == 0
    assert load_checkpoint(tmp_path / 'run' / 'checkpoint.pt').training['samples'] == 80


def test_reinforcement_learns_in_houses_that_are_resident(train, tmp_path):
    ppo = 'method: ppo\nppo: {samples: 64, steps: 4}\n'
    assert train(BANK + ppo, '--resident') == 0
    assert load_checkpoint(tmp_path / 'run' / 'checkpoint.pt').training['samples'] == 64


def test_a_run_ends_when_its_time_is_over(train, tmp_path):
    forever = 'method: ppo\nppo: {samples: 1000000000, steps: 4, minutes: 0.02}\n'
    assert train(BANK + forever, '--resident') == 0
    assert 0 < load_checkpoint(tmp_path / 'run' / 'checkpoint.pt').training['samples'] < 1e9


def test_houses_that_come_later_must_be_resident(train, capsys):
    assert train(BANK, *COMING) == 1
    assert '--begin-with needs houses that are resident' in capsys.readouterr().err


def test_exports_the_mean_of_several_policies(recipe, tmp_path):
    files = [tmp_path / f'{index}.onnx' for index in range(2)]
    agents = []
    for seed, file in enumerate(files):
        torch.manual_seed(seed)
        agents.append(NavigationAgent(Recipe.read(recipe).with_system('av_nav').contract))
        export_onnx(agents[-1], file, provenance={'samples': 10 + seed})
    out = tmp_path / 'mean.onnx'
    assert cli.main(['export', '--policy', *map(str, files), '--out', str(out)]) == 0
    mean = agent_of_export(out).state_dict()
    for name, weight in agents[0].state_dict().items():
        torch.testing.assert_close(mean[name], (weight + agents[1].state_dict()[name]) / 2)
    provenance = OnnxPolicy(out).provenance
    assert provenance['samples'] == 11
    assert provenance['mean_of_sha256'] == [hashlib.sha256(file.read_bytes()).hexdigest()
                                            for file in files]


def test_policies_of_two_contracts_have_no_mean(recipe, tmp_path, capsys):
    files = [tmp_path / f'{system}.onnx' for system in ('av_nav', 'asgf')]
    for file in files:
        export_onnx(NavigationAgent(Recipe.read(recipe).with_system(file.stem).contract), file,
                    provenance={})
    assert cli.main(['export', '--policy', *map(str, files), '--out',
                     str(tmp_path / 'mean.onnx')]) == 1
    assert 'must be of one contract' in capsys.readouterr().err
    assert not (tmp_path / 'mean.onnx').exists()


def test_a_missing_run_is_one_line(tmp_path, capsys):
    assert cli.main(['export', '--run', str(tmp_path), '--out', str(tmp_path / 'x.onnx')]) == 1
    assert capsys.readouterr().err.count('\n') == 1
