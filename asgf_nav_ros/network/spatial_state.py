# SPDX-License-Identifier: Apache-2.0
"""ASE, the audio spatial state encoder of the paper (equations 1 to 3)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from asgf_nav_ros.network.encoders import FEATURES
from asgf_nav_ros.network.encoders import float_type
from asgf_nav_ros.network.encoders import kaiming_
from asgf_nav_ros.network.memory import run_gru

EARS = 2  # the left and right planes lead the channels of every contract
TIME_STRIDE = 2  # frames of the spectrogram per frame embedding
_CHANNELS = 32
_BIN_STRIDE = 16  # of the three convolutions together


def embedding_frames(frames: int) -> int:
    """Frame embeddings that the ASE makes of a spectrogram's frames, e.g. 13 of 26."""
    return -(-frames // TIME_STRIDE)


def frame_averaging(frames: int) -> torch.Tensor:
    """(frames, embedding_frames(frames)) matrix that averages neighbouring frames.

    Each column sums to 1; the last averages what is left where the stride does not divide.
    """
    groups = torch.arange(frames) // TIME_STRIDE
    members = functional.one_hot(groups).float()
    return members / members.sum(0)


def frame_intensity(spectrogram: torch.Tensor, input_gain: float = 1.0) -> torch.Tensor:
    """I_{t,i}, equation 1: the mean magnitude of a frame over bins and both ears.

    The contract's planes are log1p of amplified magnitudes, so both are undone first: with the
    gain left in, the softmax would pick one single frame near the source. Interaural planes do
    not count.

    Args:
        spectrogram: (B, bins, frames, channels) float32.
        input_gain: of the contract.

    Returns:
        (B, frames) float32, at least 0.
    """
    magnitudes = torch.exp(spectrogram[..., :EARS]) - 1  # ONNX has no expm1
    return magnitudes.mean(dim=(1, 3)) / input_gain


class SpatialStateEncoder(nn.Module):
    """CNN that keeps the time axis, BiGRU over frames, mean weighted by loudness.

    The three convolutions divide the bins by 4, 2 and 2, and the first one the frames by 2:
    65 x 26 becomes 5 x 13, so N = 13 frame embeddings of 2 x 256. The intensity of such a frame
    is the mean of those that it covers.
    """

    def __init__(self, spectrogram_shape: tuple[int, int, int], *, input_gain: float = 1.0,
                 features: int = FEATURES) -> None:
        """Args: spectrogram_shape is (bins, frames, channels); features must be even."""
        super().__init__()
        if features % 2:
            raise ValueError(f'features must be even for two directions, got {features}')
        bins, frames, channels = spectrogram_shape
        self.input_gain = input_gain
        self.register_buffer('averaging', frame_averaging(frames), persistent=False)
        self.frames = embedding_frames(frames)
        self.convolutions = nn.ModuleList((
            nn.Conv2d(channels, _CHANNELS, (7, 3), (4, TIME_STRIDE), (3, 1)),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, (2, 1), 1),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, (2, 1), 1)))
        rows = -(-bins // _BIN_STRIDE)
        self.recurrence = nn.GRU(rows * _CHANNELS, features // 2, bidirectional=True)
        kaiming_(self.convolutions)
        for name, parameter in self.recurrence.named_parameters():
            (nn.init.orthogonal_ if 'weight' in name else nn.init.zeros_)(parameter)
        self.to(memory_format=torch.channels_last)

    def forward(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Listen to one window a row.

        Args:
            spectrogram: (B, bins, frames, channels) float32, log1p magnitudes first.

        Returns:
            e_t, (B, features) float32, and the frame weights w_t, (B, N) float32, sum 1.
        """
        weights = self.frame_weights(spectrogram)
        embeddings = self.frame_embeddings(spectrogram)  # (N, B, features)
        state = (embeddings * weights.t().unsqueeze(-1)).sum(0)  # equation 3
        return state, weights

    def frame_weights(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """w_{t,i}, equation 2: softmax of the intensities over the frames. (B, N) float32."""
        with torch.autocast(spectrogram.device.type, enabled=False):
            intensity = frame_intensity(spectrogram, self.input_gain) @ self.averaging
            return torch.softmax(intensity, dim=-1)

    def frame_embeddings(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """e_{t,i}: (B, bins, frames, channels) -> (N, B, features), time first."""
        maps = spectrogram.to(float_type(spectrogram)).permute(0, 3, 1, 2)
        for convolution in self.convolutions:
            maps = torch.relu_(convolution(maps))
        sequence = maps.permute(3, 0, 2, 1).flatten(2)  # (N, B, bins * channels)
        return run_gru(self.recurrence, sequence)[0]
