# SPDX-License-Identifier: Apache-2.0
"""The usual way to an observation and an action, for comparison: librosa, skimage, eager torch."""

from __future__ import annotations

import librosa
import numpy as np
from skimage.measure import block_reduce
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.agent import NavigationAgent


def librosa_spectrogram(audio: np.ndarray, contract: PolicyContract) -> np.ndarray:
    """Return the two ears' spectrogram as SoundSpaces computes it.

    Args:
        audio: (2, window_samples) float32.
        contract: gives STFT, pooling and gain.

    Returns:
        (bins, frames, 2) float32.
    """
    return np.stack([_one_ear(ear, contract) for ear in audio], axis=-1)


def _one_ear(samples: np.ndarray, contract: PolicyContract) -> np.ndarray:
    stft = librosa.stft(
        contract.input_gain * samples, n_fft=contract.n_fft, hop_length=contract.hop_length,
        win_length=contract.win_length, pad_mode='constant')
    return np.log1p(block_reduce(np.abs(stft), (contract.pool, contract.pool), np.mean))


class EagerAgent:
    """Decides with torch as SoundSpaces' ``policy.act`` does.

    Arrays become tensors of one row; forward; a categorical distribution, its mode and the
    log-probability of that action; the memory is kept for the next step.
    """

    def __init__(self, agent: NavigationAgent) -> None:
        self._agent = agent.eval()
        self._hidden = agent.initial_hidden(1)
        self.log_probability = torch.zeros(1)

    @torch.no_grad()
    def decide(self, rgb: np.ndarray, depth: np.ndarray, audio: np.ndarray) -> int:
        """Return the action for one window, (2, n) float32, and the images seen with it."""
        spectrogram = librosa_spectrogram(audio, self._agent.contract)
        inputs = [torch.from_numpy(array).unsqueeze(0) for array in (rgb, depth, spectrogram)]
        output = self._agent(*inputs, self._hidden)
        self._hidden = output.hidden
        distribution = torch.distributions.Categorical(logits=output.logits)
        action = distribution.probs.argmax(dim=-1)
        self.log_probability = distribution.log_prob(action)
        return int(action)
