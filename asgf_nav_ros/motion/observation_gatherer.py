# SPDX-License-Identifier: Apache-2.0
"""One observation out of three streams: what was heard and seen since the robot stands still."""

from __future__ import annotations

import collections
from typing import NamedTuple

import numpy as np

from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract

SPECTROGRAMS_KEPT = 4
# Stamps are nanoseconds in messages and floats here.
ROUNDING_S = 1e-6


class _Stamped(NamedTuple):
    array: np.ndarray
    stamp_s: float


class ObservationGatherer:
    """Keeps the newest image of each kind and a few spectrograms, and matches them by stamps."""

    def __init__(self, contract: PolicyContract, *, tolerance_s: float) -> None:
        """Match images within ``tolerance_s`` of the end of a window."""
        if not tolerance_s > 0:
            raise ValueError(f'tolerance_s must be positive, got {tolerance_s}')
        self._window_s, self._tolerance_s = contract.window_s, tolerance_s
        self._half_sample_s = 0.5 / contract.sample_rate_hz
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._spectrograms: collections.deque[_Stamped] = collections.deque(
            maxlen=SPECTROGRAMS_KEPT)
        self._color: _Stamped | None = None
        self._depth: _Stamped | None = None

    def see_color(self, rgb: np.ndarray, stamp_s: float) -> None:
        """Take (H, W, 3) uint8 of the contract's size."""
        self._color = _Stamped(rgb, stamp_s)

    def see_depth(self, depth: np.ndarray, stamp_s: float) -> None:
        """Take (H, W) float32 metres of the contract's size."""
        self._depth = _Stamped(depth, stamp_s)

    def hear(self, spectrogram: np.ndarray, end_s: float) -> None:
        """Take (bins, frames, channels) float32 of the window that ended at ``end_s``."""
        self._spectrograms.append(_Stamped(spectrogram, end_s))

    def gather(self, since_s: float, *, heard_since_s: float | None = None) -> Observation | None:
        """The earliest observation from after ``since_s``, if it is complete.

        Args:
            since_s: images are from after this time, and the window ends after it.
            heard_since_s: the window begins after this time; None for ``since_s``.
        """
        for heard in self._heard(since_s, heard_since_s):
            if self._fits(self._color, heard, since_s) and self._fits(self._depth, heard, since_s):
                return Observation(rgb=self._color.array, depth=self._depth.array,
                                   spectrogram=heard.array, stamp_s=heard.stamp_s,
                                   color_stamp_s=self._color.stamp_s,
                                   depth_stamp_s=self._depth.stamp_s)
        return None

    def missing(self, since_s: float, *, heard_since_s: float | None = None) -> list[str]:
        """What an observation still lacks, in words; arguments are those of ``gather``."""
        heard = self._heard(since_s, heard_since_s)
        if not heard:
            when = 'after' if heard_since_s in (None, since_s) else 'that ends after'
            return [f'a spectrogram of {self._window_s:g} s {when} {since_s:.2f} s']
        return [f'{name} from within {self._tolerance_s:g} s of {heard[-1].stamp_s:.2f} s'
                for name, image in (('color', self._color), ('depth', self._depth))
                if not self._fits(image, heard[-1], since_s)]

    def _heard(self, since_s: float, heard_since_s: float | None) -> list[_Stamped]:
        begin_s = since_s if heard_since_s is None else heard_since_s
        earliest_s = max(begin_s + self._window_s - self._half_sample_s, since_s) - ROUNDING_S
        return [heard for heard in self._spectrograms if heard.stamp_s >= earliest_s]

    def _fits(self, image: _Stamped | None, heard: _Stamped, since_s: float) -> bool:
        return (image is not None and image.stamp_s >= since_s - ROUNDING_S
                and abs(image.stamp_s - heard.stamp_s) <= self._tolerance_s + ROUNDING_S)
