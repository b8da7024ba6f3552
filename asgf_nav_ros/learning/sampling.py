# SPDX-License-Identifier: Apache-2.0
"""Draw choices from a network's logits."""

from __future__ import annotations

import numpy as np
import torch


def draw_choices(logits: torch.Tensor, rng: np.random.Generator) -> np.ndarray:
    """(N,) int64, one choice a row of (N, choices) logits, by their softmax."""
    probability = torch.softmax(logits.float(), -1).cpu().numpy()
    draws = rng.random((len(probability), 1)) * 0.999999  # float32 sums may end below 1
    return (probability.cumsum(1) < draws).sum(1).clip(0, probability.shape[1] - 1)
