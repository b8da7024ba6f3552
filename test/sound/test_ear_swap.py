# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.sound.ear_swap import EarSwap
from asgf_nav_ros.sound.ear_swap import side_of

RATE_HZ = 16000


def source(lag, gain=0.8, *, seconds=1.0, seed=1):
    """Noise that the right ear hears ``lag`` samples late and weaker."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(round(seconds * RATE_HZ) + 40).astype(np.float32) * 0.1
    count = noise.size - 40
    room = rng.standard_normal((2, count)).astype(np.float32) * 0.01
    return np.stack([noise[20:20 + count], gain * noise[20 - lag:20 - lag + count]]) + room


def swaps(*parts):
    """How often a swap is reported, in blocks of 20 ms."""
    watch, audio = EarSwap(RATE_HZ), np.concatenate(parts, axis=1)
    return sum(watch.push(audio[:, start:start + 320]) for start in range(0, audio.shape[1], 320))


@pytest.mark.parametrize('lag', [-6, -1, 0, 5])
def test_the_side_of_a_source_is_found(lag):
    side = side_of(source(lag), 13)
    assert side.lag == lag and side.level_db == pytest.approx(1.94, abs=0.2)


def test_diffuse_sound_and_silence_have_no_side():
    noise = np.random.default_rng(1).standard_normal((2, 3200)).astype(np.float32)
    assert side_of(noise, 13) is None
    assert side_of(noise * 0, 13) is None


def test_a_swap_is_noticed_once():
    assert swaps(source(4), source(4)[::-1]) == 1


def test_a_swap_in_the_middle_of_a_piece_is_noticed():
    assert swaps(source(4, seconds=0.9), source(4)[::-1]) == 1


def test_a_steady_source_is_no_swap():
    assert swaps(source(4), source(4, seed=2)) == 0


def test_another_source_elsewhere_is_no_swap():
    assert swaps(source(4), source(-9)) == 0
    assert swaps(source(4, gain=0.4), source(-4, gain=1.0)) == 0


def test_a_source_ahead_cannot_tell():
    assert swaps(source(1), source(1)[::-1]) == 0
