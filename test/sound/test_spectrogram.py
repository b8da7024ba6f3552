# SPDX-License-Identifier: Apache-2.0
"""The spectrogram against the libraries that SoundSpaces uses."""

from __future__ import annotations

import dataclasses

import librosa
import numpy as np
import pytest
from skimage.measure import block_reduce

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.sound import spectrogram
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram

REPLICA = PolicyContract(sample_rate_hz=44100)
MATTERPORT = PolicyContract(sample_rate_hz=16000)
INTERAURAL = PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL)


def soundspaces_spectrogram(audio: np.ndarray, gain: float = 1.0) -> np.ndarray:
    ears = [np.abs(librosa.stft(ear, n_fft=512, hop_length=160, win_length=400,
                                center=True, pad_mode='constant')) for ear in gain * audio]
    pooled = [block_reduce(ear, block_size=(4, 4), func=np.mean) for ear in ears]
    return np.log1p(np.stack(pooled, axis=-1))


def white_noise(contract: PolicyContract, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (2, contract.window_samples)).astype(np.float32)


def tone(contract: PolicyContract, *, frequency_hz: float, right_delay_s: float = 0.0,
         right_gain: float = 1.0) -> np.ndarray:
    time_s = np.arange(contract.window_samples) / contract.sample_rate_hz
    left = np.sin(2 * np.pi * frequency_hz * time_s)
    right = right_gain * np.sin(2 * np.pi * frequency_hz * (time_s - right_delay_s))
    return np.stack([left, right]).astype(np.float32)


@pytest.mark.parametrize('contract, shape', [(REPLICA, (65, 69, 2)), (MATTERPORT, (65, 26, 2))])
def test_equals_soundspaces_at_both_rates(contract, shape):
    loud, faint = white_noise(contract), 1e-3 * white_noise(contract, seed=1)
    for audio in (loud, faint, tone(contract, frequency_hz=997.0), np.zeros_like(loud)):
        ours = log_magnitude_spectrogram(audio, contract)
        assert ours.shape == shape == contract.spectrogram_shape
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, soundspaces_spectrogram(audio), rtol=0, atol=1e-5)


def test_applies_the_input_gain_before_the_logarithm():
    contract = dataclasses.replace(MATTERPORT, input_gain=30.0)
    audio = 0.1 * white_noise(contract)
    expected = soundspaces_spectrogram(audio, gain=30.0)
    np.testing.assert_allclose(log_magnitude_spectrogram(audio, contract), expected, atol=1e-5)


def test_frames_equal_librosa_in_phase_too():
    audio = white_noise(MATTERPORT)
    padded = np.pad(audio, ((0, 0), (256, 256)))
    ours = spectrogram.spectra_of_frames(spectrogram.frames_of(padded, MATTERPORT), MATTERPORT)
    expected = librosa.stft(audio, n_fft=512, hop_length=160, win_length=400, pad_mode='constant')
    np.testing.assert_allclose(ours, np.swapaxes(expected, 1, 2), atol=1e-4)


@pytest.mark.parametrize('changes', [
    {'n_fft': 256, 'win_length': 256, 'hop_length': 100, 'pool': 3},
    {'window_s': 0.5, 'win_length': 399, 'pool': 1},
    {'window_s': 0.01}])
def test_other_contracts_give_the_shape_that_they_state(changes):
    contract = dataclasses.replace(INTERAURAL, **changes)
    found = log_magnitude_spectrogram(white_noise(contract), contract)
    assert found.shape == contract.spectrogram_shape


def test_interaural_contract_keeps_the_two_ears():
    audio = white_noise(INTERAURAL)
    both = log_magnitude_spectrogram(audio, INTERAURAL)
    assert both.shape == (65, 26, 5)
    np.testing.assert_array_equal(
        both[..., :2], log_magnitude_spectrogram(audio, MATTERPORT))


def test_ild_is_the_log_power_ratio_and_positive_to_the_left():
    features = log_magnitude_spectrogram(
        tone(INTERAURAL, frequency_hz=1000.0, right_gain=0.1), INTERAURAL)
    np.testing.assert_allclose(features[8, 2:24, 2], 2.0, atol=1e-3)  # 20 dB


def test_ipd_is_the_phase_by_which_the_left_ear_leads():
    features = log_magnitude_spectrogram(
        tone(INTERAURAL, frequency_hz=500.0, right_delay_s=0.0005), INTERAURAL)
    np.testing.assert_allclose(features[4, 2:24, 3], np.cos(np.pi / 2), atol=1e-3)
    np.testing.assert_allclose(features[4, 2:24, 4], np.sin(np.pi / 2), atol=1e-3)


def test_ipd_equals_the_definition():
    audio = 0.2 * white_noise(INTERAURAL)
    left, right = librosa.stft(audio, n_fft=512, hop_length=160, win_length=400,
                               pad_mode='constant')

    def pooled(values):
        return block_reduce(values, (4, 4), np.mean)

    power = pooled(np.abs(left) ** 2) * pooled(np.abs(right) ** 2)
    cross = left * right.conj()
    features = log_magnitude_spectrogram(audio, INTERAURAL)
    np.testing.assert_allclose(
        features[..., 3], pooled(cross.real) / np.sqrt(power), atol=1e-4)
    np.testing.assert_allclose(
        features[..., 4], pooled(cross.imag) / np.sqrt(power), atol=1e-4)


def test_silence_and_one_dead_ear_stay_finite_and_bounded():
    silent = np.zeros((2, 16000), np.float32)
    assert not log_magnitude_spectrogram(silent, INTERAURAL).any()
    silent[0] = white_noise(INTERAURAL)[0]
    features = log_magnitude_spectrogram(silent, INTERAURAL)
    assert np.isfinite(features).all()
    assert features[..., 2].max() == spectrogram.ILD_LIMIT
    assert not features[..., 3:].any()


def test_quantisation_noise_tells_no_direction():
    rng = np.random.default_rng(0)
    noise = (rng.uniform(-0.5, 0.5, (2, 16000)) / 32768).astype(np.float32)
    interaural = log_magnitude_spectrogram(noise, INTERAURAL)[..., 2:]
    assert np.abs(interaural).mean() < 0.1


def test_interaural_planes_do_not_depend_on_the_gain():
    audio = 0.01 * white_noise(INTERAURAL)
    loud = dataclasses.replace(INTERAURAL, input_gain=30.0)
    np.testing.assert_array_equal(log_magnitude_spectrogram(audio, loud)[..., 2:],
                                  log_magnitude_spectrogram(audio, INTERAURAL)[..., 2:])


@pytest.mark.parametrize('shape', [(16000,), (1, 16000), (2, 15999), (16000, 2)])
def test_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r'must be \(2, 16000\), got'):
        log_magnitude_spectrogram(np.zeros(shape, np.float32), MATTERPORT)


def test_refuses_nan():
    audio = np.full((2, 16000), np.nan, np.float32)
    with pytest.raises(ValueError, match='must be finite'):
        log_magnitude_spectrogram(audio, MATTERPORT)
