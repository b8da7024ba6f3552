# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import onnxruntime
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.network.part_export import export_part
from asgf_nav_ros.network.sound_locator import compressed_offset
from asgf_nav_ros.network.sound_locator import DeployedLocator
from asgf_nav_ros.network.sound_locator import offset_m
from asgf_nav_ros.network.sound_locator import OUTPUTS
from asgf_nav_ros.network.sound_locator import SoundLocator


def contract(system):
    return PolicyContract(image_height=64, image_width=64, input_gain=30.0, system=system)


def test_offsets_survive_compression():
    offsets = torch.tensor([[3.0, -4.0], [0.0, 0.2], [-25.0, 10.0], [0.0, 0.0]])
    compressed = compressed_offset(offsets)
    assert compressed.norm(dim=1)[0].item() == pytest.approx(np.log1p(5.0))
    torch.testing.assert_close(offset_m(compressed), offsets)


@pytest.mark.parametrize('system', OUTPUTS)
def test_exported_file_is_small_and_agrees_with_torch(system, tmp_path):
    torch.manual_seed(1)
    locator, path = SoundLocator(contract(system)), tmp_path / 'locator.onnx'
    shape = locator.contract.spectrogram_shape
    export_part(DeployedLocator(locator), path, inputs={'spectrogram': shape},
                outputs=OUTPUTS[system], contract=locator.contract, provenance={'seed': 1})
    assert path.stat().st_size < 10e6
    assert read_contract_of_file(path) == locator.contract
    spectrogram = np.random.default_rng(0).uniform(0, 3, (7, *shape)).astype(np.float32)
    vector, at_goal = onnxruntime.InferenceSession(path).run(
        list(OUTPUTS[system]), {'spectrogram': spectrogram})
    with torch.no_grad():
        wanted = DeployedLocator(locator)(torch.from_numpy(spectrogram))
    np.testing.assert_allclose(vector, wanted[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(at_goal, wanted[1], atol=1e-5)


def test_refuses_another_system():
    with pytest.raises(ValueError, match="system must be one of .*, got 'asgf'"):
        SoundLocator(dataclasses.replace(contract('asgf')))


def test_a_broken_network_leaves_no_file(tmp_path):
    locator = SoundLocator(contract('direction_follower'))
    with torch.no_grad():
        locator.head.bias[0] = float('nan')
    with pytest.raises(RuntimeError, match='direction must be within'):
        export_part(DeployedLocator(locator), tmp_path / 'x.onnx',
                    inputs={'spectrogram': locator.contract.spectrogram_shape},
                    outputs=('direction', 'at_goal'), contract=locator.contract, provenance={})
    assert not list(tmp_path.iterdir())
