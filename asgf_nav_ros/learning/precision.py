# SPDX-License-Identifier: Apache-2.0
"""Mixed precision: bfloat16 where the hardware has it, on CPU and CUDA alike."""

from __future__ import annotations

import contextlib

import torch


def mixed_precision(device: torch.device | str, *,
                    enabled: bool) -> contextlib.AbstractContextManager:
    """Context in which an agent computes in bfloat16 where that is fast, or as it is."""
    kind = torch.device(device).type
    if not enabled or (kind == 'cpu' and not cpu_has_bfloat16()):
        return contextlib.nullcontext()
    return torch.autocast(kind, dtype=torch.bfloat16)


def cpu_has_bfloat16() -> bool:
    """Whether convolutions in bfloat16 pay; processors without AVX-512 take 6 times as long."""
    return torch.backends.cpu.get_cpu_capability() == 'AVX512'
