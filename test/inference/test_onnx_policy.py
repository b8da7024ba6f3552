# SPDX-License-Identifier: Apache-2.0
"""Policies in real ONNX files: what is refused, what is decided, what is remembered."""

from __future__ import annotations

import dataclasses
import hashlib
import math

import numpy as np
import onnx
from onnx_builder import build_policy
from onnx_builder import rename_tensor
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.inference import model_file
from asgf_nav_ros.inference import model_metadata
from asgf_nav_ros.inference.choice import choose
from asgf_nav_ros.inference.model_file import PolicyModelError
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.inference.onnx_policy import PolicyOutputError
from asgf_nav_ros.inference.providers import ProviderUnavailable

CONTRACT = PolicyContract(trained_on='nothing')


@pytest.fixture(name='path')
def fixture_path(tmp_path):
    return tmp_path / 'policy.onnx'


@pytest.fixture(name='policy', scope='module')
def fixture_policy(tmp_path_factory) -> OnnxPolicy:
    return OnnxPolicy(build_policy(tmp_path_factory.mktemp('model') / 'policy.onnx', CONTRACT))


def observation(left: float, right: float, *, depth_m: float = 2.0) -> Observation:
    spectrogram = np.zeros(CONTRACT.spectrogram_shape, np.float32)
    spectrogram[..., 0], spectrogram[..., 1] = left, right
    return Observation(rgb=np.full((128, 128, 3), 3, np.uint8), spectrogram=spectrogram,
                       depth=np.full((128, 128), depth_m, np.float32))


@pytest.mark.parametrize('left, right, action', [
    (0, 0, Action.STOP), (1, 1, Action.MOVE_FORWARD), (2, 1, Action.TURN_LEFT),
    (1, 2, Action.TURN_RIGHT)])
def test_decides_by_what_it_hears(policy, left, right, action):
    policy.reset()
    decision = policy.decide(observation(left, right))
    assert decision.action is action
    assert decision.probabilities.argmax() == action
    assert decision.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_decision_says_what_led_to_it(policy):
    policy.reset()
    decision = policy.decide(observation(2, 1))
    assert decision.value == pytest.approx(5)  # brightness 3 + depth 2
    assert decision.gate == pytest.approx(1 / (1 + math.exp(-1.5)))
    np.testing.assert_allclose(decision.attention, [decision.gate, 1 - decision.gate], atol=1e-6)
    np.testing.assert_allclose(decision.frame_weights, np.full(26, 1 / 26), atol=1e-6)
    assert decision.sound_azimuth_rad == pytest.approx(math.pi / 2)  # left
    assert decision.sound_distance_m == pytest.approx(math.expm1(1.5), rel=1e-5)
    assert decision.inference_ms > 0


def test_the_order_of_the_actions_is_the_contracts(path):
    turned = dataclasses.replace(
        CONTRACT, actions=('MOVE_FORWARD', 'STOP', 'TURN_RIGHT', 'TURN_LEFT'))
    policy = OnnxPolicy(build_policy(path, turned))
    assert policy.decide(observation(2, 1)).action is Action.TURN_RIGHT


def test_remembers_until_it_is_reset(policy):
    policy.reset()
    gates = [policy.decide(observation(1, 1)).gate for _ in range(3)]
    assert gates == sorted(set(gates))
    policy.reset()
    assert policy.decide(observation(1, 1)).gate == gates[0]


def test_a_new_policy_has_forgotten_its_warm_up(path, policy):
    policy.reset()
    fresh = OnnxPolicy(build_policy(path, CONTRACT))
    assert fresh.decide(observation(1, 2)).gate == policy.decide(observation(1, 2)).gate


def test_a_batch_decides_as_its_rows_do(policy):
    views = [observation(left, right) for left, right in [(0, 0), (2, 1), (1, 3)]]
    hidden = np.random.default_rng(0).random((3, 512), np.float32)
    columns = [np.stack([getattr(view, name) for view in views])
               for name in ('rgb', 'depth', 'spectrogram')]
    together = policy.decide_batch(*columns, hidden)
    for row in range(3):
        alone = policy.decide_batch(*(column[row:row + 1] for column in columns),
                                    hidden[row:row + 1])
        for name, values in alone.items():
            np.testing.assert_allclose(together[name][row], values[0], rtol=1e-6)
    assert together['action_probabilities'].argmax(axis=1).tolist() == [0, 2, 3]


def test_a_batch_leaves_the_memory_of_the_episode_alone(policy):
    policy.reset()
    first = policy.decide(observation(1, 1)).gate
    policy.reset()
    view = observation(9, 9)
    policy.decide_batch(view.rgb[None], view.depth[None], view.spectrogram[None],
                        np.ones((1, 512), np.float32))
    assert policy.decide(observation(1, 1)).gate == first


def test_interaural_and_small_contracts_are_as_good(path):
    contract = PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL, image_width=32,
                              image_height=24, hidden_size=8, sample_rate_hz=44100)
    policy = OnnxPolicy(build_policy(path, contract), contract=contract)
    assert policy.contract == contract


