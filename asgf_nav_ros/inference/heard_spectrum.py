# SPDX-License-Identifier: Apache-2.0
"""Magnitudes, levels and likeness of what a policy hears, read back from its spectrograms."""

from __future__ import annotations

import math

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS

_FLOOR = 1e-3  # of the loudest bin: -60 dB
_LOUDEST = 20.0  # of log1p: no sound is louder
_SILENCE = 1e-9


def magnitudes(spectrogram: np.ndarray, contract: PolicyContract) -> np.ndarray:
    """Magnitude of both ears, (bins, frames, 2) float32, of (bins, frames, channels) of log1p."""
    ears = spectrogram[..., :len(TWO_EARS)]
    return np.expm1(np.minimum(ears, _LOUDEST)) / contract.input_gain


def level_db(magnitude: float) -> float:
    """Level of a magnitude, dB of any reference; -180 in silence."""
    return 20 * math.log10(max(float(magnitude), _SILENCE))


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of the levels of two mean magnitudes (bins,), as the policy has it.

    See ``network.goal_sound``; from -1 to 1, and 0 where one is silent.
    """
    one, other = (_centred_levels(spectrum) for spectrum in (one, other))
    norms = float(np.sqrt(np.sum(np.square(one)) * np.sum(np.square(other))))
    return float(one @ other) / max(norms, _SILENCE)


def _centred_levels(spectrum: np.ndarray) -> np.ndarray:
    levels = np.log10(spectrum / max(float(spectrum.max()), _SILENCE) + _FLOOR)
    return levels - levels.mean()
