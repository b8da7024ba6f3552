# SPDX-License-Identifier: Apache-2.0
"""How far the way ahead is clear, from one depth image."""

from __future__ import annotations

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Corridor:
    """The space that the robot sweeps on its way forward, as the camera sees it.

    Attributes:
        half_width_m: half of the robot's width.
        bottom_m, top_m: heights above the floor between which anything is an obstacle.
        camera_height_m: height of the camera above the floor; it looks level.
        camera_forward_m: the camera ahead of the robot's centre.
        hfov_rad: horizontal field of view; pixels are square.
        least_pixels: so many pixels make an obstacle, fewer are noise.
        least_valid_share: an image with less valid depth sees nothing.
    """

    half_width_m: float = 0.14
    bottom_m: float = 0.1
    top_m: float = 1.4
    camera_height_m: float = 1.25
    camera_forward_m: float = 0.0
    hfov_rad: float = math.pi / 2
    least_pixels: int = 4
    least_valid_share: float = 0.05

    def __post_init__(self) -> None:
        if not (self.half_width_m > 0 and 0 <= self.bottom_m < self.top_m):
            raise ValueError('corridor must have half_width_m > 0 and 0 <= bottom_m < top_m, got '
                             f'{self.half_width_m}, {self.bottom_m}, {self.top_m}')
        if not 0 < self.hfov_rad < math.pi:
            raise ValueError(f'hfov_rad must be in (0, pi), got {self.hfov_rad}')
        if self.least_pixels < 1 or not 0 <= self.least_valid_share <= 1:
            raise ValueError('least_pixels must be positive and least_valid_share in [0, 1], got '
                             f'{self.least_pixels}, {self.least_valid_share}')

    def clear_m(self, depth: np.ndarray) -> float | None:
        """Distance from the robot's centre to the nearest obstacle in the corridor.

        Args:
            depth: (H, W) float32, metres along the optical axis; 0, NaN or infinity is invalid.

        Returns:
            Metres, infinity if nothing stands there; None if the image has too little depth.
        """
        valid = np.isfinite(depth) & (depth > 0)
        if valid.mean() < self.least_valid_share:
            return None
        height, width = depth.shape
        focal = width / 2 / math.tan(self.hfov_rad / 2)
        right = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / focal
        down = (np.arange(height, dtype=np.float32)[:, None] + 0.5 - height / 2) / focal
        ahead = np.where(valid, depth, np.float32(0))
        above = self.camera_height_m - ahead * down
        inside = (valid & (np.abs(ahead * right) <= self.half_width_m)
                  & (above >= self.bottom_m) & (above <= self.top_m))
        return self._nearest(ahead[inside])

    def _nearest(self, ahead: np.ndarray) -> float:
        if ahead.size < self.least_pixels:
            return math.inf
        nearest = np.partition(ahead, self.least_pixels - 1)[self.least_pixels - 1]
        return float(nearest) + self.camera_forward_m
