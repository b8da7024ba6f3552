# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.sound.ear_swap import BANDS
from asgf_nav_ros.sound.ear_swap import EarSwap
from asgf_nav_ros.sound.ear_swap import profile_of

RATE_HZ = 16000


def heard(place=1, *, seconds=1.0, sound=1, spread_db=6.0):
    """White noise as the ears hear it at a place: each has its own colour there."""
    count = round(seconds * RATE_HZ)
    noise = np.fft.rfft(np.random.default_rng(sound).standard_normal(count) * 0.1)
    points_db = np.random.default_rng(place).normal(0, spread_db / np.sqrt(2), (2, 12))
    octave = np.log2(np.maximum(np.arange(noise.size) * RATE_HZ / count, 100.0) / 100)
    colour_db = np.stack([np.interp(octave, np.linspace(0, octave[-1], 12), ear)
                          for ear in points_db])
    return np.fft.irfft(noise * 10 ** (colour_db / 20), count).astype(np.float32)


def free_field(lag, gain=0.9):
    """Noise that two microphones without a head hear: the right one ``lag`` samples late."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(RATE_HZ + 40).astype(np.float32) * 0.1
    own = rng.standard_normal((2, RATE_HZ)).astype(np.float32) * 0.001
    return np.stack([noise[20:20 + RATE_HZ], gain * noise[20 - lag:20 - lag + RATE_HZ]]) + own


def swaps(*parts):
    """How often a swap is reported, in blocks of 20 ms."""
    watch, audio = EarSwap(RATE_HZ), np.concatenate(parts, axis=1)
    return sum(watch.push(audio[:, start:start + 320]) for start in range(0, audio.shape[1], 320))


def test_the_level_difference_of_each_band_is_found():
    audio = heard(spread_db=0.0)
    profile = profile_of(audio * np.float32([[2.0], [1.0]]), 13)
    assert profile.difference_db == pytest.approx(np.full(BANDS, 6.02), abs=0.01)
    assert profile.weight.sum() == pytest.approx(1)


@pytest.mark.parametrize('lag', [-6, -1, 0, 5])
def test_the_lag_of_a_source_is_found(lag):
    assert profile_of(free_field(lag), 13).lag == lag


def test_diffuse_sound_has_no_lag():
    noise = np.random.default_rng(1).standard_normal((2, 3200)).astype(np.float32)
    assert profile_of(noise, 13).lag == 0


def test_an_ear_that_hears_nothing_has_no_profile():
    assert profile_of(heard() * np.float32([[1.0], [0.0]]), 13) is None
    assert profile_of(heard() * 0, 13) is None
    assert swaps(heard() * 0, heard()) == 0


@pytest.mark.parametrize('place', range(10))
def test_a_swap_is_noticed_once(place):
    assert swaps(heard(place), heard(place)[::-1]) == 1


def test_a_swap_in_the_middle_of_a_piece_is_noticed():
    assert swaps(heard(seconds=0.9), heard()[::-1]) == 1


def test_a_swap_is_noticed_by_the_lag_where_levels_hardly_differ():
    assert swaps(free_field(3), free_field(3)[::-1]) == 1


def test_another_lag_is_no_swap():
    assert swaps(free_field(4), free_field(-9)) == 0
    assert swaps(free_field(4, gain=0.4), free_field(-4, gain=1.0)) == 0


@pytest.mark.parametrize('place', range(10))
def test_a_steady_source_is_no_swap(place):
    assert swaps(heard(place), heard(place, sound=2)) == 0


def test_another_source_elsewhere_is_no_swap():
    assert not any(swaps(heard(place), heard(place + 100, sound=2)) for place in range(50))


def test_a_source_ahead_cannot_tell():
    assert swaps(heard(spread_db=0.5), heard(spread_db=0.5)[::-1]) == 0
    assert swaps(free_field(1), free_field(1)[::-1]) == 0
