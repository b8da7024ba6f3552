# SPDX-License-Identifier: Apache-2.0
"""Weights on disk between training runs, with the contract that they belong to."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
import pickle
from typing import Any
from typing import Mapping
from typing import NamedTuple

import torch

from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.agent import NavigationAgent


class CheckpointError(ValueError):
    """A file is not a checkpoint of an agent that this version can build."""


class Checkpoint(NamedTuple):
    """An agent as it was saved and whatever its training kept beside it."""

    agent: NavigationAgent
    training: dict[str, Any]


def save_checkpoint(agent: NavigationAgent, path: str | os.PathLike[str], *,
                    training: Mapping[str, Any] | None = None) -> None:
    """Write ``agent`` so that a crash leaves the old file or the new one, never half of one.

    Args:
        agent: its contract, sight and weights are kept.
        path: the file to write.
        training: tensors, numbers, texts and containers of them, e.g. an optimizer's state.
    """
    path = Path(path)
    part = path.with_name(path.name + '.part')
    try:
        torch.save({'contract': agent.contract.to_json(), 'sight': agent.sight,
                    'weights': agent.state_dict(), 'training': dict(training or {})}, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def load_checkpoint(path: str | os.PathLike[str], *,
                    device: str | torch.device = 'cpu') -> Checkpoint:
    """Read what ``save_checkpoint`` wrote; runs no code from the file.

    Raises:
        CheckpointError: the file is something else, or its weights fit no agent of its contract.
        OSError: the file cannot be read.
    """
    try:
        saved = torch.load(path, map_location=device, weights_only=True)
        contract = PolicyContract.from_json(saved['contract'])
        agent = NavigationAgent(contract, sight=saved['sight']).to(device)
        agent.load_state_dict(saved['weights'])
        return Checkpoint(agent, saved['training'])
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, TypeError,
            ValueError, ContractMismatch) as error:
        reason = ' '.join(str(error).split())
        raise CheckpointError(f'{path} must be a checkpoint of an agent: {reason:.200}') from error


def weights_sha256(agent: NavigationAgent) -> str:
    """Hash of names and float32 values of all weights: the same wherever they are stored."""
    digest = hashlib.sha256()
    for name, tensor in sorted(agent.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()
