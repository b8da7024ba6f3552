# SPDX-License-Identifier: Apache-2.0
"""How far a believed sound direction is from the true one."""

from __future__ import annotations

import torch
from torch.nn import functional


def direction_loss(believed: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the unit vector plus half the smooth L1 of the path; 0 for no rows.

    believed, direction : (..., 3), cosine and sine of the azimuth, log1p of the path in metres.
    """
    if not len(direction):
        return believed.sum()
    return (functional.mse_loss(believed[..., :2], direction[..., :2])
            + 0.5 * functional.smooth_l1_loss(believed[..., 2], direction[..., 2]))
