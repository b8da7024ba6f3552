# SPDX-License-Identifier: Apache-2.0
"""Begin a run with the weights of another one, whose agent may have remembered less."""

from __future__ import annotations

import dataclasses

import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.agent import NavigationAgent


def begin_with(agent: NavigationAgent, taught: NavigationAgent) -> None:
    """Give ``agent`` the weights of ``taught``.

    Where ``agent`` hears one plane more, what the goal sounds like, or has a map of where the
    goal may be, it begins by ignoring it.

    Raises:
        ValueError: the two differ in more than ``goal_windows`` and ``belief_cells``.
    """
    if _geometry(taught.contract) != _geometry(agent.contract):
        raise ValueError(f'initial weights must have the contract of the recipe, '
                         f'{agent.contract}, got {taught.contract}')
    state = agent.state_dict()
    agent.load_state_dict(state | {name: _widened(weights, state[name])
                                   for name, weights in taught.state_dict().items()})


def _widened(weights: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """``weights`` with what further inputs need: no weight, and a norm like the others."""
    if weights.shape == wanted.shape:
        return weights
    if weights.dim() == 1:
        return torch.cat([weights, wanted[len(weights):]])
    wider = torch.zeros_like(wanted)
    wider[:, :weights.shape[1]] = weights
    return wider


def _geometry(contract: PolicyContract) -> PolicyContract:
    return dataclasses.replace(contract, trained_on='', goal_windows=0, belief_cells=0,
                               hidden_size=contract.recurrent_size)
