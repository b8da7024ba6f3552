# SPDX-License-Identifier: Apache-2.0
"""The six octave bands: air absorption, and how band gains spread over frequency."""

from __future__ import annotations

import numpy as np

from sim_bridge.house.materials import BAND_CENTERS_HZ

SPEED_OF_SOUND_MPS = 343.0
BANDS = len(BAND_CENTERS_HZ)
# ISO 9613-2, table 2, at 20 degC and 70 % humidity.
AIR_ABSORPTION_DB_PER_M = np.array([0.3, 1.1, 2.8, 5.0, 9.0, 22.9]) / 1000.0


def air_gain(length_m: np.ndarray) -> np.ndarray:
    """Amplitude that air leaves after a path: (...) metres -> (..., 6)."""
    return 10.0 ** (-np.asarray(length_m)[..., None] * AIR_ABSORPTION_DB_PER_M / 20.0)


def interpolation_weights(frequencies_hz: np.ndarray) -> np.ndarray:
    """Weights that interpolate six band values linearly over log frequency.

    Returns:
        (6, f) float64; each column sums to 1. Outside the outermost centres a value holds.
    """
    octaves = np.log2(np.maximum(frequencies_hz, 1e-3) / BAND_CENTERS_HZ[0])
    position = np.clip(octaves, 0.0, BANDS - 1.0)
    return np.maximum(0.0, 1.0 - np.abs(position[None] - np.arange(BANDS)[:, None]))
