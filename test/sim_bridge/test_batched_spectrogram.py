# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from sim_bridge.batched_spectrogram import BatchedSpectrogram


@pytest.mark.parametrize('sample_rate_hz', [16000, 44100])
@pytest.mark.parametrize('audio_channels', [TWO_EARS, TWO_EARS_WITH_INTERAURAL])
def test_equals_the_robots_spectrogram(sample_rate_hz, audio_channels):
    contract = PolicyContract(sample_rate_hz=sample_rate_hz, audio_channels=audio_channels,
                              input_gain=30.0)
    rng = np.random.default_rng(3)
    audio = rng.uniform(-0.5, 0.5, (11, 2, contract.window_samples)).astype(np.float32)
    audio[0] = 0.0
    audio[1, 1] *= 1e-3
    batched = BatchedSpectrogram(contract)(torch.from_numpy(audio)).numpy()
    single = np.stack([log_magnitude_spectrogram(window, contract) for window in audio])
    assert batched.shape == (11, *contract.spectrogram_shape)
    np.testing.assert_allclose(batched, single, atol=1e-5)
