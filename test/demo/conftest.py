# SPDX-License-Identifier: Apache-2.0
"""A short demo over real ROS processes, driven once for all tests of this folder."""

import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.demo import command
from asgf_nav_ros.demo.graph import DemoPlan
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx

EPISODES, ACTIONS = 2, 3


@pytest.fixture(scope='session')
def contract():
    return PolicyContract(input_gain=30.0)


@pytest.fixture(scope='session')
def model(contract, tmp_path_factory):
    """An agent without training that always turns left."""
    torch.manual_seed(0)
    agent = NavigationAgent(contract)
    with torch.no_grad():
        agent.actor.bias.copy_(torch.tensor([0.0, 0.0, 9.0, 0.0]))
    path = tmp_path_factory.mktemp('model') / 'turns_left.onnx'
    export_onnx(agent, path, provenance={'purpose': 'test'})
    return path


@pytest.fixture(scope='session')
def plan(model):
    return DemoPlan(model=model, episodes=EPISODES, max_actions=ACTIONS, seed=3)


@pytest.fixture(scope='session')
def driven(plan, contract, tmp_path_factory):
    """Folder with everything that the demo writes, and the rows of its result."""
    out = tmp_path_factory.mktemp('demo')
    command.drive(plan, out)
    return out, command.report(out, contract)
