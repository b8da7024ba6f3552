# SPDX-License-Identifier: Apache-2.0
"""The policy's spectrogram for a whole batch of windows at once, on torch."""

from __future__ import annotations

import torch
from torch.nn import functional

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.sound.spectrogram import ILD_LIMIT
from asgf_nav_ros.sound.spectrogram import INTERAURAL_POWER_EPS

# On a CPU the spectra of this many windows stay in the cache between the stages.
_WINDOWS_IN_CACHE = 8


class BatchedSpectrogram:
    """Equal to ``sound.spectrogram.log_magnitude_spectrogram``, for (N, 2, n) windows."""

    def __init__(self, contract: PolicyContract, *, device: torch.device | str = 'cpu') -> None:
        self._contract = contract
        window = torch.hann_window(contract.win_length, periodic=True, device=device)
        left = (contract.n_fft - contract.win_length) // 2
        self._window = functional.pad(
            window, (left, contract.n_fft - contract.win_length - left))

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """Transform ``audio`` (N, 2, n) float32 into (N, bins, frames, channels) float32."""
        size = len(audio) if audio.is_cuda else _WINDOWS_IN_CACHE
        return torch.cat([self._features(windows) for windows in audio.split(size)])

    def _features(self, audio: torch.Tensor) -> torch.Tensor:
        spectra = self._transform(audio)  # (N, 2, T, F) complex
        squares = torch.view_as_real(spectra).square()
        power = squares[..., 0] + squares[..., 1]  # a sum over an axis of two is 20 times slower
        magnitude = self._pool(power.sqrt())  # (N, 2, frames, bins)
        features = [torch.log1p(magnitude * self._contract.input_gain)]
        if self._contract.audio_channels != TWO_EARS:
            cross = torch.view_as_real(spectra[:, 0] * spectra[:, 1].conj())
            features.append(_interaural(self._pool(power), self._pool(cross.movedim(-1, 1))))
        return torch.cat(features, 1).permute(0, 3, 2, 1).contiguous()

    def _transform(self, audio: torch.Tensor) -> torch.Tensor:
        half = self._contract.n_fft // 2
        frames = functional.pad(audio, (half, half)).unfold(
            -1, self._contract.n_fft, self._contract.hop_length)
        return torch.fft.rfft(frames * self._window)  # (N, 2, T, F)

    def _pool(self, planes: torch.Tensor) -> torch.Tensor:
        pool = self._contract.pool
        frames, bins = planes.shape[-2:]
        padded = functional.pad(planes, (0, -bins % pool, 0, -frames % pool))
        return functional.avg_pool2d(padded, pool)


def _interaural(power: torch.Tensor, cross: torch.Tensor) -> torch.Tensor:
    """Mean powers and cross-spectrum, (N, 2, ...) each -> (N, 3, ...) ild, ipd_cos, ipd_sin."""
    power = power + INTERAURAL_POWER_EPS
    ild = torch.log10(power[:, :1] / power[:, 1:]).clamp(-ILD_LIMIT, ILD_LIMIT)
    return torch.cat([ild, cross / power.prod(1, keepdim=True).sqrt()], 1)
