# SPDX-License-Identifier: Apache-2.0
"""How the learning rate changes over a budget."""

from __future__ import annotations

import math

import torch


def set_learning_rate(optimizer: torch.optim.Optimizer, peak: float, progress: float, *,
                      floor: float = 0.0, warm_up: float = 0.0) -> None:
    """Set a rate that rises to ``peak`` and falls along a cosine to ``floor`` times that.

    Args:
        optimizer: all of its groups get the same rate.
        peak: the highest rate.
        progress: share of the budget that is spent; 1 and more is the end.
        floor: share of the peak that is left in the end.
        warm_up: share of the budget over which the rate rises from 0.
    """
    if progress < warm_up:
        factor = progress / warm_up
    else:
        fallen = min((progress - warm_up) / (1 - warm_up), 1.0)
        factor = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * fallen))
    for group in optimizer.param_groups:
        group['lr'] = peak * factor
