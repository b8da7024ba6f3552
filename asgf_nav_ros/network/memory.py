# SPDX-License-Identifier: Apache-2.0
"""The agent's memory: one GRU layer that carries the state from decision to decision."""

from __future__ import annotations

from typing import Callable

import torch
from torch import nn
from torch.nn import functional


def run_gru(gru: nn.GRU, inputs: torch.Tensor, hidden: torch.Tensor | None = None
            ) -> tuple[torch.Tensor, torch.Tensor]:
    """Call ``gru``, on a GPU in float32.

    Under autocast, cuDNN's GRU computes in float16, whatever type autocast was told.
    """
    if not inputs.is_cuda:
        return gru(inputs, hidden)
    with torch.autocast('cuda', enabled=False):
        return gru(inputs.float(), None if hidden is None else hidden.contiguous())


class EpisodeMemory(nn.Module):
    """GRU over decisions, one step at a time or a whole stretch with episode starts in it.

    The hidden state stays in float32 under autocast: it lives for hundreds of steps.
    """

    def __init__(self, width: int, *, hidden_size: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, hidden_size)
        for name, parameter in self.gru.named_parameters():
            (nn.init.orthogonal_ if 'weight' in name else nn.init.zeros_)(parameter)

    def forward(self, fused: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """One step: fused (N, width), hidden (N, hidden_size) -> the next hidden, float32."""
        return run_gru(self.gru, fused.unsqueeze(0), hidden.unsqueeze(0))[1].squeeze(0)

    def unroll(self, fused: torch.Tensor, hidden: torch.Tensor,
               starts: torch.Tensor) -> torch.Tensor:
        """Every hidden state of a stretch.

        The input products of all steps are one matrix product, and only the hidden ones are
        taken step by step, so that a start at any place costs nothing.

        Args:
            fused: (T, N, width).
            hidden: (N, hidden_size), the state before the first step.
            starts: (T, N) bool, true where an episode begins: the state before it is zero.

        Returns:
            (T, N, hidden_size) float32; the last row is the state to go on with.
        """
        gru = self.gru
        inputs = functional.linear(fused, gru.weight_ih_l0, gru.bias_ih_l0)

        def update(step_inputs: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
            products = functional.linear(before, gru.weight_hh_l0, gru.bias_hh_l0)
            return _gated_update(step_inputs, products.float(), before)

        return carried_on(update, inputs, hidden, starts)


def carried_on(update: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
               inputs: torch.Tensor, state: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """Every state (T, N, size) along inputs (T, N, ...), by ``update(input, state before)``.

    state : (N, size), before the first step; starts : (T, N) bool, where episodes begin: the
    state before them is zero.
    """
    kept = (~starts).unsqueeze(-1).float()
    states = []
    for step_inputs, keep in zip(inputs.unbind(0), kept.unbind(0)):
        state = update(step_inputs, state * keep)
        states.append(state)
    return torch.stack(states)


def _gated_update(inputs: torch.Tensor, products: torch.Tensor,
                  hidden: torch.Tensor) -> torch.Tensor:
    """torch's GRU cell (reset gate after the product); inputs and products (N, 3 * hidden)."""
    input_reset, input_update, input_new = inputs.chunk(3, -1)
    hidden_reset, hidden_update, hidden_new = products.chunk(3, -1)
    reset = torch.sigmoid(input_reset + hidden_reset)
    update = torch.sigmoid(input_update + hidden_update)
    new = torch.tanh(input_new + reset * hidden_new)
    return new + update * (hidden - new)
