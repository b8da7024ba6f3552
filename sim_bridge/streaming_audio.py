# SPDX-License-Identifier: Apache-2.0
"""Convolve a looped sound with an impulse response that changes, without seams or clicks."""

from __future__ import annotations

import numpy as np
from scipy import fft


class StreamingConvolver:
    """What two ears hear of a sound that loops forever, block after block.

    With an unchanged response the blocks put together are one long convolution. When the
    response changes, the output fades linearly from the old to the new one, over several blocks
    where a block is short. A fade that is interrupted by a third response starts from the mixture
    that was reached: convolution is linear, so that mixture is itself a response.
    """

    def __init__(self, dry: np.ndarray, *, crossfade_samples: int, phase: int = 0) -> None:
        """Start a loop that has been sounding forever.

        Args:
            dry: (n,) float, one turn of the loop.
            crossfade_samples: length of a fade between responses.
            phase: index in ``dry`` of the first sample.

        Raises:
            ValueError: an empty or not finite loop, or a fade shorter than one sample.
        """
        dry = np.asarray(dry, np.float64)
        if dry.ndim != 1 or not dry.size or not np.isfinite(dry).all():
            raise ValueError(f'dry must be (n,), not empty and finite, got {dry.shape}')
        if crossfade_samples < 1:
            raise ValueError(f'crossfade_samples must be at least 1, got {crossfade_samples}')
        self._dry = dry
        self._position = phase % dry.size
        self._crossfade_samples = crossfade_samples
        self._previous: np.ndarray | None = None
        self._current: np.ndarray | None = None
        self._faded = crossfade_samples
        self._spectra: dict[int, np.ndarray] = {}  # by id of a response that is kept alive

    def render(self, count: int, response: np.ndarray) -> np.ndarray:
        """The next ``count`` samples, heard through ``response``.

        Args:
            count: samples per ear.
            response: (2, L) float; pass the same array while nothing moves.

        Returns:
            (2, count) float32.

        Raises:
            ValueError: ``count`` is not positive or the response is not (2, L).
        """
        if count < 1:
            raise ValueError(f'count must be at least 1, got {count}')
        self._change_to(response)
        fading = min(self._crossfade_samples - self._faded, count)
        heard = self._convolve(self._current, count)
        if fading:
            left = 1.0 - self._weights(fading)
            before = self._convolve(self._previous, fading)
            heard[:, :fading] += left * (before - heard[:, :fading])
        self._faded += fading
        self._position = (self._position + count) % self._dry.size
        return heard.astype(np.float32)

    def _change_to(self, response: np.ndarray) -> None:
        if response is self._current:
            return
        if response.ndim != 2 or response.shape[0] != 2 or not response.shape[1]:
            raise ValueError(f'response must be (2, L), got {response.shape}')
        if self._current is not None:
            self._previous = self._mixture()
            self._faded = 0
        self._current = response
        self._spectra.clear()

    def _mixture(self) -> np.ndarray:
        """The response in effect at the next sample."""
        if self._faded >= self._crossfade_samples:
            return self._current
        weight = self._faded / self._crossfade_samples
        length = max(self._previous.shape[1], self._current.shape[1])
        return ((1.0 - weight) * _padded(self._previous, length)
                + weight * _padded(self._current, length))

    def _weights(self, count: int) -> np.ndarray:
        return (self._faded + np.arange(count)) / self._crossfade_samples

    def _convolve(self, response: np.ndarray, count: int) -> np.ndarray:
        """``count`` samples from the present position through one response, (2, count)."""
        history = response.shape[1] - 1
        size = fft.next_fast_len(history + count, real=True)
        indices = np.arange(self._position - history, self._position + count)
        dry = np.take(self._dry, indices, mode='wrap')
        heard = fft.irfft(fft.rfft(dry, size) * self._spectrum(response, size), size)
        return heard[:, history:history + count]

    def _spectrum(self, response: np.ndarray, size: int) -> np.ndarray:
        known = self._spectra.get(id(response))
        if known is None or known.shape[1] != size // 2 + 1:
            known = self._spectra[id(response)] = fft.rfft(response.astype(np.float64), size)
        return known


def _padded(response: np.ndarray, length: int) -> np.ndarray:
    return np.pad(response, ((0, 0), (0, length - response.shape[1])))
