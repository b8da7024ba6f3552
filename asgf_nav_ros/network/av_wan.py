# SPDX-License-Identifier: Apache-2.0
"""AV-WaN's network: sound, geometric and acoustic map -> GRU -> waypoints that are open."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.encoders import AudioEncoder
from asgf_nav_ros.network.encoders import ConvolutionalEncoder
from asgf_nav_ros.network.memory import EpisodeMemory

GEOMETRIC_SHAPE = (100, 100, 2)
ACOUSTIC_SHAPE = (20, 20)
WAYPOINTS = 81
OUTPUTS = ('probabilities', 'hidden_out')
_AUDIO_FEATURES, _MAP_FEATURES = 256, 64
_CLOSED = -1e9  # logit of a waypoint that is known to be occupied
_HEAD_GAIN = 0.01


class WaypointViews(NamedTuple):
    """What a decision is based on, float32, (B, ...) or (T, N, ...).

    spectrogram : (B, bins, frames, channels).
    geometric : (B, 100, 100, 2), obstacle and seen around the robot, axis 1 ahead, 2 to the left.
    acoustic : (B, 20, 20), log1p of the intensity heard at visited nodes.
    open : (B, 81), over 0.5 where a waypoint may be chosen; the middle one is STOP.
    """

    spectrogram: torch.Tensor
    geometric: torch.Tensor
    acoustic: torch.Tensor
    open: torch.Tensor


class WaypointSequence(NamedTuple):
    """logits : (T, N, 81); sound_direction : (T, N, 3), as in ``AgentOutput``."""

    logits: torch.Tensor
    sound_direction: torch.Tensor


class AvWanNetwork(nn.Module):
    """Chooses one of 9 x 9 waypoints; an auxiliary head learns where sound arrives from.

    Raises:
        ValueError: the contract is of another system.
    """

    def __init__(self, contract: PolicyContract) -> None:
        super().__init__()
        if contract.system != 'av_wan':
            raise ValueError(f"system must be 'av_wan', got {contract.system!r}")
        self.contract = contract
        self.audio = AudioEncoder(contract.spectrogram_shape, features=_AUDIO_FEATURES)
        self.geometric = ConvolutionalEncoder(GEOMETRIC_SHAPE, kernels=(8, 4, 3),
                                              strides=(4, 2, 2), features=_MAP_FEATURES)
        self.acoustic = ConvolutionalEncoder((*ACOUSTIC_SHAPE, 1), kernels=(5, 3, 3),
                                             strides=(2, 1, 1), features=_MAP_FEATURES)
        self.memory = EpisodeMemory(_AUDIO_FEATURES + 2 * _MAP_FEATURES,
                                    hidden_size=contract.hidden_size)
        self.actor = nn.Linear(contract.hidden_size, WAYPOINTS)
        nn.init.orthogonal_(self.actor.weight, gain=_HEAD_GAIN)
        nn.init.zeros_(self.actor.bias)
        self.direction_head = nn.Linear(_AUDIO_FEATURES, 3)
        nn.init.orthogonal_(self.direction_head.weight, gain=_HEAD_GAIN)
        nn.init.zeros_(self.direction_head.bias)

    def initial_hidden(self, environments: int) -> torch.Tensor:
        """(environments, hidden_size) float32 of zeros, the memory at the start of episodes."""
        return self.actor.weight.new_zeros(environments, self.contract.hidden_size)

    def forward(self, views: WaypointViews,
                hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Decide once: views (N, ...), hidden (N, hidden_size) -> logits (N, 81), next hidden."""
        hidden = self.memory(self._perceive(views)[0], hidden)
        return self._choose(hidden, views.open), hidden

    def sequence(self, views: WaypointViews, hidden: torch.Tensor,
                 starts: torch.Tensor) -> WaypointSequence:
        """Decide along T decisions of N agents, for learning.

        Args:
            views: (T, N, ...).
            hidden: (N, hidden_size) float32, before the first decision.
            starts: (T, N) bool, true where an episode begins.
        """
        fused, audio = self._perceive(WaypointViews(*(each.flatten(0, 1) for each in views)))
        states = self.memory.unroll(fused.unflatten(0, starts.shape), hidden, starts)
        return WaypointSequence(
            self._choose(states, views.open),
            self.direction_head(audio).float().unflatten(0, starts.shape))

    def _perceive(self, views: WaypointViews) -> tuple[torch.Tensor, torch.Tensor]:
        audio = self.audio(views.spectrogram)
        geometric = self.geometric.encode(views.geometric.permute(0, 3, 1, 2))
        acoustic = self.acoustic.encode(views.acoustic.unsqueeze(1))
        return torch.cat([audio, geometric, acoustic], 1), audio

    def _choose(self, hidden: torch.Tensor, is_open: torch.Tensor) -> torch.Tensor:
        return self.actor(hidden).float().masked_fill(is_open < 0.5, _CLOSED)


class DeployedAvWan(nn.Module):
    """``AvWanNetwork`` with plain tensors in and the outputs of the file, ``OUTPUTS``."""

    def __init__(self, network: AvWanNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, spectrogram: torch.Tensor, geometric: torch.Tensor, acoustic: torch.Tensor,
                is_open: torch.Tensor, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return probabilities (N, 81) and the memory (N, hidden_size) to go on with."""
        views = WaypointViews(spectrogram, geometric, acoustic, is_open)
        logits, hidden = self.network(views, hidden)
        return torch.softmax(logits, -1), hidden

    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the file's inputs, the batch left out."""
        contract = self.network.contract
        return {'spectrogram': contract.spectrogram_shape, 'geometric': GEOMETRIC_SHAPE,
                'acoustic': ACOUSTIC_SHAPE, 'open': (WAYPOINTS,),
                'hidden': (contract.hidden_size,)}
