# SPDX-License-Identifier: Apache-2.0
import dataclasses
import subprocess
import sys

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import onnx
from onnx import helper
from onnx import numpy_helper
from onnx import TensorProto
import pytest

from asgf_nav_ros.contract import CONTRACT_KEY
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.model_metadata import NoModel
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.inference.model_metadata import read_metadata

CONTRACT = PolicyContract(sample_rate_hz=44100, input_gain=30.0)


def write(path, properties):
    """Save a model with a megabyte of weights and these metadata."""
    weights = numpy_helper.from_array(np.ones((512, 512), np.float32), 'weights')
    shape = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node('MatMul', ['x', 'weights'], ['y'])], 'tiny',
        [shape('x', TensorProto.FLOAT, ['n', 512])],
        [shape('y', TensorProto.FLOAT, ['n', 512])], [weights])
    model = helper.make_model(graph, producer_name='test')
    helper.set_model_props(model, properties)
    onnx.save(model, path)
    return path


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return write(tmp_path_factory.mktemp('model') / 'model.onnx',
                 {CONTRACT_KEY: CONTRACT.to_json(), 'note': 'äöü', 'empty': ''})


def test_metadata_are_those_that_were_written(model):
    assert read_metadata(model) == {CONTRACT_KEY: CONTRACT.to_json(), 'note': 'äöü', 'empty': ''}
    assert dataclasses.asdict(read_contract_of_file(model)) == dataclasses.asdict(CONTRACT)


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.text(max_size=40), st.text(max_size=400), max_size=5))
def test_any_strings_come_back(tmp_path_factory, properties):
    path = write(tmp_path_factory.mktemp('model') / 'any.onnx', properties)
    assert read_metadata(path) == properties


def test_onnx_runtime_is_not_loaded(model):
    code = ('import sys; from asgf_nav_ros.inference.model_metadata import read_metadata\n'
            f'read_metadata({str(model)!r}); print("onnxruntime" in sys.modules)')
    shown = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                           check=True).stdout
    assert shown.strip() == 'False'


def test_a_model_without_contract_is_refused(tmp_path):
    with pytest.raises(ContractMismatch, match='no asgf_nav_contract in its metadata'):
        read_contract_of_file(write(tmp_path / 'other.onnx', {'author': 'somebody'}))


@pytest.mark.parametrize('content', [
    b'', b'not a model, only text', b'\x00' * 100, b'\xff' * 100])
def test_files_that_are_no_models_are_refused(tmp_path, content):
    path = tmp_path / 'broken.onnx'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='broken.onnx|no asgf_nav_contract'):
        read_contract_of_file(path)


@pytest.mark.parametrize('share', [0.01, 0.5, 0.999])
def test_truncated_models_are_refused(model, tmp_path, share):
    path, content = tmp_path / 'short.onnx', model.read_bytes()
    path.write_bytes(content[:int(share * len(content))])
    with pytest.raises(NoModel, match='is not an ONNX file'):
        read_contract_of_file(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NoModel, match='missing.onnx cannot be read: No such file'):
        read_contract_of_file(tmp_path / 'missing.onnx')
