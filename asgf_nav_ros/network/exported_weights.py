# SPDX-License-Identifier: Apache-2.0
"""Weights back out of an exported policy, so that learning can go on from a shipped file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Iterator

from google.protobuf.message import DecodeError
import numpy as np
import onnx
from onnx import numpy_helper
import torch

from asgf_nav_ros.contract import CONTRACT_KEY
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import PROVENANCE_KEY
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import CheckpointError
from asgf_nav_ros.network.export import ExportError
from asgf_nav_ros.network.export import verify_onnx
from asgf_nav_ros.network.mirror import own_contract

_ROOT = 'agent.'
_LARGEST_BYTES = 200_000_000


def agent_of_export(path: str | os.PathLike[str]) -> NavigationAgent:
    """Rebuild the agent that ``export_onnx`` wrote; it computes what the file computes.

    Of a mirrored policy it is the one agent that decides twice there.

    The exporter renames, turns and merges some weights: matrices are transposed, gates of the
    GRU change places, and a normalisation behind a convolution goes into that convolution's
    weights, where it stays.

    Raises:
        CheckpointError: the file is no policy that this version can build and compute alike.
        OSError: the file cannot be read.
    """
    path = Path(path)
    if path.stat().st_size > _LARGEST_BYTES:
        raise CheckpointError(f'{path} must have at most {_LARGEST_BYTES} bytes, '
                              f'got {path.stat().st_size}')
    try:
        model = onnx.load(str(path), load_external_data=False)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        contract = own_contract(PolicyContract.from_json(metadata[CONTRACT_KEY]))
        agent = _agent(contract, json.loads(metadata[PROVENANCE_KEY]))
        agent.load_state_dict(_state(model, agent))
        agent.eval()
        verify_onnx(agent, path)
    except (DecodeError, ContractMismatch, ExportError, RuntimeError, KeyError, ValueError,
            TypeError) as error:
        reason = ' '.join(str(error).split())
        raise CheckpointError(f'{path} must be an exported policy whose weights can be read '
                              f'back: {reason:.200}') from error
    return agent


def _agent(contract: PolicyContract, provenance: dict[str, object]) -> NavigationAgent:
    if 'sight' not in provenance:
        raise ValueError(f'{contract.system} is no network that decides on single actions')
    return NavigationAgent(contract, sight=provenance['sight'])


def _state(model: onnx.ModelProto, agent: NavigationAgent) -> dict[str, torch.Tensor]:
    """Every entry of the agent's state that the file holds; the rest as for a merged norm."""
    state = _without_norms(agent.state_dict())
    found = {name: array for name, array in _named_arrays(model) if name in state}
    missing = [name for name in state if name not in found and '.norms.' not in name]
    if missing:
        raise ValueError(f'no weights for {missing[0]}')
    return state | {name: torch.from_numpy(np.array(array)) for name, array in found.items()}


def _without_norms(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """``state`` with normalisations that change nothing (but for their epsilon, see below)."""
    neutral = {'weight': 1.0, 'bias': 0.0, 'running_mean': 0.0,
               'running_var': 1.0 - torch.nn.BatchNorm2d(1).eps}
    return {name: torch.full_like(value, neutral[name.rsplit('.', 1)[1]])
            if '.norms.' in name and name.rsplit('.', 1)[1] in neutral else value
            for name, value in state.items()}


def _named_arrays(model: onnx.ModelProto) -> Iterator[tuple[str, np.ndarray]]:
    """Names of the agent's state and their values, in torch's order of axes and gates."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == 'Identity' and node.input[0] in arrays:  # equal values are kept once
            arrays[node.output[0]] = arrays[node.input[0]]
    for name, array in arrays.items():
        if name.startswith(_ROOT):
            yield name.removeprefix(_ROOT), array
    for node in model.graph.node:
        weights = [arrays[name] for name in node.input if name in arrays]
        module = '.'.join(node.name.strip('/').split('/')[1:-1])
        if node.op_type == 'Conv' and len(weights) == 2:
            yield f'{module}.weight', weights[0]
            yield f'{module}.bias', weights[1]
        elif node.op_type == 'MatMul' and len(weights) == 1:
            yield f'{module}.weight', weights[0].T
        elif node.op_type == 'GRU':
            yield from _gru(module, *weights[:3])


def _gru(module: str, inputs: np.ndarray, hidden: np.ndarray, biases: np.ndarray
         ) -> Iterator[tuple[str, np.ndarray]]:
    """ONNX has the gates as update, reset, new, torch as reset, update, new; each direction."""
    for direction, suffix in zip(range(len(inputs)), ('', '_reverse')):
        halves = np.split(biases[direction], 2)
        for name, array in (('weight_ih', inputs[direction]), ('weight_hh', hidden[direction]),
                            ('bias_ih', halves[0]), ('bias_hh', halves[1])):
            update, reset, new = np.split(array, 3)
            yield f'{module}.{name}_l0{suffix}', np.concatenate([reset, update, new])
