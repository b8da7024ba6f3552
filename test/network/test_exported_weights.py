# SPDX-License-Identifier: Apache-2.0
import onnx
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import CheckpointError
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.export import verify_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.share import share_directory

SMALL = PolicyContract(image_height=64, image_width=64)
PLUS = PolicyContract(image_height=64, image_width=64, odometry=True, system='asgf_plus',
                      audio_channels=TWO_EARS_WITH_INTERAURAL)


def exported(agent, folder):
    with torch.no_grad():  # biases that begin at zero would hide an exchange
        for parameter in agent.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    path = folder / 'agent.onnx'
    export_onnx(agent, path, provenance={})
    return path


@pytest.mark.parametrize('system', ['asgf', 'av_nav'])
def test_every_weight_comes_back(system, build_agent, tmp_path):
    agent = build_agent(system, contract=SMALL)
    found = agent_of_export(exported(agent, tmp_path))
    assert found.contract == agent.contract and found.sight == agent.sight
    for name, value in agent.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], value, rtol=0, atol=0)


def test_agent_with_normalised_ears_computes_the_same(tmp_path):
    torch.manual_seed(2)
    agent = NavigationAgent(PLUS)
    for norm in agent.spatial_state.norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
    path = exported(agent, tmp_path)
    assert verify_onnx(agent_of_export(path), path, steps=50) < 1e-4


def test_file_that_lacks_weights_is_refused(build_agent, tmp_path):
    path = exported(build_agent('av_nav', contract=SMALL), tmp_path)
    model = onnx.load(path)
    next(node for node in model.graph.node if node.op_type == 'GRU').name = '/agent/other/GRU'
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match='no weights for memory.gru'):
        agent_of_export(path)


def test_a_system_that_plans_its_way_is_no_agent():
    with pytest.raises(CheckpointError, match='av_wan is no network that decides on single'):
        agent_of_export(share_directory('models') / 'av_wan.onnx')


def test_other_files_are_refused_in_one_line(tmp_path):
    path = tmp_path / 'agent.onnx'
    path.write_bytes(b'\x08\x07 not a model')
    with pytest.raises(ValueError, match='agent.onnx') as refused:
        agent_of_export(path)
    assert '\n' not in str(refused.value)
