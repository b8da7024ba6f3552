# SPDX-License-Identifier: Apache-2.0
"""Vary the source's sound, so that a policy learns where a sound is and not which one it is."""

from __future__ import annotations

import dataclasses

import numpy as np

from asgf_nav_ros.learning.sound_processing import process


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoundVariation:
    """Ranges of the draws: gain and equaliser in dB, probability of a second clip mixed in.

    ``process_probability`` is that of making another sound out of the clip first.
    """

    gain_db: float = 8.0
    equalizer_db: float = 5.0
    equalizer_points: int = 8
    mix_probability: float = 0.3
    process_probability: float = 0.0
    noise_floor_db: tuple[float, float] = (-90.0, -55.0)

    def vary(self, clip: np.ndarray, others: list[np.ndarray],
             rng: np.random.Generator, *, sample_rate_hz: int = 16000) -> np.ndarray:
        """Return a new looped clip (n,) float32 from ``clip`` (n,) and a pool of others."""
        mixed = clip = self._processed(clip, sample_rate_hz, rng)
        if rng.random() < self.mix_probability:
            second = self._processed(others[rng.integers(len(others))], sample_rate_hz, rng)
            mixed = clip + rng.uniform(0.2, 1.0) * np.roll(second, rng.integers(len(second)))
        equalized = self._equalize(mixed, rng)
        peak = max(float(np.abs(equalized).max()), 1e-6)
        gain = 10 ** (rng.uniform(-self.gain_db, self.gain_db) / 20)
        return (equalized * (gain / peak)).astype(np.float32)

    def noise_rms(self, rng: np.random.Generator) -> float:
        """Draw the level of the microphones' own noise, full scale."""
        return float(10 ** (rng.uniform(*self.noise_floor_db) / 20))

    def _processed(self, clip: np.ndarray, sample_rate_hz: int,
                   rng: np.random.Generator) -> np.ndarray:
        if self.process_probability and rng.random() < self.process_probability:
            return process(clip, sample_rate_hz, rng)
        return clip

    def _equalize(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(clip)
        points_db = rng.normal(0, self.equalizer_db, self.equalizer_points)
        octave = np.log2(np.maximum(np.arange(len(spectrum)), 1))
        curve_db = np.interp(octave, np.linspace(0, octave[-1], self.equalizer_points), points_db)
        return np.fft.irfft(spectrum * 10 ** (curve_db / 20), n=len(clip))
