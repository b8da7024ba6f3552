# SPDX-License-Identifier: Apache-2.0
"""Where a short sound came from, by the delay between two ears (GCC-PHAT, Knapp and Carter)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

SPEED_OF_SOUND_MPS = 343.0
_FINER = 16  # steps of the delay in a sample
_BAND_HZ = (300.0, 7000.0)  # below lies rumble; above, ears apart by a head are ambiguous


@dataclasses.dataclass(frozen=True)
class Bearing:
    """``azimuth_rad`` is positive to the left (REP-103); ``delay_s`` positive: left heard first.

    ``clarity`` tells how far the peak of the correlation stands out: 0 for noise, 1 for one
    undisturbed wave.
    """

    azimuth_rad: float
    delay_s: float
    clarity: float

    @property
    def side(self) -> str:
        """left, right or ahead, as a person would say it."""
        if abs(self.azimuth_rad) < math.radians(10):
            return 'ahead'
        return 'left' if self.azimuth_rad > 0 else 'right'


def bearing_of(ears: np.ndarray, *, rate_hz: float, spacing_m: float) -> Bearing:
    """Find the delay between the ears of one sound, in front or behind alike.

    Args:
        ears: (2, n) float, left ear first, n at least 64.
        rate_hz: of the samples.
        spacing_m: between the ears, through the air.

    Raises:
        ValueError: wrong shape, or no positive rate or spacing.
    """
    if ears.ndim != 2 or ears.shape[0] != 2 or ears.shape[1] < 64:
        raise ValueError(f'ears must be (2, 64 or more), got {ears.shape}')
    for name, value in (('rate_hz', rate_hz), ('spacing_m', spacing_m)):
        if not value > 0:
            raise ValueError(f'{name} must be positive, got {value}')
    size = 2 * ears.shape[1]
    left, right = np.fft.rfft(ears * np.hanning(ears.shape[1]), size, axis=1)
    cross = right * np.conj(left)  # turns by -omega delay where the right ear is later
    heard = np.abs(cross)
    frequency_hz = np.fft.rfftfreq(size, 1 / rate_hz)
    band = (frequency_hz > _BAND_HZ[0]) & (frequency_hz < min(_BAND_HZ[1], 0.45 * rate_hz))
    # What is 60 dB under the loudest has a phase of chance.
    band &= heard > 1e-6 * heard.max()
    phase = np.where(band, cross / np.maximum(heard, 1e-30), 0)
    correlation = np.fft.irfft(phase, size * _FINER) * (size * _FINER / 2)
    longest = math.ceil(spacing_m / SPEED_OF_SOUND_MPS * rate_hz * _FINER)
    lags = np.arange(-longest, longest + 1)
    best = int(np.argmax(correlation[lags]))
    delay_s = lags[best] / (rate_hz * _FINER)
    sine = min(max(delay_s * SPEED_OF_SOUND_MPS / spacing_m, -1.0), 1.0)
    clarity = float(correlation[lags[best]] / max(np.count_nonzero(band), 1))
    return Bearing(math.asin(sine), delay_s, min(max(clarity, 0.0), 1.0))
