# SPDX-License-Identifier: Apache-2.0
"""The sounds of a dataset, as ``librosa.load`` reads them: mono, resampled, at their own level."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from sim_bridge.sound_sources import read_sound_file
from sim_bridge.sound_sources import SoundError
from sim_bridge.soundspaces.kept_arrays import KeptArrays
from sim_bridge.soundspaces.layout import DatasetError

LONGEST_S = 300.0
KEPT_BYTES = 256 * 2**20
_kept = KeptArrays(KEPT_BYTES)


def read_recording(path: Path, *, sample_rate_hz: int) -> np.ndarray:
    """One recording, (n,) float32, at least a second long.

    Raises:
        DatasetError: missing, unreadable, too long, too short, silent or not finite.
    """
    return _kept.get((path, sample_rate_hz), lambda: _read(path, sample_rate_hz))


def _read(path: Path, sample_rate_hz: int) -> np.ndarray:
    if not path.is_file():
        raise DatasetError(f'{path}: is missing')
    try:
        samples, rate_hz = read_sound_file(path, longest_s=LONGEST_S)
    except SoundError as error:
        raise DatasetError(str(error)) from None
    if rate_hz != sample_rate_hz:
        samples = _resampled(samples, rate_hz, sample_rate_hz)
    if len(samples) < sample_rate_hz:
        raise DatasetError(f'{path}: must be at least a second long, got '
                           f'{len(samples) / sample_rate_hz:.3f} s')
    return samples


def _resampled(samples: np.ndarray, rate_hz: int, wanted_hz: int) -> np.ndarray:
    import soxr  # only datasets of another rate need it

    length = math.ceil(len(samples) * wanted_hz / rate_hz)
    resampled = soxr.resample(samples, rate_hz, wanted_hz, quality='HQ')[:length]
    return np.pad(resampled, (0, length - len(resampled))).astype(np.float32)
