# SPDX-License-Identifier: Apache-2.0
"""Visual and audio encoders: the two plain CNNs of SoundSpaces AV-Nav, d_t and a_t."""

from __future__ import annotations

from typing import Sequence

import torch
from torch import nn

FEATURES = 512
SIGHT_CHANNELS = {'rgbd': 4, 'rgb': 3, 'depth': 1}
_CHANNELS = (32, 64, 64)
_SMALL_SIDE = 30  # under it the audio kernels shrink, as in SoundSpaces


def convolved_size(size: int, kernels: Sequence[int], strides: Sequence[int]) -> int:
    """Length of a side after unpadded convolutions.

    Raises:
        ValueError: the side is too short for the kernels.
    """
    left = size
    for kernel, stride in zip(kernels, strides):
        left = (left - kernel) // stride + 1
        if left < 1:
            raise ValueError(f'a side must outlast kernels {tuple(kernels)} with strides '
                             f'{tuple(strides)}, got {size}')
    return left


def kaiming_(module: nn.Module) -> None:
    """Initialise every convolution and linear layer under ``module``: He normal, zero bias."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def float_type(tensor: torch.Tensor) -> torch.dtype:
    """Type that convolutions compute in here: autocast's where it is on, else float32."""
    kind = tensor.device.type
    if torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return torch.float32


class ConvolutionalEncoder(nn.Module):
    """Three convolutions 32/64/64 (no ReLU after the third), then linear and ReLU.

    Images are kept in channels-last order, which is the order that they arrive in.
    """

    def __init__(self, image_shape: tuple[int, int, int], *, kernels: Sequence[int],
                 strides: Sequence[int], features: int = FEATURES) -> None:
        """Args: image_shape is (height, width, channels)."""
        super().__init__()
        height, width, channels = image_shape
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel, stride) for before, after, kernel, stride
            in zip((channels, *_CHANNELS), _CHANNELS, kernels, strides))
        cells = convolved_size(height, kernels, strides) * convolved_size(width, kernels, strides)
        self.linear = nn.Linear(_CHANNELS[-1] * cells, features)
        kaiming_(self)
        self.to(memory_format=torch.channels_last)

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """(B, channels, height, width) in channels-last order -> (B, features), at least 0."""
        first, second, third = self.convolutions
        maps = third(torch.relu_(second(torch.relu_(first(image)))))
        rows = maps.permute(0, 2, 3, 1).flatten(1)  # channels last: a view, not a copy
        return torch.relu(self.linear(rows))


class VisualEncoder(ConvolutionalEncoder):
    """d_t: RGB / 255 and depth / depth_max_m as one four-channel image; kernels 8/4/3, 4/2/2."""

    def __init__(self, image_size: tuple[int, int], *, depth_max_m: float, sight: str = 'rgbd',
                 features: int = FEATURES) -> None:
        """Args: image_size is (height, width); sight is one of ``SIGHT_CHANNELS``."""
        if sight not in SIGHT_CHANNELS:
            raise ValueError(f'sight must be one of {sorted(SIGHT_CHANNELS)}, got {sight!r}')
        super().__init__((*image_size, SIGHT_CHANNELS[sight]), kernels=(8, 4, 3),
                         strides=(4, 2, 2), features=features)
        self.sight = sight
        self.depth_max_m = depth_max_m

    def forward(self, rgb: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
        """Encode one view a row.

        Args:
            rgb: (B, H, W, 3) uint8.
            depth: (B, H, W) float32, metres.

        Returns:
            (B, features), at least 0.
        """
        dtype = float_type(depth)
        planes = []
        if self.sight != 'depth':
            planes.append(rgb.permute(0, 3, 1, 2).to(dtype).mul(1 / 255))
        if self.sight != 'rgb':
            planes.append(depth.to(dtype).mul(1 / self.depth_max_m).unsqueeze(1))
        return self.encode(torch.cat(planes, 1))


class AudioEncoder(ConvolutionalEncoder):
    """a_t: the whole spectrogram as an image.

    Kernels 8/4/3 with strides 4/2/1, or 5/3/3 with strides 2/2/1 where a side is under 30.
    """

    def __init__(self, spectrogram_shape: tuple[int, int, int], *,
                 features: int = FEATURES) -> None:
        """Args: spectrogram_shape is (bins, frames, channels) of the contract."""
        small = min(spectrogram_shape[:2]) < _SMALL_SIDE
        super().__init__(spectrogram_shape, kernels=(5, 3, 3) if small else (8, 4, 3),
                         strides=(2, 2, 1) if small else (4, 2, 1), features=features)

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """(B, bins, frames, channels) float32 -> (B, features), at least 0."""
        image = spectrogram.to(float_type(spectrogram)).permute(0, 3, 1, 2)
        return self.encode(image)
