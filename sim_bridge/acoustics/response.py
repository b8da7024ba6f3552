# SPDX-License-Identifier: Apache-2.0
"""Binaural impulse responses from sharp arrivals and late signals."""

from __future__ import annotations

import numpy as np
from scipy import fft

from sim_bridge.acoustics.arrivals import Arrivals
from sim_bridge.acoustics.bands import interpolation_weights
from sim_bridge.acoustics.head_grid import minimum_phase
from sim_bridge.acoustics.hrtf import Hrtf
from sim_bridge.acoustics.late import to_ears

_LEAD = 24  # samples before an arrival that its band-limited onset may take, besides the ears'


def sharp_response(arrivals: Arrivals, listener: int, yaws_rad: np.ndarray, *, hrtf: Hrtf,
                   samples: int) -> np.ndarray:
    """Render direct path and first reflections at their exact delays and directions.

    Args:
        listener: row of ``arrivals``.
        yaws_rad: (k,) headings.

    Returns:
        (k, 2, samples) float32.
    """
    rate_hz = hrtf.sample_rate_hz
    delay_s = arrivals.delay_s[listener]
    used = (arrivals.band_gain[listener].max(axis=1) > 0) & (delay_s * rate_hz < samples)
    if not used.any():
        return np.zeros((len(yaws_rad), 2, samples), np.float32)
    delay_s, gain = delay_s[used], arrivals.band_gain[listener][used]
    yaws_rad = np.asarray(yaws_rad, np.float64)
    azimuth_rad = arrivals.azimuth_world_rad[listener][used] - yaws_rad[:, None]
    elevation_rad = np.broadcast_to(arrivals.elevation_rad[listener][used], azimuth_rad.shape)
    size = 2 * fft.next_fast_len(hrtf.taps, real=True)
    lead = _LEAD + hrtf.origin
    start = np.floor(delay_s * rate_hz).astype(int)
    ears, ear_delay_s = hrtf.spectra(azimuth_rad.ravel(), elevation_rad.ravel(), size)
    ears = ears.reshape(*azimuth_rad.shape, 2, -1)  # (k, a, 2, f)
    late_s = (delay_s - (start - lead) / rate_hz)[:, None] + ear_delay_s.reshape(ears.shape[:3])
    filters = band_spectra(gain, hrtf.frequencies_hz(size))
    turn = np.exp(-2j * np.pi * late_s[..., None] * hrtf.frequencies_hz(size))
    blocks = fft.irfft(ears * filters[:, None] * turn.astype(np.complex64), size)
    response = np.zeros((len(yaws_rad), 2, samples + size + lead), np.float32)
    for index, first in enumerate(start):
        response[:, :, first:first + size] += blocks[:, index]
    return response[:, :, lead:lead + samples]


def late_spectra(signals: np.ndarray, *, hrtf: Hrtf) -> np.ndarray:
    """Transform late signals (12, n), long enough for the ears' filters: (12, f) complex64."""
    return fft.rfft(signals, transform_size(signals.shape[1], hrtf))


def late_response(spectra: np.ndarray, yaws_rad: np.ndarray, *, hrtf: Hrtf,
                  samples: int) -> np.ndarray:
    """Hear ``late_spectra`` at headings (k,): (k, 2, samples) float32."""
    size = transform_size(samples, hrtf)
    horizontal = hrtf.horizontal_spectra(size)
    ears = np.stack([to_ears(spectra, float(yaw_rad), horizontal) for yaw_rad in yaws_rad])
    return fft.irfft(ears, size)[..., :samples]


def transform_size(samples: int, hrtf: Hrtf) -> int:
    """Length of transforms that filter ``samples`` samples without wrapping around."""
    return fft.next_fast_len(samples + hrtf.taps + 2 * hrtf.origin, real=True)


def band_spectra(gain: np.ndarray, frequencies_hz: np.ndarray) -> np.ndarray:
    """Minimum-phase spectra that follow band gains: (a, 6) -> (a, f) complex64."""
    size = 2 * (len(frequencies_hz) - 1)
    level = np.log(np.maximum(gain, 1e-9)) @ interpolation_weights(frequencies_hz)
    return fft.rfft(minimum_phase(np.exp(level)), size).astype(np.complex64)
