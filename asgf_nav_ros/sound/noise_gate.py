# SPDX-License-Identifier: Apache-2.0
"""Turns down, in a window's spectra, what is no louder than the robot's own steady noise."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.noise_profile import NoiseProfile

_LEAST_POWER = 1e-30  # of a bin in which the profile holds nothing


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoiseGateSettings:
    """How the gate works.

    floor_db : least gain; what is only noise keeps so much of its level.
    margin_db : the noise is taken for that much louder than the profile says.
    smoothing_s : time over which the ratio of sound to noise is averaged, looking back only.
    """

    floor_db: float = -12.0
    margin_db: float = 0.0
    smoothing_s: float = 0.1

    def __post_init__(self) -> None:
        for name, low, high in (('floor_db', -60, 0), ('margin_db', -20, 20),
                                ('smoothing_s', 0, 10)):
            value = getattr(self, name)
            if (isinstance(value, bool) or not isinstance(value, (int, float))
                    or not low <= value <= high):
                raise ValueError(f'{name} must be in [{low}, {high}], got {value!r:.40}')


class NoiseGate:
    """A Wiener gain for each bin and frame, the same real number at both ears.

    With P the power of a frame in a bin, summed over the ears, and N that of the noise, the
    ratio of sound to noise is estimated from what came before (Ephraim and Malah 1984, the
    decision-directed estimate), and the gain follows::

        ratio_t = a gain_(t-1)^2 P_(t-1) / N + (1 - a) max(P_t / N - 1, 0)
        gain_t  = max(ratio_t / (1 + ratio_t), floor),   a = exp(-hop / smoothing)

    One gain for both ears leaves level and phase differences between them as they are in each
    bin and frame. A window's gains depend on that window only: who has the audio and the profile
    gets the same spectrogram again.
    """

    def __init__(self, profile: NoiseProfile, contract: PolicyContract,
                 settings: NoiseGateSettings, *, full_scale: float = 1.0) -> None:
        """Prepare for spectra of audio that was multiplied with ``full_scale``.

        Raises:
            ValueError: the profile is for another rate or STFT.
        """
        profile.require(contract)
        scale = full_scale ** 2 * 10 ** (settings.margin_db / 10)
        self._noise = np.maximum(profile.power.sum(axis=0) * scale, _LEAST_POWER)
        self._floor = 10 ** (settings.floor_db / 20)
        hop_s = contract.hop_length / contract.sample_rate_hz
        self._memory = math.exp(-hop_s / settings.smoothing_s) if settings.smoothing_s else 0.0
        self.begin()

    def begin(self) -> None:
        """Forget the frames of the window before."""
        self._clean: np.ndarray | None = None  # sound over noise in the last frame

    def attenuate(self, spectra: np.ndarray) -> np.ndarray:
        """Turn down the next frames of a window.

        Args:
            spectra: (2, frames, n_fft // 2 + 1) complex64.

        Returns:
            The same shape and type, each bin and frame times its gain in [floor, 1].
        """
        power = np.square(np.abs(spectra)).sum(axis=0, dtype=float) / self._noise
        gains = np.empty(power.shape, np.float32)
        for frame, now in enumerate(power):
            ratio = np.maximum(now - 1, 0)
            if self._clean is not None:
                ratio = self._memory * self._clean + (1 - self._memory) * ratio
            gain = np.maximum(ratio / (1 + ratio), self._floor)
            self._clean = np.square(gain) * now
            gains[frame] = gain
        return spectra * gains
