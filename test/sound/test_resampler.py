# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.sound.resampler import Resampler

RATES = [(48000, 16000), (44100, 16000), (16000, 44100), (96000, 16000), (16000, 16000)]


def tones(rate_hz, samples):
    """(2, samples): 440 Hz left, 3 kHz right."""
    time_s = np.arange(samples) / rate_hz
    return np.stack([np.sin(2 * np.pi * 440 * time_s), np.cos(2 * np.pi * 3000 * time_s)])


def in_pieces(resampler, audio, *, seed=0):
    rng, pieces, start = np.random.default_rng(seed), [], 0
    while start < audio.shape[1]:
        stop = start + int(rng.integers(1, 1500))
        pieces.append(resampler.push(audio[:, start:stop]))
        start = stop
    return np.concatenate(pieces, axis=1)


@pytest.mark.parametrize('from_hz, to_hz', RATES)
def test_blocks_of_any_length_give_the_same_samples(from_hz, to_hz):
    audio = np.random.default_rng(3).normal(size=(2, from_hz // 2))
    whole = Resampler(from_hz, to_hz).push(audio)
    np.testing.assert_array_equal(in_pieces(Resampler(from_hz, to_hz), audio), whole)


@pytest.mark.parametrize('from_hz, to_hz', RATES)
def test_tones_keep_phase_level_and_side(from_hz, to_hz):
    found = in_pieces(Resampler(from_hz, to_hz), tones(from_hz, from_hz // 2))
    assert found.dtype == np.float32
    wanted = tones(to_hz, found.shape[1])
    np.testing.assert_allclose(found[:, 400:], wanted[:, 400:], atol=5e-5)


@pytest.mark.parametrize('from_hz', [44100, 48000])
def test_what_would_alias_is_gone(from_hz):
    high = np.sin(2 * np.pi * 8700 * np.arange(from_hz) / from_hz)[None].repeat(2, axis=0)
    assert np.abs(Resampler(from_hz, 16000).push(high)[:, 400:]).max() < 1e-4


def test_memory_does_not_grow():
    resampler, silence = Resampler(44100, 16000), np.zeros((2, 882))
    held = []
    for _ in range(200):
        resampler.push(silence)
        held.append(resampler._held.shape[1])
    assert max(held[100:]) <= max(held[:100])


def test_reset_begins_anew():
    resampler, audio = Resampler(48000, 16000), tones(48000, 5000)
    first = resampler.push(audio)
    resampler.reset()
    np.testing.assert_array_equal(resampler.push(audio), first)


@pytest.mark.parametrize('rates', [(0, 16000), (48000, -1)])
def test_refuses_rates_that_are_none(rates):
    with pytest.raises(ValueError, match='_hz must be positive, got'):
        Resampler(*rates)


def test_refuses_another_number_of_channels():
    with pytest.raises(ValueError, match=r'audio must be \(2, n\), got \(3, 10\)'):
        Resampler(48000, 16000).push(np.zeros((3, 10)))
