# SPDX-License-Identifier: Apache-2.0
"""Where a sound comes from, sorted into bins: azimuth and path length as two distributions."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

AZIMUTH_BINS = 24  # 15 degrees each, the first around straight ahead
DISTANCE_BINS = 12  # even in log1p of metres
FARTHEST_M = 40.0
DESCRIPTOR_SIZE = AZIMUTH_BINS + DISTANCE_BINS


class SoundDescriptor(nn.Module):
    """Two linear classifiers on the audio state."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.classify = nn.Linear(features, DESCRIPTOR_SIZE)
        nn.init.orthogonal_(self.classify.weight)
        nn.init.zeros_(self.classify.bias)

    def forward(self, audio_state: torch.Tensor) -> torch.Tensor:
        """(B, features) -> (B, DESCRIPTOR_SIZE) float32 logits, azimuth first."""
        with torch.autocast(audio_state.device.type, enabled=False):
            return self.classify(audio_state.float())

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Each of the two distributions sums to 1, (B, DESCRIPTOR_SIZE)."""
        azimuth, distance = logits.split((AZIMUTH_BINS, DISTANCE_BINS), -1)
        return torch.cat([azimuth.softmax(-1), distance.softmax(-1)], -1)


def descriptor_loss(logits: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of both classifiers, nats.

    Args:
        logits: (..., DESCRIPTOR_SIZE).
        direction: (..., 3), cosine and sine of the azimuth, log1p of the path in metres.
    """
    azimuth, distance = logits.flatten(0, -2).split((AZIMUTH_BINS, DISTANCE_BINS), -1)
    wanted_azimuth, wanted_distance = (bins.flatten() for bins in descriptor_bins(direction))
    return (functional.cross_entropy(azimuth, wanted_azimuth)
            + functional.cross_entropy(distance, wanted_distance))


def undecided_loss(logits: torch.Tensor) -> torch.Tensor:
    """How far classifiers (..., DESCRIPTOR_SIZE) are from taking all bins for equal, nats.

    For windows in which the goal is silent: whatever is heard there is not to be followed.
    """
    halves = logits.flatten(0, -2).split((AZIMUTH_BINS, DISTANCE_BINS), -1)
    return sum(unevenness(half) for half in halves)


def unevenness(logits: torch.Tensor) -> torch.Tensor:
    """How far a classifier (B, bins) is from taking all bins for equal, nats."""
    return -logits.log_softmax(-1).mean(-1).mean() - math.log(logits.shape[-1])


def descriptor_bins(direction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bins (...) int64 of azimuth and path length for a direction (..., 3)."""
    turn = torch.atan2(direction[..., 1], direction[..., 0]) / (2 * math.pi)
    azimuth = torch.round(turn * AZIMUTH_BINS).long() % AZIMUTH_BINS
    share = direction[..., 2] / math.log1p(FARTHEST_M)
    distance = (share * DISTANCE_BINS).long().clamp(0, DISTANCE_BINS - 1)
    return azimuth, distance
