# SPDX-License-Identifier: Apache-2.0
"""Mixed precision: bfloat16 where the hardware has it, on CPU and CUDA alike."""

from __future__ import annotations

import contextlib

import torch


def mixed_precision(device: torch.device | str, *,
                    enabled: bool) -> contextlib.AbstractContextManager:
    """Context in which an agent computes in bfloat16, or as it is."""
    if not enabled:
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
