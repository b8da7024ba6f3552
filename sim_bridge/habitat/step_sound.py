# SPDX-License-Identifier: Apache-2.0
"""What is heard in one step of SoundSpaces 2.0, as its ContinuousSoundSpacesSim computes it."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

REPETITIONS = 3  # of a sound of one second, to be longer than most impulse responses


class StepSound:
    """A sound that goes on by one step at a time, each heard through one impulse response.

    After a change of response, sound fades over linearly. As in SoundSpaces 2.0, a response that
    reaches back beyond the beginning of the sound finds silence there, also when the sound is
    repeated: only later steps hear what was sounding before them.
    """

    def __init__(self, dry: np.ndarray, *, sample_rate_hz: int, step_samples: int,
                 crossfade_samples: int, start: int) -> None:
        """Args: dry is (n,) float; start is the index of the first sample that is heard.

        Raises:
            ValueError: the sound is shorter than a step, or not finite.
        """
        dry = np.asarray(dry, np.float64)
        if dry.ndim != 1 or len(dry) < step_samples or not np.isfinite(dry).all():
            raise ValueError(f'a sound must be finite and at least {step_samples} samples long, '
                             f'got {dry.shape}')
        repeat = len(dry) // sample_rate_hz == 1
        self._dry = np.tile(dry, REPETITIONS) if repeat else dry
        self._step_samples = step_samples
        self._weights = np.minimum(np.arange(step_samples) / crossfade_samples, 1.0)
        self._index = start % len(self._dry)
        self._last: np.ndarray | None = None

    def hear(self, response: np.ndarray) -> np.ndarray:
        """The next step through ``response``, (2, n): (2, step_samples) float32."""
        heard = self._through(response)
        if self._last is not None and self._last is not response:
            before = self._through(self._last)
            heard = self._weights * heard + (1.0 - self._weights) * before
        self._last = response
        self._index = (self._index + self._step_samples) % len(self._dry)
        return heard.astype(np.float32)

    def _through(self, response: np.ndarray) -> np.ndarray:
        """(2, step_samples) float64, without a fade."""
        taps = response.shape[1]
        places = np.arange(self._index - taps + 1, self._index + self._step_samples)
        segment = self._dry[places % len(self._dry)]
        if self._index < taps:
            segment[(places < 0) | (places >= len(self._dry))] = 0.0
        return fftconvolve(segment[None], response, mode='valid', axes=1)