@pytest.mark.parametrize('changes, name', [
    ({'rgb': np.zeros((64, 64, 3), np.uint8)}, 'rgb'),
    ({'depth': np.zeros((128, 128), np.float64)}, 'depth'),
    ({'depth': np.full((128, 128), np.nan, np.float32)}, 'depth'),
    ({'spectrogram': np.zeros((65, 69, 2), np.float32)}, 'spectrogram')])
def test_refuses_an_observation_that_does_not_fit(policy, changes, name):
    with pytest.raises(ContractMismatch, match=f'{name} must be'):
        policy.decide(dataclasses.replace(observation(1, 1), **changes))


def test_refuses_a_batch_that_does_not_fit(policy):
    view = observation(1, 1)
    with pytest.raises(ContractMismatch, match=r'hidden must be \(1, 512\) float32, got \(1, 256'):
        policy.decide_batch(view.rgb[None], view.depth[None], view.spectrogram[None],
                            np.zeros((1, 256), np.float32))


def test_knows_its_contract_provenance_hash_and_provider(path):
    digest = hashlib.sha256(build_policy(path, CONTRACT).read_bytes()).hexdigest()
    policy = OnnxPolicy(path, provider='auto', expected_sha256=digest.upper(), contract=CONTRACT)
    assert policy.contract == CONTRACT
    assert policy.provenance == {'recipe': 'written by hand'}
    assert policy.sha256 == digest
    assert policy.provider in ('cpu', 'cuda', 'tensorrt')


def test_refuses_a_wrong_hash(path):
    build_policy(path, CONTRACT)
    with pytest.raises(PolicyModelError, match='must have SHA-256 00ff, got [0-9a-f]{64}'):
        OnnxPolicy(path, expected_sha256='00ff')


def test_refuses_a_provider_that_is_not_there(path, monkeypatch):
    monkeypatch.setattr('onnxruntime.get_available_providers', lambda: ['CPUExecutionProvider'])
    with pytest.raises(ProviderUnavailable, match='cuda: this onnxruntime has only CPU'):
        OnnxPolicy(build_policy(path, CONTRACT), provider='cuda')


def test_refuses_a_model_without_contract(path):
    build_policy(path, CONTRACT, with_contract=False)
    with pytest.raises(ContractMismatch, match='no asgf_nav_contract in its metadata'):
        OnnxPolicy(path)


@pytest.mark.parametrize('key, text, error', [
    ('asgf_nav_contract', 'rubbish', ContractMismatch),
    ('asgf_nav_contract', '[' * 10**5, ContractMismatch),
    ('asgf_nav_contract', '{"pool": 4}', ContractMismatch),
    ('asgf_nav_provenance', 'rubbish', PolicyModelError),
    ('asgf_nav_provenance', '[1]', PolicyModelError)])
def test_refuses_metadata_that_is_rubbish(path, key, text, error):
    model = onnx.load(build_policy(path, CONTRACT))
    props = {prop.key: prop.value for prop in model.metadata_props}
    onnx.helper.set_model_props(model, {**props, key: text})
    onnx.save(model, path)
    with pytest.raises(error) as refusal:
        OnnxPolicy(path)
    assert '\n' not in str(refusal.value)
    assert len(str(refusal.value)) < 1000


def test_refuses_another_contract_and_names_each_difference(path):
    build_policy(path, CONTRACT)
    wanted = dataclasses.replace(CONTRACT, forward_step_m=1.0, camera_height_m=0.3)
    with pytest.raises(ContractMismatch, match='another contract: camera_height_m=0.3 is wanted, '
                       'the model has 1.25; forward_step_m=1.0 is wanted, the model has 0.5'):
        OnnxPolicy(path, contract=wanted)


def test_the_same_geometry_under_another_label_is_the_same_contract(path):
    build_policy(path, CONTRACT)
    OnnxPolicy(path, contract=dataclasses.replace(CONTRACT, system='av_nav', trained_on='more'))


@pytest.mark.parametrize('old, new, message', [
    ('rgb', 'picture', r"inputs rgb, .* it lacks \['rgb'\] and has unknown \['picture'\]"),
    ('value', 'worth', r"outputs action_prob.* it lacks \['value'\] and has unknown \[\]")])
def test_refuses_a_graph_that_lacks_a_tensor(path, old, new, message):
    rename_tensor(build_policy(path, CONTRACT), old, new)
    with pytest.raises(ContractMismatch, match=message):
        OnnxPolicy(path)


@pytest.mark.parametrize('stated, message', [
    ({'image_height': 64}, r'input rgb must be tensor\(uint8\) \[batch, 64, 128, 3\], the model '
                           r"has tensor\(uint8\) \['N', 128, 128, 3\]"),
    ({'sample_rate_hz': 44100}, r'input spectrogram must be .*65, 69, 2\], .*65, 26, 2\]'),
    ({'hidden_size': 256}, r'input hidden must be tensor\(float\) \[batch, 256\], .*512\]'),
    ({'actions': ('STOP', 'MOVE_FORWARD')},
     r'output action_probabilities must be tensor\(float\) \[batch, 2\]')])
