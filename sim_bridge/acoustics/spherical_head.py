# SPDX-License-Identifier: Apache-2.0
"""Ears without a file: a rigid spherical head, after Brown and Duda (1998).

The fallback where no measured head is installed, and the "other ears" of robustness tests.
"""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.acoustics.bands import SPEED_OF_SOUND_MPS
from sim_bridge.acoustics.head_grid import AZIMUTHS
from sim_bridge.acoustics.head_grid import HeadGrid
from sim_bridge.acoustics.hrtf import Hrtf

RADIUS_M = 0.0875
EAR_AZIMUTH_RAD = math.radians(100.0)
_DARKEST_RAD = math.radians(150.0)  # the angle to the ear at which the shadow is deepest
_LEAST_GAIN = 0.1  # of high frequencies there
_FREQUENCIES = 257


def spherical_head(*, sample_rate_hz: int = 16000, radius_m: float = RADIUS_M,
                   ear_azimuth_rad: float = EAR_AZIMUTH_RAD) -> Hrtf:
    """Model a head by a one-pole, one-zero shadow and Woodworth's delay for each ear.

    Raises:
        ValueError: ``radius_m`` is not positive.
    """
    if not radius_m > 0:
        raise ValueError(f'radius_m must be positive, got {radius_m}')
    elevations_rad = np.radians(np.arange(-90.0, 91.0, 15.0))
    azimuth_rad = np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
    ear_rad = np.array([ear_azimuth_rad, -ear_azimuth_rad])
    cos_angle = np.clip(np.cos(elevations_rad)[:, None, None]
                        * np.cos(azimuth_rad[:, None] - ear_rad), -1.0, 1.0)
    angle_rad = np.arccos(cos_angle)  # (e, 72, 2) between the sound and the ear
    across_s = radius_m / SPEED_OF_SOUND_MPS
    delay_s = across_s * np.where(angle_rad < np.pi / 2, -cos_angle, angle_rad - np.pi / 2)
    high_gain = (1 + _LEAST_GAIN / 2
                 + (1 - _LEAST_GAIN / 2) * np.cos(angle_rad / _DARKEST_RAD * np.pi))
    ratio = np.pi * np.linspace(0, sample_rate_hz / 2, _FREQUENCIES) * across_s
    magnitude = np.abs((1 + 1j * high_gain[..., None] * ratio) / (1 + 1j * ratio))
    return Hrtf(HeadGrid(magnitude, delay_s, elevations_rad), sample_rate_hz=sample_rate_hz)
