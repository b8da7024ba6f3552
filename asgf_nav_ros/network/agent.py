# SPDX-License-Identifier: Apache-2.0
"""The recurrent actor-critic: ASGF-Nav, its two ablations and the AV-Nav baseline."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import torch
from torch import nn

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.encoders import AudioEncoder
from asgf_nav_ros.network.encoders import FEATURES
from asgf_nav_ros.network.encoders import VisualEncoder
from asgf_nav_ros.network.fusion import ConcatenatedFusion
from asgf_nav_ros.network.fusion import Fusion
from asgf_nav_ros.network.fusion import GuidedFusion
from asgf_nav_ros.network.memory import EpisodeMemory
from asgf_nav_ros.network.spatial_state import embedding_frames
from asgf_nav_ros.network.spatial_state import SpatialStateEncoder

SYSTEMS = ('asgf', 'asgf_without_ase', 'asgf_without_asgf', 'av_nav')
_HEARS_FRAMES = ('asgf', 'asgf_without_asgf')  # systems with the ASE
_GUIDED = ('asgf', 'asgf_without_ase')  # systems with the ASGF
_ACTOR_GAIN = 0.01


class AgentOutput(NamedTuple):
    """One decision a row, all float32.

    logits : (N, actions), in the order of ``contract.actions``.
    value : (N,).
    hidden : (N, hidden_size), to be given back at the next decision.
    gate : (N, 1), alpha_t; constant 1 for systems without the ASGF.
    attention : (N, 2), on sight and on sound; constant 0.5 for systems without the ASGF.
    frame_weights : (N, frames'), w_t, sum 1; constant 1 / frames' for systems without the ASE.
    audio_state : (N, 512), e_t, or a_t for systems without the ASE.
    sound_direction : (N, 3): cosine and sine of the azimuth at which the sound arrives (left
        positive) and log1p of the path length in metres, as the auxiliary head believes.
    """

    logits: torch.Tensor
    value: torch.Tensor
    hidden: torch.Tensor
    gate: torch.Tensor
    attention: torch.Tensor
    frame_weights: torch.Tensor
    audio_state: torch.Tensor
    sound_direction: torch.Tensor


class SequenceOutput(NamedTuple):
    """A stretch of T decisions in N environments, all float32.

    logits : (T, N, actions).
    values : (T, N).
    audio_state : (T, N, 512).
    sound_direction : (T, N, 3), as in ``AgentOutput``.
    hidden : (N, hidden_size), after the last decision.
    """

    logits: torch.Tensor
    values: torch.Tensor
    audio_state: torch.Tensor
    sound_direction: torch.Tensor
    hidden: torch.Tensor


class _Percept(NamedTuple):
    fusion: Fusion
    frame_weights: torch.Tensor  # (B, frames')
    audio_state: torch.Tensor  # (B, 512)


class NavigationAgent(nn.Module):
    """Sees, hears, fuses, remembers, decides.

    ============================ ============ =================== ========================
    system                       query, gate  fused               paper
    ============================ ============ =================== ========================
    ``asgf``                     e_t          ASGF(d, a, e)       ASGF-Nav
    ``asgf_without_ase``         learned      ASGF(d, a, learned) Table II, "w/o ASE"
    ``asgf_without_asgf``                     [e, d, a]           Table II, "w/o ASGF"
    ``av_nav``                                [d, a]              SoundSpaces
    ============================ ============ =================== ========================

    Wrap calls in ``torch.autocast`` for bfloat16: intensities, softmax, gate, attention and
    the hidden state stay in float32, and so do all outputs.
    """

    def __init__(self, contract: PolicyContract, *, system: str | None = None,
                 sight: str = 'rgbd') -> None:
        """Build an agent with fresh weights from torch's global generator.

        Args:
            contract: fixes the shapes of all inputs, the actions and the hidden size.
            system: one of ``SYSTEMS``; the contract's own by default. ``self.contract`` says
                what was built.
            sight: 'rgbd', or 'rgb' or 'depth' alone.

        Raises:
            ValueError: an unknown system or sight.
        """
        super().__init__()
        system = contract.system if system is None else system
        if system not in SYSTEMS:
            raise ValueError(f'system must be one of {list(SYSTEMS)}, got {system!r}')
        self.contract = dataclasses.replace(contract, system=system)
        self.system = system
        self.sight = sight
        self.visual = VisualEncoder((contract.image_height, contract.image_width),
                                    depth_max_m=contract.depth_max_m, sight=sight)
        self.audio = AudioEncoder(contract.spectrogram_shape)
        if system in _HEARS_FRAMES:
            self.spatial_state = SpatialStateEncoder(
                contract.spectrogram_shape, input_gain=contract.input_gain)
        else:
            frames = embedding_frames(contract.spectrogram_shape[1])
            self.register_buffer('even_weights', torch.full((frames,), 1 / frames),
                                 persistent=False)
        if system == 'asgf_without_ase':
            self.query = nn.Parameter(torch.randn(FEATURES))
        self.fusion = (GuidedFusion() if system in _GUIDED else
                       ConcatenatedFusion(with_state=system in _HEARS_FRAMES))
        self.memory = EpisodeMemory(self.fusion.width, hidden_size=contract.hidden_size)
        self.actor = _head(contract.hidden_size, len(contract.actions), gain=_ACTOR_GAIN)
        self.critic = _head(contract.hidden_size, 1, gain=1.0)
        self.direction_head = _head(FEATURES, 3, gain=1.0)

    @property
    def policy_parameters(self) -> int:
        """How many numbers decide: all parameters but those of the auxiliary direction head."""
        auxiliary = sum(parameter.numel() for parameter in self.direction_head.parameters())
        return sum(parameter.numel() for parameter in self.parameters()) - auxiliary

    def initial_hidden(self, environments: int) -> torch.Tensor:
        """(environments, hidden_size) float32 of zeros, the memory at the start of episodes."""
        return self.actor.weight.new_zeros(environments, self.contract.hidden_size)

    def forward(self, rgb: torch.Tensor, depth: torch.Tensor, spectrogram: torch.Tensor,
                hidden: torch.Tensor) -> AgentOutput:
        """Decide once in each of N environments.

        Args:
            rgb: (N, H, W, 3) uint8.
            depth: (N, H, W) float32, metres.
            spectrogram: (N, bins, frames, channels) float32.
            hidden: (N, hidden_size) float32, zeros at the start of an episode.
        """
        percept = self._perceive(rgb, depth, spectrogram)
        hidden = self.memory(percept.fusion.fused, hidden)
        logits, value = self._decide(hidden)
        return AgentOutput(logits, value, hidden, percept.fusion.gate, percept.fusion.attention,
                           percept.frame_weights, percept.audio_state,
                           self._locate(percept.audio_state))

    def sequence(self, rgb: torch.Tensor, depth: torch.Tensor, spectrogram: torch.Tensor,
                 hidden: torch.Tensor, starts: torch.Tensor) -> SequenceOutput:
        """Decide along T steps of N environments, for learning.

        Args:
            rgb: (T, N, H, W, 3) uint8.
            depth: (T, N, H, W) float32, metres.
            spectrogram: (T, N, bins, frames, channels) float32.
            hidden: (N, hidden_size) float32, before the first step.
            starts: (T, N) bool, true where an episode begins.
        """
        steps = starts.shape  # (T, N)
        percept = self._perceive(rgb.flatten(0, 1), depth.flatten(0, 1),
                                 spectrogram.flatten(0, 1))
        states = self.memory.unroll(percept.fusion.fused.unflatten(0, steps), hidden, starts)
        logits, values = self._decide(states)
        return SequenceOutput(logits, values, percept.audio_state.unflatten(0, steps),
                              self._locate(percept.audio_state).unflatten(0, steps), states[-1])

    def _perceive(self, rgb: torch.Tensor, depth: torch.Tensor,
                  spectrogram: torch.Tensor) -> _Percept:
        visual, audio = self.visual(rgb, depth), self.audio(spectrogram)
        if self.system in _HEARS_FRAMES:
            state, weights = self.spatial_state(spectrogram)
        else:
            state = audio.float()
            weights = torch.ones_like(state[:, :1]) * self.even_weights
        guide = self.query.expand_as(state) if self.system == 'asgf_without_ase' else state
        return _Percept(self.fusion(visual, audio, guide), weights, state)

    def _decide(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(hidden.device.type, enabled=False):
            return self.actor(hidden), self.critic(hidden).squeeze(-1)

    def _locate(self, audio_state: torch.Tensor) -> torch.Tensor:
        with torch.autocast(audio_state.device.type, enabled=False):
            return self.direction_head(audio_state)


def _head(width: int, outputs: int, *, gain: float) -> nn.Linear:
    head = nn.Linear(width, outputs)
    nn.init.orthogonal_(head.weight, gain=gain)
    nn.init.zeros_(head.bias)
    return head
