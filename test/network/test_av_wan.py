# SPDX-License-Identifier: Apache-2.0
import numpy as np
import onnxruntime
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.av_wan import AvWanNetwork
from asgf_nav_ros.network.av_wan import DeployedAvWan
from asgf_nav_ros.network.av_wan import OUTPUTS
from asgf_nav_ros.network.av_wan import WaypointViews
from asgf_nav_ros.network.part_export import export_part

CONTRACT = PolicyContract(image_height=64, image_width=64, input_gain=30.0, system='av_wan')


@pytest.fixture(scope='module')
def network():
    torch.manual_seed(0)
    return AvWanNetwork(CONTRACT).eval()


def views(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    is_open = (torch.rand(*shape, 81, generator=draw) > 0.3).float()
    is_open[..., 40] = 1.0
    return WaypointViews(torch.rand(*shape, 65, 26, 2, generator=draw),
                         (torch.rand(*shape, 100, 100, 2, generator=draw) > 0.8).float(),
                         torch.rand(*shape, 20, 20, generator=draw), is_open)


def test_occupied_waypoints_have_no_probability(network):
    seen = views(3)
    with torch.no_grad():
        probabilities, _ = DeployedAvWan(network)(*seen, network.initial_hidden(3))
    assert probabilities[seen.open < 0.5].max() == 0
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(3))


def test_a_sequence_is_its_single_decisions(network):
    seen, starts = views(4, 2), torch.zeros(4, 2, dtype=torch.bool)
    starts[2, 1] = True
    with torch.no_grad():
        logits = network.sequence(seen, network.initial_hidden(2), starts).logits
        hidden = network.initial_hidden(2)
        for step in range(4):
            hidden = hidden * ~starts[step, :, None]
            wanted, hidden = network(WaypointViews(*(each[step] for each in seen)), hidden)
            torch.testing.assert_close(logits[step], wanted, rtol=1e-4, atol=1e-4)


def test_exported_file_is_small_and_follows_torch_over_recurrent_steps(network, tmp_path):
    deployed, path = DeployedAvWan(network), tmp_path / 'av_wan.onnx'
    export_part(deployed, path, inputs=deployed.inputs(), outputs=OUTPUTS, contract=CONTRACT,
                provenance={})
    assert path.stat().st_size < 10e6
    session = onnxruntime.InferenceSession(path)
    theirs = ours = np.zeros((3, 512), np.float32)
    for step in range(10):
        seen = views(3, seed=step)
        feeds = dict(zip(deployed.inputs(), (*(each.numpy() for each in seen), theirs)))
        got, theirs = session.run(list(OUTPUTS), feeds)
        with torch.no_grad():
            wanted, ours = (each.numpy() for each in deployed(*seen, torch.from_numpy(ours)))
        np.testing.assert_allclose(got, wanted, atol=1e-4)
        np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_refuses_another_system():
    with pytest.raises(ValueError, match="system must be 'av_wan', got 'asgf'"):
        AvWanNetwork(PolicyContract())
