# SPDX-License-Identifier: Apache-2.0
"""A deeper ASE: one normalised trunk of convolutions that hears both for e_t and for a_t."""

from __future__ import annotations

import contextlib
from typing import Iterator

import torch
from torch import nn

from asgf_nav_ros.network.encoders import FEATURES
from asgf_nav_ros.network.encoders import float_type
from asgf_nav_ros.network.encoders import kaiming_
from asgf_nav_ros.network.spatial_state import frame_averaging
from asgf_nav_ros.network.spatial_state import frame_intensity

_CHANNELS = (48, 64, 80, 96)
_KERNELS = ((5, 3), (3, 3), (3, 3), (3, 3))  # bins, frames
_STRIDES = ((2, 1), (2, 2), (2, 1), (1, 1))


class DeepSpatialStateEncoder(nn.Module):
    """Frame embeddings from four convolutions; frames weigh by loudness and by learnt scores.

    The paper's ASE weighs frames by loudness alone, and hears front from back as badly as a
    coin. The statistics of the normalisation are those of whole batches only while
    ``learn_statistics`` says so; else they are constants, whatever ``train`` says, so that an
    agent acts as it learns.
    """

    def __init__(self, spectrogram_shape: tuple[int, int, int], *, input_gain: float = 1.0,
                 features: int = FEATURES) -> None:
        """Args: spectrogram_shape is (bins, frames, channels)."""
        super().__init__()
        bins, frames, channels = spectrogram_shape
        self.input_gain = input_gain
        self.register_buffer('averaging', frame_averaging(frames), persistent=False)
        widths = (channels, *_CHANNELS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel, stride, (kernel[0] // 2, kernel[1] // 2))
            for before, after, kernel, stride in zip(widths, _CHANNELS, _KERNELS, _STRIDES))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        for stride, _ in _STRIDES:
            bins = -(-bins // stride)
        self.score = nn.Linear(bins * _CHANNELS[-1], 1)
        self.to_state = nn.Linear(bins * _CHANNELS[-1], features)
        self.to_audio = nn.Linear(bins * _CHANNELS[-1], features)
        kaiming_(self)
        nn.init.zeros_(self.score.weight)  # loudness alone at first
        self.to(memory_format=torch.channels_last)
        self.learn_statistics(False)

    def learn_statistics(self, learns: bool) -> None:
        """Normalise by each batch and remember its statistics, or by what is remembered."""
        for norm in self.norms:
            norm.train(learns)
        self._learns_statistics = learns

    def train(self, mode: bool = True) -> DeepSpatialStateEncoder:
        """As every module, but for the normalisation."""
        super().train(mode)
        self.learn_statistics(self._learns_statistics)
        return self

    @contextlib.contextmanager
    def norms_restated(self) -> Iterator[None]:
        """Gather statistics of what is heard inside, then normalise by those to the same effect.

        Each norm maps its input as before, but its statistics are those of its input now, as
        they will be when it learns.
        """
        moments = [_Moments(norm) for norm in self.norms]
        try:
            yield
        finally:
            for each in moments:
                each.restate()

    def forward(self, spectrogram: torch.Tensor
                ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Listen to one window a row.

        Args:
            spectrogram: (B, bins, frames, channels) float32, log1p magnitudes first.

        Returns:
            a_t and e_t, (B, features) float32 and at least 0, and the frame weights w_t,
            (B, embedding_frames) float32, sum 1.
        """
        frames = self.frame_embeddings(spectrogram)  # (B, N, width)
        weights = self.frame_weights(spectrogram, frames)
        state = self.to_state((frames * weights.unsqueeze(-1).to(frames.dtype)).sum(1))
        audio = self.to_audio(frames.mean(1))
        return torch.relu(audio).float(), torch.relu(state).float(), weights

    def frame_weights(self, spectrogram: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """Softmax of loudness (equation 1) plus score over the frames, (B, N) float32."""
        score = self.score(frames).squeeze(-1).float()
        with torch.autocast(spectrogram.device.type, enabled=False):
            intensity = frame_intensity(spectrogram, self.input_gain) @ self.averaging
            return torch.softmax(intensity + score, dim=-1)

    def frame_embeddings(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """(B, bins, frames, channels) -> (B, N, bins' * channels'), one row a frame."""
        first, *rest = self.norms
        maps = first(spectrogram.to(float_type(spectrogram)).permute(0, 3, 1, 2))
        for convolution, norm in zip(self.convolutions, rest):
            maps = torch.relu_(norm(convolution(maps)))
        return maps.permute(0, 3, 2, 1).flatten(2)


class _Moments:
    """Means and variances of what goes into a norm, over all that it normalises."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        self._norm, self._count = norm, 0
        self._sums = torch.zeros(2, norm.num_features, dtype=torch.float64)
        self._hook = norm.register_forward_pre_hook(self._see)

    def _see(self, _: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        maps = inputs[0].double().transpose(0, 1).flatten(1)  # (channels, values)
        self._sums += torch.stack([maps.sum(1), maps.square().sum(1)]).to(self._sums.device)
        self._count += maps.shape[1]

    @torch.no_grad()
    def restate(self) -> None:
        self._hook.remove()
        if not self._count:
            return
        norm = self._norm
        mean, square = (self._sums / self._count).to(norm.weight)
        variance = (square - mean.square()).clamp_min(norm.eps)
        slope = norm.weight / (norm.running_var + norm.eps).sqrt()
        norm.bias += slope * (mean - norm.running_mean)
        norm.weight.copy_(slope * (variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
