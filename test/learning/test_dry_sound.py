# SPDX-License-Identifier: Apache-2.0
import numpy as np

from asgf_nav_ros.learning.dry_sound import SoundVariation

TONE = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
NOISE = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)


def test_gain_stays_within_its_range():
    variation = SoundVariation(gain_db=6.0)
    rng = np.random.default_rng(0)
    peaks_db = [20 * np.log10(np.abs(variation.vary(TONE, [NOISE], rng)).max())
                for _ in range(50)]
    assert -6.01 <= min(peaks_db) < -3
    assert 3 < max(peaks_db) <= 6.01


def test_without_variation_the_clip_is_unchanged():
    variation = SoundVariation(gain_db=0.0, equalizer_db=0.0, mix_probability=0.0)
    varied = variation.vary(TONE, [NOISE], np.random.default_rng(0))
    np.testing.assert_allclose(varied, TONE / np.abs(TONE).max(), atol=1e-5)


def test_a_second_clip_is_mixed_in():
    variation = SoundVariation(gain_db=0.0, equalizer_db=0.0, mix_probability=1.0)
    varied = variation.vary(TONE, [NOISE], np.random.default_rng(0))
    assert abs(np.corrcoef(varied, TONE)[0, 1]) < 0.99


def test_same_generator_same_sound():
    first, second = (SoundVariation().vary(TONE, [NOISE], np.random.default_rng(7))
                     for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_noise_floor_is_drawn_from_its_range():
    rng = np.random.default_rng(0)
    levels_db = [20 * np.log10(SoundVariation(noise_floor_db=(-80.0, -60.0)).noise_rms(rng))
                 for _ in range(100)]
    assert -80 <= min(levels_db) < -75
    assert -65 < max(levels_db) <= -60 + 1e-9
