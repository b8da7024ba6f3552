# SPDX-License-Identifier: Apache-2.0
"""AV-Nav as SoundSpaces trained it: its checkpoints become agents of this package."""

from __future__ import annotations

import collections
import os
from pathlib import Path
import pickle
from typing import Mapping
import zipfile

import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import CheckpointError
from asgf_nav_ros.network.encoders import ConvolutionalEncoder
from asgf_nav_ros.network.encoders import convolved_size
from asgf_nav_ros.network.encoders import FEATURES
from asgf_nav_ros.network.encoders import SIGHT_CHANNELS

LARGEST_FILE = 256 * 2 ** 20  # bytes; theirs hold 20 MB
# Their trainer saves its configuration beside the weights, in these classes; read as plain
# mappings, they run no code and need neither package.
_CONFIGURATIONS = ('habitat.config.default.Config', 'yacs.config.CfgNode')
_NET = 'actor_critic.net.'
_CONVOLUTIONS, _LINEAR = (0, 2, 4), 6  # places in their nn.Sequential, ReLU and Flatten between
_GRU = ('weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0')


def load_soundspaces_av_nav(path: str | os.PathLike[str],
                            contract: PolicyContract) -> NavigationAgent:
    """Read a checkpoint that ``ss_baselines/av_nav`` of SoundSpaces saved; runs no code from it.

    The agent computes what theirs does on the same observations, depth in metres here and
    divided by 10 there. Their network says nothing of where the sound is: the auxiliary
    ``sound_direction`` of the agent is constantly zero.

    Args:
        path: their file, with the weights under ``state_dict``.
        contract: what the weights were trained for, e.g. of ``published_contracts``; the file
            does not tell steps and turns. Sight (RGB, depth or both) is read from the weights.

    Raises:
        CheckpointError: the file is something else, blind, or holds another network than
            AV-Nav for ``contract``.
        OSError: the file cannot be read.
    """
    if contract.actions != tuple(action.name for action in Action):
        raise CheckpointError(f'SoundSpaces numbers its actions {[*Action.__members__]}, '
                              f'the contract wants {list(contract.actions)}')
    if contract.audio_channels != TWO_EARS or contract.odometry:
        raise CheckpointError('AV-Nav of SoundSpaces hears two log-magnitude planes and knows no '
                              f'odometry, the contract wants {list(contract.audio_channels)} '
                              f'with odometry={contract.odometry}')
    theirs = _read(Path(path))
    try:
        agent = NavigationAgent(contract, system='av_nav', sight=_sight(theirs))
        agent.load_state_dict(_translate(theirs, agent))
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f'{path}: {_one_line(error)}') from error
    return agent.eval()


def _read(path: Path) -> dict[str, torch.Tensor]:
    """The weights of a file, checked to be finite tensors of floats."""
    _check_size(path)
    stand_ins = [(collections.OrderedDict, name) for name in _CONFIGURATIONS]
    try:
        with torch.serialization.safe_globals(stand_ins):
            saved = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, IndexError, TypeError,
            ValueError, AttributeError) as error:
        raise CheckpointError(
            f'{path} must hold only weights and a configuration of habitat: '
            f'{_one_line(error)}; where it was trained, save it again with '
            "torch.save({'state_dict': checkpoint['state_dict']}, FILE)") from error
    weights = saved.get('state_dict') if isinstance(saved, dict) else None
    if not isinstance(weights, dict):
        raise CheckpointError(f"{path} must hold a mapping with weights under 'state_dict', "
                              f'got {_outline(saved)}')
    for name, tensor in weights.items():
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            raise CheckpointError(f'{path}: {name!s:.80} must be a tensor of floats')
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f'{path}: {name!s:.80} must be finite, got NaN or infinity')
    return weights


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = max(size, sum(entry.file_size for entry in archive.infolist()))
    if size > LARGEST_FILE:
        raise CheckpointError(f'{path} must hold at most {LARGEST_FILE >> 20} MiB, '
                              f'got {size >> 20} MiB')


