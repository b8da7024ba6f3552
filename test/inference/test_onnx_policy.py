# SPDX-License-Identifier: Apache-2.0
"""Policies in real ONNX files: what is refused, what is decided, what is remembered."""

from __future__ import annotations

import dataclasses
import hashlib
import math

import numpy as np
import onnx
from onnx_builder import build_policy
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.inference.model_file import PolicyModelError
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
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


@pytest.mark.parametrize('edit, message', [
    (('float[N,128,128] depth', 'float[N,64,64] depth'),
     r'input depth must be tensor\(float\) \[batch, 128, 128\], the model has .*64'),
    (('(rgb)', '(picture)'), r'lacks \[\'rgb\'\] and has unknown \[\'picture\'\]'),
    (('float[N,4] action_probabilities', 'float[N,3] action_probabilities'),
     'not a usable ONNX file|output action_probabilities must be'),
    (('value = Add', 'worth = Add'), r'it lacks \[\'value\'\]')])
def test_refuses_a_graph_that_does_not_fit_its_contract(path, edit, message):
    swap = {'(rgb)': ('rgb', 'picture'), 'value = Add': ('value', 'value')}.get(edit[0], edit)
    build_policy(path, CONTRACT)
    model = onnx.load(path)
    if edit[0] in ('(rgb)', 'value = Add'):
        model = _renamed(model, *{'(rgb)': ('rgb', 'picture'),
                                  'value = Add': ('value', 'worth')}[edit[0]])
        onnx.save(model, path)
    else:
        build_policy(path, CONTRACT, edit=swap)
    with pytest.raises((ContractMismatch, PolicyModelError), match=message):
        OnnxPolicy(path)


def _renamed(model: onnx.ModelProto, old: str, new: str) -> onnx.ModelProto:
    for value in (*model.graph.input, *model.graph.output):
        value.name = new if value.name == old else value.name
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    return model


def test_refuses_a_fixed_batch(path):
    build_policy(path, CONTRACT, batch='1')
    with pytest.raises(ContractMismatch, match='input rgb must be'):
        OnnxPolicy(path)
