# SPDX-License-Identifier: Apache-2.0
"""Cuts claps, and other sounds that begin suddenly, out of a stream."""

from __future__ import annotations

import numpy as np

_STEP_S = 0.005
_BEFORE_S, _AFTER_S = 0.005, 0.025  # the direct sound; later come the walls
_PAUSE_S = 0.3
_ABOVE_USUAL = 8.0  # 18 dB
_LEAST_RMS = 0.003  # of full scale
_FORGET = 0.02  # of the usual level, a step


class ClapDetector:
    """Feed it blocks; it hands out the first moments of each sudden sound."""

    def __init__(self, rate_hz: float) -> None:
        """Listen to two ears at ``rate_hz``."""
        self._step = round(_STEP_S * rate_hz)
        self._before, self._after = round(_BEFORE_S * rate_hz), round(_AFTER_S * rate_hz)
        self._pause = round(_PAUSE_S / _STEP_S)
        self._held = np.zeros((2, 0), np.float32)
        self._looked = 0  # samples of what is held that were looked at
        self._usual = _LEAST_RMS
        self._quiet_for = self._pause

    def push(self, audio: np.ndarray) -> list[np.ndarray]:
        """Take (2, n) float32; return (2, m) of each clap that is complete."""
        self._held = np.concatenate([self._held, audio], axis=1)
        claps = []
        while self._looked + self._step + self._after <= self._held.shape[1]:
            step = self._held[:, self._looked:self._looked + self._step]
            rms = float(np.sqrt(np.mean(np.square(step, dtype=float))))
            sudden = rms > max(_ABOVE_USUAL * self._usual, _LEAST_RMS)
            if sudden and self._quiet_for >= self._pause:
                start = max(self._looked - self._before, 0)
                claps.append(self._held[:, start:self._looked + self._after].copy())
                self._quiet_for = 0
            else:
                self._quiet_for += 1
            self._usual += _FORGET * (min(rms, 2 * self._usual + 1e-4) - self._usual)
            self._looked += self._step
        drop = max(self._looked - self._before, 0)
        self._held, self._looked = self._held[:, drop:], self._looked - drop
        return claps
