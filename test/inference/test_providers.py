# SPDX-License-Identifier: Apache-2.0
"""Sessions run where they were asked to, or say why not."""

from __future__ import annotations

from onnx_builder import build_policy
import onnxruntime
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference import providers
from asgf_nav_ros.inference.providers import open_session
from asgf_nav_ros.inference.providers import ProviderUnavailable


@pytest.fixture(name='model')
def fixture_model(tmp_path) -> bytes:
    return build_policy(tmp_path / 'policy.onnx', PolicyContract()).read_bytes()


def claim_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do as onnxruntime-gpu without CUDA does: list the provider, then run on the CPU."""
    monkeypatch.setattr(onnxruntime, 'get_available_providers',
                        lambda: ['CUDAExecutionProvider', 'CPUExecutionProvider'])


def test_cpu_is_what_was_asked_for(model):
    session, choice = open_session(model, 'cpu')
    assert session.get_providers() == ['CPUExecutionProvider']
    assert (choice.name, choice.reason) == ('cpu', '')


@pytest.mark.parametrize('threads', [1, 2])
def test_threads_are_limited_and_do_not_spin(model, threads):
    session, _ = open_session(model, 'cpu', threads=threads)
    options = session.get_session_options()
    assert options.intra_op_num_threads == threads
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry('session.intra_op.allow_spinning') == '0'


@pytest.mark.skipif('CUDAExecutionProvider' in onnxruntime.get_available_providers(),
                    reason='this onnxruntime has CUDA')
@pytest.mark.parametrize('name', ['cuda', 'tensorrt'])
def test_refuses_a_provider_that_is_not_built_in(model, name):
    with pytest.raises(ProviderUnavailable, match=f'{name}: this onnxruntime has only .*CPUExec'):
        open_session(model, name)


@pytest.mark.skipif('CUDAExecutionProvider' in onnxruntime.get_available_providers(),
                    reason='this onnxruntime has CUDA')
def test_auto_falls_back_and_names_every_reason(model):
    session, choice = open_session(model, 'auto')
    assert choice.name == 'cpu'
    assert session.get_providers() == ['CPUExecutionProvider']
    assert 'tensorrt: this onnxruntime has only' in choice.reason
    assert 'cuda: this onnxruntime has only' in choice.reason


@pytest.mark.filterwarnings('ignore:Specified provider')
@pytest.mark.skipif('CUDAExecutionProvider' in onnxruntime.get_available_providers(),
                    reason='this onnxruntime has CUDA')
def test_a_silent_fallback_to_the_cpu_is_found_out(model, monkeypatch):
    claim_cuda(monkeypatch)
    with pytest.raises(ProviderUnavailable, match='cuda: onnxruntime knows it but runs on CPU'):
        open_session(model, 'cuda')
    _, choice = open_session(model, 'auto')
    assert choice.name == 'cpu'
    assert 'cuda: onnxruntime knows it but runs on CPUExecutionProvider' in choice.reason


@pytest.mark.filterwarnings('ignore:Specified provider')
def test_a_broken_model_is_not_blamed_on_the_provider(model, monkeypatch):
    claim_cuda(monkeypatch)
    with pytest.raises(Exception, match='Failed to load model') as error:
        open_session(b'rubbish', 'cuda')
    assert not isinstance(error.value, ProviderUnavailable)


def test_refuses_unknown_names_and_no_threads(model):
    with pytest.raises(ValueError, match="one of cpu, cuda, tensorrt, auto, got 'gpu'"):
        open_session(model, 'gpu')
    with pytest.raises(ValueError, match='threads must be positive, got 0'):
        providers.session_options(threads=0)
