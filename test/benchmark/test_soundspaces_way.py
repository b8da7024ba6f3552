# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.benchmark.soundspaces_way import EagerAgent
from asgf_nav_ros.benchmark.soundspaces_way import librosa_spectrogram
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram


@pytest.mark.parametrize('sample_rate_hz', [16000, 44100])
def test_both_ways_compute_the_same(sample_rate_hz):
    contract = PolicyContract(sample_rate_hz=sample_rate_hz)
    audio = np.random.default_rng(0).uniform(-1, 1, (2, sample_rate_hz)).astype(np.float32)
    usual = librosa_spectrogram(audio, contract)
    assert usual.shape == contract.spectrogram_shape
    assert np.abs(usual - log_magnitude_spectrogram(audio, contract)).max() < 1e-5


def test_eager_agent_remembers_from_step_to_step():
    contract = PolicyContract()
    agent = EagerAgent(NavigationAgent(contract))
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    depth = np.ones((128, 128), np.float32)
    audio = rng.uniform(-1, 1, (2, contract.window_samples)).astype(np.float32)
    before = agent._hidden
    assert agent.decide(rgb, depth, audio) in range(4)
    assert (agent._hidden != before).any()
