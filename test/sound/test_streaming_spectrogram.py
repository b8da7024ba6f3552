# SPDX-License-Identifier: Apache-2.0
"""The streamed spectrogram against the one of the whole window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from asgf_nav_ros.sound.streaming_spectrogram import StreamingSpectrogram

SHORT = PolicyContract(window_s=0.1, audio_channels=TWO_EARS_WITH_INTERAURAL)


def noise(samples: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (2, samples)).astype(np.float32)


def push_in_chunks(stream: StreamingSpectrogram, audio: np.ndarray, samples: int) -> None:
    for start in range(0, audio.shape[1], samples):
        stream.push(audio[:, start:start + samples])


def assert_newest_window_is_exact(stream, audio, contract):
    end = stream.window_end
    assert audio.shape[1] - contract.hop_length < end <= audio.shape[1]
    window = audio[:, end - contract.window_samples:end]
    np.testing.assert_allclose(
        stream.spectrogram(), log_magnitude_spectrogram(window, contract), atol=1e-6)


@pytest.mark.parametrize('rate_hz', [16000, 44100])
@pytest.mark.parametrize('chunk', [320, 882, 100000])
def test_equals_the_whole_window_at_every_chunk_size(rate_hz, chunk):
    contract = PolicyContract(sample_rate_hz=rate_hz)
    stream, audio = StreamingSpectrogram(contract), noise(2 * rate_hz + 1234)
    push_in_chunks(stream, audio, chunk)
    assert_newest_window_is_exact(stream, audio, contract)


@settings(deadline=None, max_examples=50)
@given(sizes=st.lists(st.integers(1, 900), min_size=1, max_size=20),
       window_s=st.sampled_from([0.1, 0.05, 0.033, 0.02, 0.005]), hop=st.sampled_from([160, 97]))
def test_is_exact_after_any_pushes(sizes, window_s, hop):
    contract = PolicyContract(window_s=window_s, hop_length=hop,
                              audio_channels=TWO_EARS_WITH_INTERAURAL)
    stream, audio = StreamingSpectrogram(contract), noise(sum(sizes))
    for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
        stream.push(audio[:, start:start + size])
    if sum(sizes) < contract.window_samples:
        assert stream.window_end is None
    else:
        assert_newest_window_is_exact(stream, audio, contract)


def test_first_window_is_the_one_that_starts_at_the_reset():
    stream = StreamingSpectrogram(SHORT)
    stream.push(noise(777, seed=1))
    stream.reset()
    audio = noise(SHORT.window_samples)
    stream.push(audio)
    assert stream.window_end == SHORT.window_samples
    assert_newest_window_is_exact(stream, audio, SHORT)


def test_refuses_to_answer_before_a_whole_window():
    stream = StreamingSpectrogram(SHORT)
    stream.push(noise(SHORT.window_samples - 1))
    with pytest.raises(ValueError, match='needs 1600 samples, got 1599'):
        stream.spectrogram()


@pytest.mark.parametrize('audio', [np.zeros((1, 5)), np.zeros((2, 0)), np.full((2, 5), np.inf)])
def test_refuses_bad_audio_and_keeps_its_state(audio):
    stream, good = StreamingSpectrogram(SHORT), noise(2000)
    stream.push(good)
    with pytest.raises(ValueError, match='audio must be'):
        stream.push(audio)
    assert_newest_window_is_exact(stream, good, SHORT)
