# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.sound_bank import BankSettings
from asgf_nav_ros.learning.sound_bank import SoundBank
from asgf_nav_ros.learning.troubles import Troubles
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.robot_noise import KINDS

CLIPS = [np.random.default_rng(seed).uniform(-1, 1, 16000).astype(np.float32)
         for seed in range(3)]


def make(seed=0, **variation):
    variation = SoundVariation(**{'gain_db': 6.0} | variation)
    return SoundBank.make(BankSettings(sounds=5, noises=2), variation, CLIPS,
                          sample_rate_hz=16000, seed=seed, pool=LocalProcesses(1),
                          progress=False)


def test_the_same_seed_makes_the_same_bank():
    one, same, other = (make(seed).sound(np.random.default_rng(1)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_sounds_have_their_peaks_within_the_range_of_levels():
    bank, rng = make(), np.random.default_rng(0)
    peaks_db = 20 * np.log10([np.abs(bank.sound(rng)).max() for _ in range(200)])
    assert peaks_db.min() == pytest.approx(-6.0, abs=0.3)
    assert peaks_db.max() == pytest.approx(6.0, abs=0.3)


@pytest.mark.parametrize('kind', KINDS)
def test_noises_have_unit_power(kind):
    noise = make().robot_noise(kind, 16000, 16000, np.random.default_rng(0))
    assert noise.shape == (2, 16000) and noise.dtype == np.float32
    assert np.sqrt(np.mean(noise ** 2)) == pytest.approx(1.0, abs=0.01)


def test_episodes_are_drawn_from_the_bank(tiny_bake):
    bank = make(gain_db=0.0, equalizer_db=0.0, mix_probability=0.0)
    draw = EpisodeDraw([tiny_bake], CLIPS, sample_rate_hz=16000, variation=SoundVariation(),
                       troubles=Troubles(noise=1.0, ease_in_fraction=0.0, snr_db=(20.0, 20.0)),
                       large_share=None, rng=np.random.default_rng(0), bank=bank)
    placement = draw.draw()
    errors = [np.abs(placement.dry - clip / np.abs(clip).max()).max() for clip in CLIPS]
    assert min(errors) < 2e-3  # half precision
    assert placement.noise_over_goal
    assert np.sqrt(np.mean(placement.disturbance.noise ** 2)) == pytest.approx(0.1, rel=0.01)


def test_refuses_an_empty_bank():
    with pytest.raises(ValueError, match='one recording at least, got none'):
        SoundBank.make(BankSettings(), SoundVariation(), [], sample_rate_hz=16000, seed=0,
                       pool=LocalProcesses(1))
    with pytest.raises(ValueError, match='sounds and noises, got 0 and 512'):
        BankSettings(sounds=0)
