# SPDX-License-Identifier: Apache-2.0
"""One second of a sound through a response, with the tail of the seconds before."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from scipy import fft
import torch

KEPT_SPECTRA = 256  # 90 KB each at 16 kHz


class WindowConvolver:
    """Convolves windows of sounds; the spectra of the last sounds are kept."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        # The sound stays alive beside its spectrum, so that its id names it.
        self._spectra: OrderedDict[tuple[int, ...], tuple[np.ndarray, torch.Tensor]] = (
            OrderedDict())

    def window_of(self, sound: np.ndarray, response: np.ndarray, *,
                  second: int) -> np.ndarray:
        """One window of a sound through a response.

        Args:
            sound: (n,) float32.
            response: (2, L) float32.
            second: index of the window, 0 for the first, which nothing precedes.

        Returns:
            (2, samples) float32.
        """
        history = min(response.shape[1] - 1, second * self._samples)
        response = response[:, :history + self._samples]
        size = fft.next_fast_len(history + self._samples + response.shape[1] - 1, real=True)
        # Each window is transformed alone: its company shall not round it otherwise.
        spectra = torch.fft.rfft(torch.from_numpy(np.ascontiguousarray(response)), n=size)
        wet = torch.fft.irfft(spectra * self._spectrum(sound, second, history, size), n=size)
        return wet[:, history:history + self._samples].numpy()

    def _spectrum(self, sound: np.ndarray, second: int, history: int, size: int) -> torch.Tensor:
        key = (id(sound), second, history, size)
        found = self._spectra.pop(key, None)
        if found is None:
            start = second * self._samples
            dry = np.array(sound[start - history:start + self._samples], np.float32)
            found = sound, torch.fft.rfft(torch.from_numpy(dry), n=size)
        self._spectra[key] = found
        if len(self._spectra) > KEPT_SPECTRA:
            self._spectra.popitem(last=False)
        return found[1]
