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
    for step, environment in np.argwhere(rng.random((steps, environments)) < share):
        sample = spectrogram[int(step), int(environment)]
        for axis, length, most in ((0, bins, _MASKED_BINS), (1, frames, _MASKED_FRAMES)):
            width = int(rng.integers(min(most, length) + 1))
            start = int(rng.integers(length - width + 1))
            sample.narrow(axis, start, width).zero_()


def jitter_colors(rgb: torch.Tensor, share: float, rng: np.random.Generator) -> torch.Tensor:
    """Swap colour channels and scale each in a share of environments.

    rgb : (T, N, H, W, 3) uint8; returned in the same shape and type.
    """
    for environment in np.flatnonzero(rng.random(rgb.shape[1]) < share).tolist():
        order = torch.from_numpy(rng.permutation(3)).to(rgb.device)
        scale = torch.from_numpy(rng.uniform(0.5, 1.0, 3).astype(np.float32)).to(rgb.device)
        rgb[:, environment] = (rgb[:, environment][..., order] * scale).to(torch.uint8)
    return rgb
