# SPDX-License-Identifier: Apache-2.0
"""Ears: head-related transfer functions for any direction.

Each direction is kept as a minimum-phase filter and a pure delay per ear, which may be
interpolated between directions without comb filtering.
"""

from __future__ import annotations

from collections.abc import Iterator
import math
from pathlib import Path

import numpy as np
from scipy import fft

from sim_bridge.acoustics.head_grid import AZIMUTHS
from sim_bridge.acoustics.head_grid import HeadGrid
from sim_bridge.acoustics.head_grid import minimum_phase
from sim_bridge.acoustics.sofa import KEMAR_PATH
from sim_bridge.acoustics.sofa import read_sofa

_FILTER_S = 0.008
_REFERENCE_HZ = (200.0, 4000.0)  # gain is 1 on average over this range and the horizontal circle


class Hrtf:
    """Two ears at one sample rate; azimuth to the left is positive, radians."""

    def __init__(self, grid: HeadGrid, *, sample_rate_hz: int) -> None:
        """Take a grid whose magnitudes reach up to half of ``sample_rate_hz``."""
        self.sample_rate_hz = int(sample_rate_hz)
        self.taps = round(_FILTER_S * sample_rate_hz)
        self._elevations_rad = np.asarray(grid.elevations_rad, np.float64)
        self._delay_s = np.asarray(grid.delay_s, np.float64)
        gain = _reference_gain(grid, self.sample_rate_hz)
        faded = self.taps // 4
        self._filters = minimum_phase(grid.magnitude / gain)[..., :self.taps].astype(np.float32)
        self._filters[..., -faded:] *= np.linspace(1, 0, faded, dtype=np.float32)
        self._tables: dict[int, np.ndarray] = {}
        self._horizontal: dict[int, np.ndarray] = {}

    @classmethod
    def load(cls, path: str | Path = KEMAR_PATH, *, sample_rate_hz: int = 16000) -> Hrtf:
        """Read a SOFA file (AES69, SimpleFreeFieldHRIR) of any measured head.

        Raises:
            FileNotFoundError: there is no such file; names the package that brings KEMAR.
            ValueError: the file has no head-related impulse responses of two ears.
        """
        return cls(read_sofa(path, sample_rate_hz), sample_rate_hz=sample_rate_hz)

    @property
    def origin(self) -> int:
        """Samples before the middle of the head, in ``pair``: 1 ms, more than any ear leads."""
        return self.sample_rate_hz // 1000

    def pair(self, azimuth_rad: float, elevation_rad: float = 0.0) -> np.ndarray:
        """Impulse responses of both ears for one direction, (2, taps + origin) float32.

        Sound that passes the middle of the head at time 0 is at sample ``origin``.
        """
        size = fft.next_fast_len(2 * (self.taps + self.origin), real=True)
        spectra, delay_s = self.spectra([azimuth_rad], [elevation_rad], size)
        late_s = self.origin / self.sample_rate_hz + delay_s[0]
        spectra = spectra[0] * np.exp(-2j * np.pi * late_s[:, None] * self.frequencies_hz(size))
        return fft.irfft(spectra, size)[:, :self.taps + self.origin].astype(np.float32)

    def frequencies_hz(self, size: int) -> np.ndarray:
        """Frequencies of a real transform of ``size`` samples, (size // 2 + 1,)."""
        return fft.rfftfreq(size, 1 / self.sample_rate_hz)

    def spectra(self, azimuth_rad: np.ndarray, elevation_rad: np.ndarray,
                size: int) -> tuple[np.ndarray, np.ndarray]:
        """Filters without delays, and the delays, of both ears for (a,) directions.

        Returns:
            (a, 2, size // 2 + 1) complex64 minimum-phase spectra, and (a, 2) float64 seconds,
            against the arrival at the middle of the head.
        """
        if size not in self._tables:
            self._tables[size] = fft.rfft(self._filters, size)
        table = self._tables[size]
        spectra, delay_s = 0.0, 0.0
        for rows, row_weight in _linear(self._elevations_rad, np.asarray(elevation_rad)):
            for columns, weight in _circular(np.asarray(azimuth_rad)):
                weight = row_weight * weight
                spectra = spectra + weight[:, None, None].astype(np.float32) * table[rows, columns]
                delay_s = delay_s + weight[:, None] * self._delay_s[rows, columns]
        return spectra, delay_s

    def horizontal_spectra(self, size: int) -> np.ndarray:
        """Spectra with delays on the horizontal circle, (72, 2, size // 2 + 1) complex64."""
        if size not in self._horizontal:
            azimuth_rad = np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
            spectra, delay_s = self.spectra(azimuth_rad, np.zeros(AZIMUTHS), size)
            turn = np.exp(-2j * np.pi * delay_s[..., None] * self.frequencies_hz(size))
            self._horizontal[size] = (spectra * turn).astype(np.complex64)
        return self._horizontal[size]


def _reference_gain(grid: HeadGrid, sample_rate_hz: int) -> float:
    frequencies_hz = np.linspace(0, sample_rate_hz / 2, grid.magnitude.shape[-1])
    low, high = _REFERENCE_HZ
    level = grid.magnitude[np.abs(grid.elevations_rad).argmin()]
    chosen = level[..., (frequencies_hz >= low) & (frequencies_hz <= high)]
    return math.sqrt(float(np.mean(chosen ** 2)))


def _linear(grid: np.ndarray, value: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (index, weight) of both neighbours on a rising grid, held at its ends."""
    if len(grid) == 1:
        yield np.zeros(value.shape, int), np.ones(value.shape)
        return
    low = np.clip(np.searchsorted(grid, value) - 1, 0, len(grid) - 2)
    share = np.clip((value - grid[low]) / (grid[low + 1] - grid[low]), 0.0, 1.0)
    yield low, 1.0 - share
    yield low + 1, share


def _circular(azimuth_rad: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (index, weight) of both neighbours on the circle of ``AZIMUTHS``."""
    position = azimuth_rad * AZIMUTHS / (2 * np.pi)
    low = np.floor(position)
    yield low.astype(int) % AZIMUTHS, 1.0 - (position - low)
    yield (low.astype(int) + 1) % AZIMUTHS, position - low
