# SPDX-License-Identifier: Apache-2.0
"""Agents whose every weight matters: fresh ones hide mistakes behind zero biases and gains."""

from __future__ import annotations

from typing import Callable

import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import random_observations

Views = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    torch.set_num_threads(1)
    torch.manual_seed(7)


@pytest.fixture
def contract() -> PolicyContract:
    return PolicyContract()


@pytest.fixture(scope='session')
def build_agent() -> Callable[..., NavigationAgent]:
    def build(system: str = 'asgf', *, contract: PolicyContract | None = None,
              sight: str = 'rgbd') -> NavigationAgent:
        agent = NavigationAgent(contract or PolicyContract(), system=system, sight=sight)
        with torch.no_grad():
            for parameter in agent.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
            agent.actor.weight.add_(0.1 * torch.randn_like(agent.actor.weight))
        return agent.eval()
    return build


@pytest.fixture
def observe(contract) -> Callable[..., Views]:
    def views(rows: int, seed: int = 0, of: PolicyContract = contract) -> Views:
        arrays = random_observations(of, rows, rng=np.random.default_rng(seed))
        return tuple(torch.from_numpy(array) for array in arrays)
    return views
