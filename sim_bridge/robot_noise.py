# SPDX-License-Identifier: Apache-2.0
"""Noise at the robot's own ears: fans, motors and people around it.

Every noise is drawn from parameters, has unit power and loops without a seam.
"""

from __future__ import annotations

import numpy as np

_TALKERS = (4, 8)
_FORMANTS_HZ = ((250, 850), (800, 2300), (2300, 3200))


def draw_robot_noise(kind: str, samples: int, sample_rate_hz: int,
                     rng: np.random.Generator) -> np.ndarray:
    """Draw (2, samples) float32 of unit RMS over both ears.

    Raises:
        ValueError: ``kind`` is not in ``KINDS``.
    """
    if kind not in KINDS:
        raise ValueError(f'noise must be one of {tuple(KINDS)}, got {kind!r}')
    noise = KINDS[kind](samples, sample_rate_hz, rng)
    return (noise / np.sqrt(np.mean(noise ** 2))).astype(np.float32)


def _fan(samples: int, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Turbulence that falls with frequency, partly the same at both ears, and a blade tone."""
    frequency_hz = np.fft.rfftfreq(samples, 1 / rate_hz)
    corner_hz, slope = rng.uniform(100, 800), rng.uniform(0.5, 1.5)
    shape = (1 + frequency_hz / corner_hz) ** -slope
    shared, left, right = (_white(samples, rng) * shape for _ in range(3))
    share = rng.uniform(0.3, 0.9)
    ears = np.stack([share * shared + (1 - share) * own for own in (left, right)])
    blade = _harmonics(rng.uniform(50, 250), samples, rate_hz, rng, falloff=1.5)
    return _time(ears, samples) + rng.uniform(0, 1) * _rms(_time(ears, samples)) * blade


def _motor(samples: int, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A whining harmonic series, louder at one ear, over a little turbulence."""
    whine = _harmonics(rng.uniform(60, 500), samples, rate_hz, rng, falloff=rng.uniform(0.3, 1.2))
    sway = 1 + 0.3 * np.cos(2 * np.pi * (rng.integers(1, 8) * np.arange(samples) / samples
                                         + rng.random()))
    gains = 10 ** (rng.uniform(-4, 4, (2, 1)) / 20)
    return gains * whine * sway + rng.uniform(0.1, 0.5) * _unit(_fan(samples, rate_hz, rng))


def _babble(samples: int, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Several talkers around: voiced, in syllables, each from a direction of its own."""
    frequency_hz = np.fft.rfftfreq(samples, 1 / rate_hz)
    total = np.zeros((2, samples))
    for _ in range(rng.integers(*_TALKERS)):
        voice = _harmonics(rng.uniform(90, 260), samples, rate_hz, rng, falloff=0.8)
        voice = voice + 0.3 * _unit(_time(_white(samples, rng), samples))
        formants = sum(1 / (1 + ((frequency_hz - rng.uniform(*band)) / 120) ** 2)
                       for band in _FORMANTS_HZ)
        syllables = sum(np.cos(2 * np.pi * (rate * np.arange(samples) / samples + rng.random()))
                        for rate in rng.integers(2, 7, 3))
        spoken = _time(np.fft.rfft(voice * np.maximum(syllables, 0)) * formants, samples)
        across = rng.uniform(-1, 1)
        left = 10 ** (6 * across / 20)
        total += np.stack([left * spoken, np.roll(spoken, round(8 * across)) / left])
    return total


def _harmonics(pitch_hz: float, samples: int, rate_hz: int, rng: np.random.Generator, *,
               falloff: float) -> np.ndarray:
    """Unit-power series on a pitch that fits the loop, (samples,)."""
    first = max(round(pitch_hz * samples / rate_hz), 1)
    spectrum = np.zeros(samples // 2 + 1, complex)
    bins = np.arange(first, len(spectrum), first)
    order = bins / first
    spectrum[bins] = (order ** -falloff * rng.uniform(0.2, 1, len(bins))
                      * np.exp(2j * np.pi * rng.random(len(bins))))
    return _unit(_time(spectrum, samples))


def _white(samples: int, rng: np.random.Generator) -> np.ndarray:
    return np.fft.rfft(rng.standard_normal(samples))


def _time(spectrum: np.ndarray, samples: int) -> np.ndarray:
    return np.fft.irfft(spectrum, samples)


def _rms(signal: np.ndarray) -> float:
    return float(np.sqrt(np.mean(signal ** 2)))


def _unit(signal: np.ndarray) -> np.ndarray:
    return signal / max(_rms(signal), 1e-12)


KINDS = {'fan': _fan, 'babble': _babble, 'motor': _motor}