def _outline(saved: object) -> str:
    return f'{sorted(map(str, saved))[:8]}' if isinstance(saved, dict) else type(saved).__name__


def _sight(theirs: Mapping[str, torch.Tensor]) -> str:
    first = theirs.get(f'{_NET}visual_encoder.cnn.{_CONVOLUTIONS[0]}.weight')
    if first is None:
        raise ValueError(f'no {_NET}visual_encoder.cnn.0.weight in it: a blind agent, or none of '
                         'ss_baselines/av_nav')
    for sight, channels in SIGHT_CHANNELS.items():
        if first.ndim == 4 and first.shape[1] == channels:
            return sight
    raise ValueError('the first visual convolution must take 1, 3 or 4 channels, got a weight of '
                     f'{tuple(first.shape)}')


def _translate(theirs: Mapping[str, torch.Tensor],
               agent: NavigationAgent) -> dict[str, torch.Tensor]:
    """Their weights under our names and in our order of features."""
    names = _names()
    if set(theirs) != set(names):
        raise ValueError(f'its weights lack {_some(set(names) - set(theirs))} and have unknown '
                         f'{_some(set(theirs) - set(names))}')
    ours = {name: torch.zeros_like(tensor) for name, tensor in agent.state_dict().items()}
    wrong = [f'{name} {tuple(tensor.shape)} instead of {tuple(ours[names[name]].shape)}'
             for name, tensor in theirs.items() if tensor.shape != ours[names[name]].shape]
    if wrong:
        raise ValueError(f'trained for another contract, or with a point goal: {"; ".join(wrong)}')
    ours.update({names[name]: tensor.float() for name, tensor in theirs.items()})
    contract = agent.contract
    for part, encoder, size in (
            ('visual', agent.visual, (contract.image_height, contract.image_width)),
            ('audio', agent.audio, contract.spectrogram_shape[:2])):
        weight = f'{part}.linear.weight'
        ours[weight] = _channels_last(ours[weight], encoder, size)
    gru = 'memory.gru.weight_ih_l0'
    ours[gru] = ours[gru].roll(FEATURES, dims=1)  # theirs is [sound, sight], ours [sight, sound]
    return ours


def _names() -> dict[str, str]:
    """Names of all weights, theirs to ours."""
    names = {'actor_critic.action_distribution.linear': 'actor',
             'actor_critic.critic.fc': 'critic'}
    for part in ('visual', 'audio'):
        layers = f'{_NET}{part}_encoder.cnn'
        names[f'{layers}.{_LINEAR}'] = f'{part}.linear'
        for place, theirs in enumerate(_CONVOLUTIONS):
            names[f'{layers}.{theirs}'] = f'{part}.convolutions.{place}'
    pairs = {f'{theirs}.{kind}': f'{ours}.{kind}' for theirs, ours in names.items()
             for kind in ('weight', 'bias')}
    return pairs | {f'{_NET}state_encoder.rnn.{name}': f'memory.gru.{name}' for name in _GRU}


def _channels_last(weight: torch.Tensor, encoder: ConvolutionalEncoder,
                   size: tuple[int, int]) -> torch.Tensor:
    """Columns of a linear layer in the order (height, width, channels), not channels first."""
    layers = encoder.convolutions
    height, width = (convolved_size(size[axis], [each.kernel_size[axis] for each in layers],
                                    [each.stride[axis] for each in layers]) for axis in (0, 1))
    maps = weight.unflatten(1, (layers[-1].out_channels, height, width))
    return maps.permute(0, 2, 3, 1).flatten(1)


def _some(names: set[object]) -> str:
    listed = sorted(map(str, names))
    return f'{listed[:3]!s:.300}' + (f' and {len(listed) - 3} more' if len(listed) > 3 else '')


def _one_line(error: Exception) -> str:
    return f'{" ".join(str(error).split()):.400}'
