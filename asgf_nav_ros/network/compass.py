# SPDX-License-Identifier: Apache-2.0
"""Directions in the frame where the episode began, so that a memory need not turn with the robot.

The motion features (``motion.reckoning``) tell the robot's pose in that frame.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from asgf_nav_ros.contract import MOTION_POSITION
from asgf_nav_ros.contract import MOTION_YAW
from asgf_nav_ros.network.descriptor import AZIMUTH_BINS
from asgf_nav_ros.network.encoders import kaiming_

ORDERS = 6
COMPASS_SIZE = 2 * ORDERS
_STEERING_WIDTH = 128


def steady_direction(azimuth: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """Circular harmonics of a distribution over azimuths, as seen at the episode's start.

    A sound that stays where it is keeps them, however the robot turns on the spot.

    Args:
        azimuth: (..., AZIMUTH_BINS) probabilities, bin k around k * 2 pi / AZIMUTH_BINS, left
            positive, seen from the robot.
        motion: (..., MOTION_FEATURES).

    Returns:
        (..., COMPASS_SIZE) float32: real parts of orders 1 to ``ORDERS``, then imaginary parts.
    """
    angle = 2 * math.pi / AZIMUTH_BINS * torch.outer(
        torch.arange(AZIMUTH_BINS, device=azimuth.device),
        torch.arange(1, ORDERS + 1, device=azimuth.device))
    real, imaginary = azimuth @ torch.cos(angle), azimuth @ torch.sin(angle)
    cosines, sines = _multiples(motion[..., MOTION_YAW])
    return torch.cat([real * cosines - imaginary * sines,
                      real * sines + imaginary * cosines], -1)


def seen_from_robot(place: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """Where a place is, ahead and left of the robot; units of 10 m.

    Args:
        place: (..., 2), in the frame of the episode's start.
        motion: (..., MOTION_FEATURES).
    """
    east, north = (place - motion[..., MOTION_POSITION]).unbind(-1)
    cosine, sine = motion[..., MOTION_YAW].unbind(-1)
    return torch.stack([cosine * east + sine * north, cosine * north - sine * east], -1)


def _multiples(yaw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of 1 to ``ORDERS`` times a yaw (..., 2), each (..., ORDERS)."""
    cosine, sine = yaw.unbind(-1)
    cosines, sines = [cosine], [sine]
    for _ in range(ORDERS - 1):
        cosines, sines = ([*cosines, cosines[-1] * cosine - sines[-1] * sine],
                          [*sines, cosines[-1] * sine + sines[-1] * cosine])
    return torch.stack(cosines, -1), torch.stack(sines, -1)


class Steering(nn.Module):
    """What the memory and the goal as seen from the robot together say of each action."""

    def __init__(self, hidden_size: int, actions: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(hidden_size + 3, _STEERING_WIDTH)
        self.actions = nn.Linear(_STEERING_WIDTH, actions)
        kaiming_(self.hidden)
        nn.init.orthogonal_(self.actions.weight, gain=0.01)  # no action is preferred at first
        nn.init.zeros_(self.actions.bias)

    def forward(self, hidden: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """(..., hidden_size) and (..., 3), see ``SequenceOutput.goal`` -> (..., actions)."""
        return self.actions(torch.relu(self.hidden(torch.cat([hidden, goal], -1))))
