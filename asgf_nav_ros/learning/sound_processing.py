# SPDX-License-Identifier: Apache-2.0
"""Make many sounds out of one: other spectra, pitches and envelopes, in loops without seams.

Nothing but the clip and random numbers goes in, so that a policy trained on one recording can be
said to have heard one recording.
"""

from __future__ import annotations

import numpy as np

_ENVELOPE_POINTS = (4, 24)
_SMOOTH_BINS = 200


def process(clip: np.ndarray, sample_rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Return another looped sound (n,) float32 with peak 1, made from ``clip`` (n,)."""
    sound = np.asarray(clip, np.float64)
    if rng.random() < 0.7:
        sound = _resampled(sound, 2 ** rng.uniform(-2.0, 1.5))
    if rng.random() < 0.3:
        sound = _ring_modulated(sound, rng.uniform(50, 3000), sample_rate_hz)
    if rng.random() < 0.3:
        sound = sound[::-1]
    sound = _recolored(sound, whiten=rng.random() < 0.6, scramble=rng.random() < 0.35, rng=rng)
    if rng.random() < 0.6:
        sound = sound * _envelope(len(sound), rng)
    peak = float(np.abs(sound).max())
    return (sound / max(peak, 1e-9)).astype(np.float32)


def _resampled(sound: np.ndarray, speed: float) -> np.ndarray:
    """Play faster or slower, over and over until the window is full."""
    position = np.arange(len(sound)) * speed
    return np.interp(position % len(sound), np.arange(len(sound) + 1), np.append(sound, sound[0]))


def _ring_modulated(sound: np.ndarray, carrier_hz: float, rate_hz: int) -> np.ndarray:
    cycles = round(carrier_hz * len(sound) / rate_hz)  # whole ones: the loop has no seam
    return sound * np.cos(2 * np.pi * cycles * np.arange(len(sound)) / len(sound))


def _recolored(sound: np.ndarray, *, whiten: bool, scramble: bool,
               rng: np.random.Generator) -> np.ndarray:
    """Flatten the spectrum, bend it anew and, to turn tones into noise, draw phases anew."""
    spectrum = np.fft.rfft(sound)
    if whiten:
        power = np.convolve(np.abs(spectrum) ** 2, np.ones(_SMOOTH_BINS) / _SMOOTH_BINS, 'same')
        spectrum = spectrum / np.sqrt(power + 1e-4 * power.max() + 1e-12)
    if scramble:
        spectrum = spectrum * np.exp(2j * np.pi * rng.random(len(spectrum)))
    octave = np.log2(np.maximum(np.arange(len(spectrum)), 1))
    points = int(rng.integers(5, 16))
    curve_db = np.interp(octave, np.linspace(4, octave[-1], points), rng.normal(0, 12, points))
    spectrum = spectrum * 10 ** (curve_db / 20)
    spectrum[0] = 0.0
    return np.fft.irfft(spectrum, len(sound))


def _envelope(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Bursts that swell and die away, regular or not, (samples,) in [0, 1]."""
    count = int(rng.integers(1, 12))
    starts = (np.arange(count) / count + (rng.random(count) / count if rng.random() < 0.5 else 0))
    phase = (np.arange(samples) / samples - starts[:, None]) % 1.0  # (count, samples)
    rise, fall = rng.uniform(0.0005, 0.02), rng.uniform(0.01, 0.5)
    bursts = np.minimum(phase / rise, 1.0) * np.exp(-phase / fall)
    return np.maximum(bursts.max(axis=0), rng.choice([0.0, 0.05]))
