# SPDX-License-Identifier: Apache-2.0
"""What the goal sounds like, remembered from the first windows of an episode.

A robot is sent to the sound that it hears when it is sent. A second sound that sets in later is
told from the goal by its spectrum alone, and so is a pause of the goal from the goal; the ears
are given the mean spectrum of the first windows beside every window that they hear.
"""

from __future__ import annotations

import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.network.memory import carried_on

MATCH_SIZE = 6
_FLOOR = 1e-3  # of the loudest bin: -60 dB
_STEPS = ((40.0, 0.8), (60.0, 0.93))  # slopes and places where a likeness begins to count


class GoalSound:
    """Adds up the first ``contract.goal_windows`` spectra; keeps no state of its own.

    The state of one episode, ``size`` float32 numbers, zero at its start: the sum (bins) and how
    many windows are in it.
    """

    def __init__(self, contract: PolicyContract) -> None:
        self._windows = contract.goal_windows
        self._gain = contract.input_gain
        self.size = contract.goal_sound_size

    def spectrum(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """Mean magnitude over frames and ears, (..., bins, frames, channels) -> (..., bins)."""
        ears = spectrogram[..., :len(TWO_EARS)].float()
        return (torch.exp(ears) - 1).mean(dim=(-2, -1)) / self._gain  # ONNX has no expm1

    def remember(self, spectrum: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Return the state (N, size) after a window of spectrum (N, bins)."""
        count = state[:, -1:]
        open_yet = (count < self._windows).float()
        return torch.cat([state[:, :-1] + open_yet * spectrum, count + open_yet], -1)

    def unroll(self, spectra: torch.Tensor, state: torch.Tensor,
               starts: torch.Tensor) -> torch.Tensor:
        """Every state (T, N, size) of a stretch of spectra (T, N, bins).

        state : (N, size), before the first step; starts : (T, N) bool, where episodes begin.
        """
        return carried_on(self.remember, spectra, state, starts)

    def beside(self, spectrogram: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Add one plane, the same in all frames: (B, bins, frames, channels + 1) float32.

        It is the remembered spectrum in units of 20 dB over a floor 60 dB under the loudest bin.
        """
        plane = _levels(state[:, :-1]) + 3.0
        return torch.cat([spectrogram, plane[:, :, None, None].expand(
            -1, -1, spectrogram.shape[2], 1)], -1)

    def match(self, spectrogram: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """How alike a window (B, bins, frames, channels) and the remembered sound are.

        Near a source its sound is nearly all that is heard: this tells the goal from other ones.

        Returns:
            (B, MATCH_SIZE) float32: correlation of the levels in dB and cosine of the magnitudes,
            each as it is and as two steps from 0 to 1.
        """
        goal, now = state[:, :-1], self.spectrum(spectrogram)
        centred = [levels - levels.mean(-1, keepdim=True)
                   for levels in (_levels(goal), _levels(now))]
        alike = torch.stack([_cosine(*centred), _cosine(goal, now)], -1)
        return torch.cat([alike, *(torch.sigmoid(slope * (alike - place))
                                   for slope, place in _STEPS)], -1)


def _levels(spectrum: torch.Tensor) -> torch.Tensor:
    """Levels (..., bins) under the loudest bin, in units of 20 dB, -3 at the least."""
    share = spectrum / spectrum.amax(dim=-1, keepdim=True).clamp_min(1e-9)
    return torch.log10(share + _FLOOR)


def _cosine(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    norms = (one.square().sum(-1) * other.square().sum(-1)).sqrt()
    return (one * other).sum(-1) / norms.clamp_min(1e-9)
