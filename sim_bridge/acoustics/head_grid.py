# SPDX-License-Identifier: Apache-2.0
"""A head measured or modelled on a regular grid of directions, as magnitudes and delays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft

AZIMUTHS = 72  # 5 degrees apart
_BASS_HZ = 200.0


class HeadGrid(NamedTuple):
    """Directions of a head.

    magnitude : (e, 72, 2, f) float64 at f equidistant frequencies from 0 to half of the sample
        rate; azimuth k * 5 degrees, to the left; ears left, right.
    delay_s : (e, 72, 2) float64, arrival at the ear against that at the middle of the head.
    elevations_rad : (e,) float64, rising.
    """

    magnitude: np.ndarray
    delay_s: np.ndarray
    elevations_rad: np.ndarray


def minimum_phase(magnitude: np.ndarray) -> np.ndarray:
    """Minimum-phase impulse responses of magnitudes (..., f) by folding the real cepstrum.

    Returns:
        (..., 2 * (f - 1)) float64.
    """
    size = 2 * (magnitude.shape[-1] - 1)
    cepstrum = fft.irfft(np.log(np.maximum(magnitude, 1e-6)), size)
    cepstrum[..., 1:size // 2] *= 2.0
    cepstrum[..., size // 2 + 1:] = 0.0
    return fft.irfft(np.exp(fft.rfft(cepstrum, size)), size)


def flat_bass(magnitude: np.ndarray, frequencies_hz: np.ndarray) -> np.ndarray:
    """Hold the value at 200 Hz below it, (..., f): loudspeakers of measurements fade there."""
    first = int(np.searchsorted(frequencies_hz, _BASS_HZ))
    magnitude = magnitude.copy()
    magnitude[..., :first] = magnitude[..., first:first + 1]
    return magnitude
