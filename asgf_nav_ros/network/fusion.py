# SPDX-License-Identifier: Apache-2.0
"""ASGF, the fusion guided by the audio spatial state (equations 4 to 10), and its ablation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from asgf_nav_ros.network.encoders import FEATURES
from asgf_nav_ros.network.encoders import kaiming_

_HEADS = 8
_GATE_HIDDEN = 128


class Fusion(NamedTuple):
    """What a fusion hands on.

    fused : (B, width), h_t.
    gate : (B, 1) in (0, 1), alpha_t; 1 where the fusion has none.
    attention : (B, 2), weights of the visual and the audio token, mean over heads, sum 1; 0.5
        where it has none.
    """

    fused: torch.Tensor
    gate: torch.Tensor
    attention: torch.Tensor


class GuidedFusion(nn.Module):
    """The state asks (query), sight and sound answer (two tokens), a scalar gate decides.

    Open in the paper and chosen here: eight heads, side by side in c_t without a further
    projection; scores divided by D; projections without bias; a gate MLP of one hidden layer of
    128 with ReLU. The residual of equation 8 forces the width D to be that of the state.

    Heads and scale matter with only two tokens. All rows ask much the same at first, so one
    step of Adam shifts every product of a score the same way: with one head and the usual
    sqrt(D), the softmax is all sight or all sound after it, and the other modality gets no
    gradient any more.
    """

    def __init__(self, *, features: int = FEATURES) -> None:
        super().__init__()
        if features % _HEADS:
            raise ValueError(f'features must be a multiple of {_HEADS} heads, got {features}')
        self.normalize_visual = nn.LayerNorm(features)
        self.normalize_audio = nn.LayerNorm(features)
        self.normalize_query = nn.LayerNorm(features)
        self.normalize_gate = nn.LayerNorm(features)
        self.normalize_out = nn.LayerNorm(features)
        self.project_visual = nn.Linear(features, features, bias=False)  # W_d
        self.project_audio = nn.Linear(features, features, bias=False)  # W_a
        self.project_query = nn.Linear(features, features, bias=False)  # W_q
        self.project_key = nn.Linear(features, features, bias=False)  # W_K
        self.project_value = nn.Linear(features, features, bias=False)  # W_V
        self.gate_hidden = nn.Linear(features, _GATE_HIDDEN)
        self.gate_out = nn.Linear(_GATE_HIDDEN, 1)
        self.width = features
        for name, layer in self.named_children():
            if name.startswith('project_'):
                nn.init.xavier_uniform_(layer.weight)
        kaiming_(self.gate_hidden)
        nn.init.zeros_(self.gate_out.bias)  # the weight keeps torch's small uniform draw

    def forward(self, visual: torch.Tensor, audio: torch.Tensor, state: torch.Tensor) -> Fusion:
        """Fuse d_t, a_t and e_t, each (B, features); see ``Fusion``."""
        state = state.float()
        gate = self.gate(state)
        context, attention = self.attend(visual.float(), audio.float(), state)
        guided = context + state  # equation 8
        fused = self.normalize_out(gate * guided + (1 - gate) * state)  # equation 10
        return Fusion(fused, gate, attention)

    def gate(self, state: torch.Tensor) -> torch.Tensor:
        """alpha_t, equation 9: (B, features) -> (B, 1) float32."""
        with torch.autocast(state.device.type, enabled=False):
            hidden = torch.relu(self.gate_hidden(self.normalize_gate(state)))
            return torch.sigmoid(self.gate_out(hidden))

    def attend(self, visual: torch.Tensor, audio: torch.Tensor,
               state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """c_t and its mean weights, equations 4 to 7: (B, features) and (B, 2), float32."""
        memory = torch.stack((self.project_visual(self.normalize_visual(visual)),
                              self.project_audio(self.normalize_audio(audio))), 1)  # (B, 2, D)
        key, value = self.project_key(memory).float(), self.project_value(memory).float()
        query = self.project_query(self.normalize_query(state)).float().unsqueeze(1)
        scores = (query * key).unflatten(-1, (_HEADS, -1)).sum(-1) / self.width  # (B, 2, heads)
        weights = torch.softmax(scores, dim=1).unsqueeze(-1)
        context = (weights * value.unflatten(-1, (_HEADS, -1))).sum(1).flatten(1)
        return context, weights.mean(dim=(2, 3))


class ConcatenatedFusion(nn.Module):
    """The baseline's fusion: features side by side, nothing weighed against anything."""

    def __init__(self, *, with_state: bool, features: int = FEATURES) -> None:
        """Args: with_state joins [e_t, d_t, a_t] ("w/o ASGF"), else [d_t, a_t] (AV-Nav)."""
        super().__init__()
        self.with_state = with_state
        self.width = (3 if with_state else 2) * features

    def forward(self, visual: torch.Tensor, audio: torch.Tensor, state: torch.Tensor) -> Fusion:
        """Join features, each (B, features); gate and attention are the neutral constants."""
        parts = (state, visual, audio) if self.with_state else (visual, audio)
        fused = torch.cat([part.float() for part in parts], -1)
        return Fusion(fused, torch.ones_like(fused[:, :1]), torch.full_like(fused[:, :2], 0.5))


class SelfAttentionFusion(nn.Module):
    """Sight and sound attend to each other and stay side by side: AV-Nav after AGSA's idea.

    AGSA has no public algorithmic text, hence "AGSA-style": one layer of eight heads over the
    two tokens, with a residual and layer normalisation, handed on as [d', a'].
    """

    def __init__(self, *, features: int = FEATURES) -> None:
        super().__init__()
        self.normalize = nn.LayerNorm(features)
        self.project = nn.Linear(features, 3 * features, bias=False)
        self.project_out = nn.Linear(features, features, bias=False)
        self.width = 2 * features
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project_out.weight)  # starts as AV-Nav

    def forward(self, visual: torch.Tensor, audio: torch.Tensor, state: torch.Tensor) -> Fusion:
        """Fuse d_t and a_t, each (B, features); ``state`` is not used."""
        tokens = torch.stack((visual.float(), audio.float()), 1)  # (B, 2, D)
        products = self.project(self.normalize(tokens)).float().unflatten(-1, (3, _HEADS, -1))
        query, key, value = products.unbind(2)  # (B, 2, heads, D / heads)
        scores = torch.einsum('bqhd,bkhd->bhqk', query, key) / query.shape[-1] ** 0.5
        weights = torch.softmax(scores, -1)
        context = torch.einsum('bhqk,bkhd->bqhd', weights, value).flatten(2)
        fused = (tokens + self.project_out(context).float()).flatten(1)
        return Fusion(fused, torch.ones_like(fused[:, :1]), weights.mean((1, 2)))
