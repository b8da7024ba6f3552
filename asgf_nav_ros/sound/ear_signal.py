# SPDX-License-Identifier: Apache-2.0
"""Two ears at the policy's rate out of whatever channels a sound card has."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from asgf_nav_ros.sound.resampler import Resampler

_FULL_SCALES = {'int16': 32768.0, 'float32': 1.0}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EarWiring:
    """Which channels, counted from 0, are the ears, and what is done to their level."""

    left_channel: int = 0
    right_channel: int = 1
    swap_ears: bool = False
    gain_db: float = 0.0

    def __post_init__(self) -> None:
        for name in ('left_channel', 'right_channel'):
            if getattr(self, name) < 0:
                raise ValueError(f'{name} counts from 0, got {getattr(self, name)}')
        if self.left_channel == self.right_channel:
            raise ValueError('left_channel and right_channel must differ, both are '
                             f'{self.left_channel}')
        if not math.isfinite(self.gain_db):
            raise ValueError(f'gain_db must be finite, got {self.gain_db}')

    @property
    def ears(self) -> tuple[int, int]:
        """Channels of the left and the right ear."""
        pair = (self.left_channel, self.right_channel)
        return pair[::-1] if self.swap_ears else pair

    @property
    def channels(self) -> int:
        """Channels that must be recorded at least."""
        return max(self.ears) + 1


class EarSignal:
    """Picks the ears out of recorded blocks, scales and resamples them."""

    def __init__(self, wiring: EarWiring, *, from_hz: int, to_hz: int) -> None:
        """Prepare for blocks at ``from_hz``; without resampling samples pass unchanged."""
        self._ears = list(wiring.ears)
        self._gain = 10 ** (wiring.gain_db / 20)
        self._resampler = None if from_hz == to_hz else Resampler(from_hz, to_hz)

    def ears(self, block: np.ndarray) -> np.ndarray:
        """The ears as they were recorded.

        Args:
            block: (n, channels) int16, or float32 in [-1, 1].

        Returns:
            (2, n) float32 in [-1, 1], left ear first.

        Raises:
            ValueError: another type, too few channels, NaN or infinity.
        """
        if block.dtype.name not in _FULL_SCALES:
            raise ValueError(f'a block must be one of {", ".join(_FULL_SCALES)}, '
                             f'got {block.dtype.name}')
        if block.ndim != 2 or block.shape[1] <= max(self._ears):
            raise ValueError(f'a block must be (n, {max(self._ears) + 1} or more channels), '
                             f'got {block.shape}')
        ears = block[:, self._ears].T.astype(np.float32)
        if not np.isfinite(ears).all():
            raise ValueError('the microphones gave NaN or infinity')
        return ears / np.float32(_FULL_SCALES[block.dtype.name])

    def push(self, ears: np.ndarray) -> np.ndarray:
        """Scale and resample (2, n) of ``ears`` to (2, m) float32.

        m is n only where nothing is resampled, and the samples are the same then.
        """
        audio = ears * np.float32(self._gain)
        return audio if self._resampler is None else self._resampler.push(audio)
