# SPDX-License-Identifier: Apache-2.0
import copy
import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.checkpoint import weights_sha256
from asgf_nav_ros.network.export import CONTRACT_KEY
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.export import ExportError
from asgf_nav_ros.network.export import INPUTS
from asgf_nav_ros.network.export import OUTPUTS
from asgf_nav_ros.network.export import PROVENANCE_KEY
from asgf_nav_ros.network.export import verify_onnx


@pytest.fixture(scope='module')
def exported(build_agent, tmp_path_factory):
    """An agent, its file, alone in a folder, and what export_onnx returned."""
    torch.manual_seed(0)
    agent, path = build_agent('asgf'), tmp_path_factory.mktemp('exported') / 'agent.onnx'
    return agent, path, export_onnx(agent, path, provenance={'recipe': 'dagger', 'seed': 4})


def metadata(path):
    return {each.key: each.value for each in onnx.load(path).metadata_props}


@pytest.mark.parametrize(('system', 'steps'), [
    ('asgf', 500), ('av_nav', 500), ('asgf_without_ase', 40), ('asgf_without_asgf', 40)])
def test_file_follows_torch_over_many_recurrent_steps(system, steps, build_agent, tmp_path):
    agent, path = build_agent(system), tmp_path / 'agent.onnx'
    export_onnx(agent, path, provenance={})
    assert verify_onnx(agent, path, steps=steps) < 1e-4
    assert verify_onnx(agent, path, steps=5, batch=5, seed=1) < 1e-4
    assert PolicyContract.from_json(metadata(path)[CONTRACT_KEY]).system == system


@pytest.mark.parametrize('contract', [
    PolicyContract(sample_rate_hz=44100), PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL)])
def test_other_contracts_export_too(contract, build_agent, tmp_path):
    agent, path = build_agent('asgf', contract=contract), tmp_path / 'agent.onnx'
    export_onnx(agent, path, provenance={})
    session = onnxruntime.InferenceSession(path)
    assert session.get_inputs()[2].shape == ['batch', *contract.spectrogram_shape]


@pytest.mark.parametrize('sight', ['rgb', 'depth'])
def test_half_sighted_agent_keeps_all_inputs(sight, build_agent, tmp_path):
    path = tmp_path / 'agent.onnx'
    export_onnx(build_agent('av_nav', sight=sight), path, provenance={})
    assert tuple(each.name for each in onnxruntime.InferenceSession(path).get_inputs()) == INPUTS


def test_file_stands_alone_and_declares_shapes_and_types(exported):
    _, path, sha256 = exported
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_size <= 25e6
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    session = onnxruntime.InferenceSession(path)
    assert [(each.name, each.type, each.shape) for each in session.get_inputs()] == [
        ('rgb', 'tensor(uint8)', ['batch', 128, 128, 3]),
        ('depth', 'tensor(float)', ['batch', 128, 128]),
        ('spectrogram', 'tensor(float)', ['batch', 65, 26, 2]),
        ('hidden', 'tensor(float)', ['batch', 512])]
    shapes = ([4], [], [512], [1], [2], [13], [3])
    assert [(each.name, each.type, each.shape) for each in session.get_outputs()] == [
        (name, 'tensor(float)', ['batch', *shape]) for name, shape in zip(OUTPUTS, shapes)]


def test_metadata_hold_contract_and_provenance(exported):
    agent, path, _ = exported
    found = metadata(path)
    assert PolicyContract.from_json(found[CONTRACT_KEY]) == agent.contract
    provenance = json.loads(found[PROVENANCE_KEY])
    assert provenance['recipe'] == 'dagger'
    assert provenance['seed'] == 4
    assert provenance['weights_sha256'] == weights_sha256(agent)
    assert provenance['torch'] == torch.__version__
    assert provenance['asgf_nav_ros']


def test_probabilities_are_the_softmax_of_the_logits(exported, observe):
    agent, path, _ = exported
    views = observe(2)
    hidden = agent.initial_hidden(2)
    feed = dict(zip(INPUTS, (each.numpy() for each in (*views, hidden))))
    got = onnxruntime.InferenceSession(path).run(['action_probabilities'], feed)[0]
    logits = agent(*views, hidden).logits.detach().numpy()
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_export_leaves_the_agent_as_it_was(build_agent, tmp_path):
    agent = build_agent('av_nav').train()
    before = copy.deepcopy(agent.state_dict())
    export_onnx(agent, tmp_path / 'agent.onnx', provenance={})
    assert agent.training
    assert all(torch.equal(before[name], tensor) for name, tensor in agent.state_dict().items())


def test_refuses_a_file_of_other_weights(exported):
    agent, path = copy.deepcopy(exported[0]), exported[1]
    with torch.no_grad():
        agent.memory.gru.bias_hh_l0[-1] += 0.5
    with pytest.raises(ExportError, match='must be within 0.0001 of torch'):
        verify_onnx(agent, path)


def test_broken_agent_leaves_no_file(build_agent, tmp_path):
    agent = build_agent('av_nav')
    with torch.no_grad():
        agent.actor.weight[0, 0] = float('nan')
    with pytest.raises(ExportError, match='action_probabilities'):
        export_onnx(agent, tmp_path / 'agent.onnx', provenance={})
    assert not list(tmp_path.iterdir())
