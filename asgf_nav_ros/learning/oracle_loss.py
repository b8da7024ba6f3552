# SPDX-License-Identifier: Apache-2.0
"""How well choices agree with an oracle that has several right ones."""

from __future__ import annotations

import math

import torch
from torch.nn import functional


def oracle_loss(logits: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean of minus the log of the right choices' summed probability, and the agreement.

    So the student is free among right choices. The agreement is the share of rows whose likeliest
    choice is a right one.

    logits : (..., choices); right : (..., choices) bool, at least one a row.
    """
    log_probability = functional.log_softmax(logits.float(), -1)
    summed = log_probability.masked_fill(~right, -math.inf).logsumexp(-1)
    likeliest = log_probability.argmax(-1, keepdim=True)
    return -summed.mean(), right.gather(-1, likeliest).float().mean()
