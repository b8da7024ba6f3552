# SPDX-License-Identifier: Apache-2.0
"""Change what was heard and seen at learning time: SpecAugment masks, colour jitter."""

from __future__ import annotations

import numpy as np
import torch

_MASKED_BINS, _MASKED_FRAMES = 16, 6  # at most


def mask_spectrograms(spectrogram: torch.Tensor, share: float,
                      rng: np.random.Generator) -> None:
    """Silence a stripe of bins and a stripe of frames in a share of samples, in place.

    spectrogram : (T, N, bins, frames, channels) float32.
    """
    steps, environments, bins, frames, _ = spectrogram.shape
    chosen = np.nonzero(rng.random((steps, environments)) < share)
    count = len(chosen[0])
    if count:
        kept = (_stripes(count, bins, _MASKED_BINS, rng)[:, :, None]
                & _stripes(count, frames, _MASKED_FRAMES, rng)[:, None])
        chosen = tuple(torch.from_numpy(index).to(spectrogram.device) for index in chosen)
        spectrogram[chosen] *= torch.from_numpy(kept).to(spectrogram.device)[..., None]


def _stripes(count: int, length: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """(count, length) bool, false along one stripe of up to ``most`` a row."""
    width = rng.integers(min(most, length) + 1, size=(count, 1))
    start = rng.integers(length - width + 1)
    place = np.arange(length)
    return (place < start) | (place >= start + width)


def jitter_colors(rgb: torch.Tensor, share: float, rng: np.random.Generator) -> torch.Tensor:
    """Swap colour channels and scale each in a share of environments.

    rgb : (T, N, H, W, 3) uint8; returned in the same shape and type.
    """
    chosen = np.flatnonzero(rng.random(rgb.shape[1]) < share)
    if len(chosen):
        order = rng.permuted(np.tile(np.arange(3), (len(chosen), 1)), axis=1)
        scale = rng.uniform(0.5, 1.0, (len(chosen), 1, 1, 3)).astype(np.float32)
        order, scale, environments = (
            torch.from_numpy(values).to(rgb.device) for values in (order, scale, chosen))
        before = rgb[:, environments]
        swapped = before.gather(-1, order[:, None, None].expand_as(before))
        rgb[:, environments] = (swapped * scale).to(torch.uint8)
    return rgb