def test_refuses_a_graph_that_does_not_fit_its_own_contract(path, stated, message):
    model = onnx.load(build_policy(path, CONTRACT))
    onnx.helper.set_model_props(
        model, {'asgf_nav_contract': dataclasses.replace(CONTRACT, **stated).to_json()})
    onnx.save(model, path)
    with pytest.raises(ContractMismatch, match=message):
        OnnxPolicy(path)


def test_refuses_a_fixed_batch(path):
    build_policy(path, CONTRACT, batch='1')
    with pytest.raises(ContractMismatch, match='input rgb must be'):
        OnnxPolicy(path)


def test_refuses_a_type_that_does_not_fit(path):
    model = onnx.load(build_policy(path, CONTRACT))
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    onnx.save(model, path)
    with pytest.raises(ContractMismatch, match=r'input rgb .*the model has tensor\(float\)'):
        OnnxPolicy(path)


def test_refuses_a_model_that_computes_nan(path):
    with pytest.raises(PolicyOutputError, match='gate must be finite, the model computed NaN'):
        OnnxPolicy(build_policy(path, CONTRACT, nan='always'))


def test_a_nan_on_the_way_is_an_error_and_leaves_the_memory_alone(path):
    policy = OnnxPolicy(build_policy(path, CONTRACT, nan='far'))
    first = policy.decide(observation(1, 1)).gate
    with pytest.raises(PolicyOutputError, match='gate must be finite'):
        policy.decide(observation(1, 1, depth_m=9.0))
    second = policy.decide(observation(1, 1)).gate
    policy.reset()
    assert [policy.decide(observation(1, 1)).gate for _ in range(2)] == [first, second]


def test_refuses_probabilities_that_are_none(path):
    model = onnx.load(build_policy(path, CONTRACT))
    softmax = next(node for node in model.graph.node if 'action_probabilities' in node.output)
    softmax.op_type = 'Identity'
    onnx.save(model, path)
    with pytest.raises(PolicyOutputError, match='must be positive with sum 1'):
        OnnxPolicy(path).decide(observation(2, 1))


@pytest.mark.parametrize('damage', [
    lambda content: b'', lambda content: b'not a model at all',
    lambda content: content[:len(content) // 2], lambda content: content[:-3]])
def test_refuses_a_damaged_file_in_one_line(path, damage):
    path.write_bytes(damage(build_policy(path, CONTRACT).read_bytes()))
    with pytest.raises((PolicyModelError, ContractMismatch)) as refusal:
        OnnxPolicy(path)
    assert '\n' not in str(refusal.value)


def test_refuses_what_is_not_a_file(tmp_path):
    with pytest.raises(PolicyModelError, match='none.onnx cannot be read: No such file'):
        OnnxPolicy(tmp_path / 'none.onnx')
    with pytest.raises(PolicyModelError, match='cannot be read: Is a directory'):
        OnnxPolicy(tmp_path)


def test_refuses_a_file_over_the_limit_without_reading_it_all(path, monkeypatch):
    monkeypatch.setattr(model_file, 'MAX_BYTES', 10**6)
    path.write_bytes(b'0' * 10**6 + b'1')
    with pytest.raises(PolicyModelError, match='has over 1 MB'):
        OnnxPolicy(path)


def test_sampling_follows_the_probabilities(policy):
    rng = np.random.default_rng(0)
    probabilities = np.array([0.1, 0.2, 0.7, 0.0], np.float32)

    def frequencies(temperature: float) -> np.ndarray:
        drawn = [choose(probabilities, temperature=temperature, rng=rng) for _ in range(2000)]
        return np.bincount(drawn, minlength=4) / 2000

    np.testing.assert_allclose(frequencies(1.0), probabilities, atol=0.04)
    sharper = probabilities ** 2 / (probabilities ** 2).sum()
    np.testing.assert_allclose(frequencies(0.5), sharper, atol=0.04)
    assert frequencies(1e-3)[2] == 1
    policy.reset()
    assert policy.decide(observation(2, 1), temperature=0.5, rng=rng).action is Action.TURN_LEFT


@pytest.mark.parametrize('temperature, message', [
    (-1.0, 'temperature must be 0 or more, got -1.0'),
    (math.nan, 'temperature must be 0 or more, got nan'),
    (0.5, 'a temperature of 0.5 needs a random generator')])
def test_refuses_a_bad_temperature_and_keeps_its_memory(policy, temperature, message):
    policy.reset()
    with pytest.raises(ValueError, match=message):
        policy.decide(observation(1, 1), temperature=temperature)
    again = policy.decide(observation(1, 1)).gate
    policy.reset()
    assert policy.decide(observation(1, 1)).gate == again


def test_names_are_those_that_the_export_writes():
    export = pytest.importorskip('asgf_nav_ros.network.export')
    assert tuple(model_file.input_shapes(CONTRACT)) == export.INPUTS
    assert tuple(model_file.output_shapes(CONTRACT)) == export.OUTPUTS
    assert model_metadata.CONTRACT_KEY == export.CONTRACT_KEY
    assert model_file.PROVENANCE_KEY == export.PROVENANCE_KEY
