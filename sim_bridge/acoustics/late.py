# SPDX-License-Identifier: Apache-2.0
"""The late field as sound: Gaussian noise under the traced energy, by direction and band.

The noise is drawn fresh for every field, and its stretches fresh for every listener: a fixed
carrier would be a fingerprint that a policy learns in place of the acoustics.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from sim_bridge.acoustics.bands import BANDS
from sim_bridge.acoustics.bands import interpolation_weights
from sim_bridge.acoustics.head_grid import AZIMUTHS
from sim_bridge.acoustics.kernel import fast_kernel
from sim_bridge.acoustics.tracer import AZIMUTH_BINS
from sim_bridge.acoustics.tracer import BIN_S


class NoiseTable:
    """White Gaussian noise of unit variance, split into six bands that add up to it again."""

    def __init__(self, rng: np.random.Generator, *, sample_rate_hz: int, samples: int) -> None:
        """Draw a table for late fields of ``samples`` samples."""
        self.samples, self.sample_rate_hz = samples, sample_rate_hz
        self._period = fft.next_fast_len(2 * AZIMUTH_BINS * samples, real=True)
        white = fft.rfft(rng.standard_normal(self._period, dtype=np.float32))
        filters = interpolation_weights(fft.rfftfreq(self._period, 1 / sample_rate_hz))
        noise = fft.irfft(white * filters.astype(np.float32), self._period)
        self._noise = np.concatenate([noise, noise[:, :samples]], axis=1)

    def late_signals(self, energy: np.ndarray, rng: np.random.Generator, *,
                     start_s: float) -> np.ndarray:
        """Give the energies of one listener fresh carriers.

        Args:
            energy: (12, t, 6) float32 by azimuth, ``BIN_S`` and band.
            rng: draws a stretch of the table and a sign for each direction.
            start_s: silence before it, for nothing arrives before the first path.

        Returns:
            (12, samples) float32.
        """
        stride = self._period // AZIMUTH_BINS  # stretches of two directions do not overlap
        offsets = (rng.integers(self._period) + rng.permutation(AZIMUTH_BINS) * stride
                   + rng.integers(stride - self.samples, size=AZIMUTH_BINS)) % self._period
        signs = rng.choice(np.array([-1, 1], np.float32), AZIMUTH_BINS)
        signals = np.zeros((AZIMUTH_BINS, self.samples), np.float32)
        start = min(int(start_s * self.sample_rate_hz), self.samples)
        _modulate(energy, self._noise, offsets, signs, start, BIN_S * self.sample_rate_hz, signals)
        return signals


def to_ears(spectra: np.ndarray, yaw_rad: float, horizontal: np.ndarray) -> np.ndarray:
    """Hear late signals from their directions.

    Args:
        spectra: (12, f) complex64 of ``late_signals``.
        horizontal: (72, 2, f) complex64 of ``Hrtf.horizontal_spectra``.

    Returns:
        (2, f) complex64.
    """
    azimuth_rad = np.arange(AZIMUTH_BINS) * 2 * np.pi / AZIMUTH_BINS - yaw_rad
    position = azimuth_rad * AZIMUTHS / (2 * np.pi)
    low = np.floor(position + 1e-9)
    ears = np.zeros((2, spectra.shape[1]), np.complex64)
    _sum_directions(spectra, horizontal, low.astype(np.int64) % AZIMUTHS,
                    np.maximum(position - low, 0.0).astype(np.float32), ears)
    return ears


@fast_kernel
def _modulate(energy, noise, offsets, signs, start, bin_samples, signals):
    """Energy is interpolated between the middles of the time bins."""
    samples = signals.shape[1]
    bins = energy.shape[1]
    for direction in range(energy.shape[0]):
        for step in range(bins + 1):
            first = max(int((step - 0.5) * bin_samples), start)
            last = min(int((step + 0.5) * bin_samples), samples)
            for band in range(BANDS):
                before = energy[direction, max(step - 1, 0), band] / bin_samples
                after = energy[direction, min(step, bins - 1), band] / bin_samples
                if before == 0.0 and after == 0.0:
                    continue
                slope = np.float32((after - before) / bin_samples)
                level = np.float32(before) - slope * np.float32((step - 0.5) * bin_samples)
                offset = offsets[direction]
                for n in range(first, last):
                    power = max(level + slope * np.float32(n), np.float32(0.0))
                    signals[direction, n] += np.sqrt(power) * noise[band, offset + n]
        signals[direction] *= signs[direction]


@fast_kernel
def _sum_directions(spectra, horizontal, low, share, ears):
    for direction in range(spectra.shape[0]):
        a, b = low[direction], (low[direction] + 1) % horizontal.shape[0]
        right, left = share[direction], np.float32(1.0) - share[direction]
        for ear in range(2):
            if right < 1e-6:
                for n in range(spectra.shape[1]):
                    ears[ear, n] += spectra[direction, n] * horizontal[a, ear, n]
            else:
                for n in range(spectra.shape[1]):
                    ears[ear, n] += spectra[direction, n] * (left * horizontal[a, ear, n]
                                                             + right * horizontal[b, ear, n])
