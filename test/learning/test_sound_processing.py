# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.sound_processing import process

CLIP = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)


def centroid_hz(sound):
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float(power @ np.fft.rfftfreq(len(sound), 1 / 16000) / power.sum())


def test_makes_many_different_sounds_of_peak_1_out_of_one():
    sounds = [process(CLIP, 16000, np.random.default_rng(seed)) for seed in range(30)]
    assert all(sound.shape == CLIP.shape and np.isfinite(sound).all() for sound in sounds)
    np.testing.assert_allclose([np.abs(sound).max() for sound in sounds], 1, rtol=1e-5)
    centroids = [centroid_hz(sound) for sound in sounds]
    assert max(centroids) / min(centroids) > 5


def test_the_same_seed_makes_the_same_sound():
    first, second = (process(CLIP, 16000, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize('probability, same', [(0.0, True), (1.0, False)])
def test_variation_processes_with_its_probability(probability, same):
    variation = SoundVariation(gain_db=0.0, equalizer_db=0.0, mix_probability=0.0,
                               process_probability=probability)
    varied = variation.vary(CLIP, [CLIP], np.random.default_rng(0))
    assert np.allclose(varied, CLIP / np.abs(CLIP).max(), atol=1e-5) == same
