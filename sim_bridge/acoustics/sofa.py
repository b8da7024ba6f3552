# SPDX-License-Identifier: Apache-2.0
"""Reading measured heads from SOFA files (AES69), which are HDF5 inside."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from scipy import fft

from sim_bridge.acoustics.head_grid import AZIMUTHS
from sim_bridge.acoustics.head_grid import flat_bass
from sim_bridge.acoustics.head_grid import HeadGrid
from sim_bridge.acoustics.head_grid import minimum_phase

KEMAR_PATH = '/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa'
_SIZE_S = 0.032  # of the transforms
_MAX_SAMPLES = 2 ** 26  # 512 MB of float64: larger files are not heads


def read_sofa(path: str | Path, sample_rate_hz: int) -> HeadGrid:
    """Read the directions of a head, up to half of the wanted sample rate.

    Raises:
        FileNotFoundError: there is no such file; names the package that brings KEMAR.
        ValueError: the file has no head-related impulse responses of two ears.
    """
    direction_rad, responses, rate_hz = _read(Path(path))
    filters = fft.rfft(responses, _size(rate_hz))
    compact = minimum_phase(np.abs(filters))
    delay_s = _lags(filters, fft.rfft(compact, _size(rate_hz)), rate_hz)
    frequencies_hz = np.linspace(0, sample_rate_hz / 2, _size(sample_rate_hz) // 2 + 1)
    magnitude = flat_bass(_magnitude_at(responses, rate_hz, frequencies_hz), frequencies_hz)
    elevations_rad = np.unique(np.round(direction_rad[:, 1], 3))
    rings = [np.abs(direction_rad[:, 1] - elevation) < 2e-3 for elevation in elevations_rad]
    magnitude = np.stack([_on_circle(direction_rad[ring, 0], np.log(magnitude[ring]))
                          for ring in rings])
    delay_s = np.stack([_on_circle(direction_rad[ring, 0], delay_s[ring]) for ring in rings])
    level = int(np.abs(elevations_rad).argmin())
    return HeadGrid(np.exp(magnitude), delay_s - delay_s[level, 0].mean(), elevations_rad)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Directions (m, 2) in radians, responses (m, 2, n) and their sample rate."""
    if not path.is_file():
        package = ' (install the Debian package libmysofa1)' if str(path) == KEMAR_PATH else ''
        raise FileNotFoundError(f'no head at {path}{package}')
    try:
        with h5py.File(path) as file:
            shape = file['Data.IR'].shape
            if len(shape) != 3 or shape[1] != 2 or np.prod(shape) > _MAX_SAMPLES:
                raise ValueError(f'{path}: Data.IR must be (m, 2, n), got {shape}')
            responses = np.asarray(file['Data.IR'], np.float64)
            position = np.asarray(file['SourcePosition'], np.float64)
            rate_hz = float(np.asarray(file['Data.SamplingRate']).ravel()[0])
            kind = file['SourcePosition'].attrs.get('Type', b'spherical')
    except (OSError, KeyError) as error:
        raise ValueError(f'{path} must be a SOFA file of a head, got: {error}') from error
    if bytes(np.bytes_(kind)) != b'spherical' or len(position) != len(responses):
        raise ValueError(f'{path}: SourcePosition must be spherical, one for each response')
    if not (np.isfinite(responses).all() and np.isfinite(position).all() and rate_hz > 0):
        raise ValueError(f'{path}: values must be finite and the sampling rate positive')
    return np.radians(position[:, :2]), responses, rate_hz


def _size(rate_hz: float) -> int:
    return 2 * fft.next_fast_len(int(_SIZE_S * rate_hz / 2), real=True)


def _lags(filters: np.ndarray, compact: np.ndarray, rate_hz: float) -> np.ndarray:
    """Delays of responses behind their minimum-phase counterparts, seconds."""
    size, finer = _size(rate_hz), 8
    cross = fft.irfft(filters * np.conj(compact), size * finer)
    peak = cross[..., :size * finer // 2].argmax(axis=-1)
    return peak / (finer * rate_hz)


def _magnitude_at(responses: np.ndarray, rate_hz: float,
                  frequencies_hz: np.ndarray) -> np.ndarray:
    """Magnitudes of (m, 2, n) responses at any frequencies; held above their own range."""
    held_hz = np.minimum(frequencies_hz, 0.98 * rate_hz / 2)
    samples = np.arange(responses.shape[-1])[:, None]
    turn = np.exp(-2j * np.pi * samples * held_hz / rate_hz)
    return np.maximum(np.abs(responses @ turn), 1e-5)


def _on_circle(azimuth_rad: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate values (m, ...) at measured azimuths onto the circle of ``AZIMUTHS``."""
    azimuth_rad = azimuth_rad % (2 * np.pi)
    order = np.argsort(azimuth_rad)
    azimuth_rad = np.concatenate([azimuth_rad[order], azimuth_rad[order[:1]] + 2 * np.pi])
    values = np.concatenate([values[order], values[order[:1]]])
    wanted = np.arange(AZIMUTHS) * 2 * np.pi / AZIMUTHS
    wanted = np.where(wanted < azimuth_rad[0], wanted + 2 * np.pi, wanted)
    low = np.clip(np.searchsorted(azimuth_rad, wanted, side='right') - 1, 0, len(order) - 1)
    share = (wanted - azimuth_rad[low]) / (azimuth_rad[low + 1] - azimuth_rad[low])
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return (1.0 - share) * values[low] + share * values[low + 1]
