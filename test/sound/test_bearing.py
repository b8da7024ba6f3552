# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.sound.bearing import bearing_of
from asgf_nav_ros.sound.clap_detector import ClapDetector

RATE_HZ = 48000


def clap(azimuth_deg, *, spacing_m=0.18, at=2000, length=6000, noise=1e-3, seed=0):
    """(2, length): a decaying burst from somewhere, delayed in the frequency domain."""
    rng = np.random.default_rng(seed)
    burst = np.zeros(length)
    burst[at:at + 400] = rng.normal(size=400) * np.exp(-np.arange(400) / 80)
    delay_s = spacing_m / 343 * math.sin(math.radians(azimuth_deg))
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(length, 1 / RATE_HZ) * delay_s)
    right = np.fft.irfft(np.fft.rfft(burst) * turn, length)
    return 0.2 * np.stack([burst, right]) + rng.normal(scale=noise, size=(2, length))


@pytest.mark.parametrize('azimuth_deg, side', [
    (0, 'ahead'), (30, 'left'), (-30, 'right'), (75, 'left'), (-90, 'right'), (5, 'ahead')])
def test_a_clap_is_found_where_it_was(azimuth_deg, side):
    found = bearing_of(clap(azimuth_deg)[:, 1800:3200], rate_hz=RATE_HZ, spacing_m=0.18)
    assert math.degrees(found.azimuth_rad) == pytest.approx(
        azimuth_deg, abs=3 if abs(azimuth_deg) < 80 else 10)
    assert found.side == side and found.clarity > 0.5


def test_swapped_ears_show_as_the_other_side():
    found = bearing_of(clap(40)[::-1, 1800:3200], rate_hz=RATE_HZ, spacing_m=0.18)
    assert found.side == 'right'


def test_noise_of_two_microphones_has_no_clarity():
    noise = np.random.default_rng(1).normal(size=(2, 1400))
    assert bearing_of(noise, rate_hz=RATE_HZ, spacing_m=0.18).clarity < 0.3


@pytest.mark.parametrize('shape, fields, message', [
    ((3, 100), {}, r'ears must be \(2, 64 or more\), got \(3, 100\)'),
    ((2, 100), {'spacing_m': 0.0}, 'spacing_m must be positive, got 0.0')])
def test_refuses_what_are_no_ears(shape, fields, message):
    with pytest.raises(ValueError, match=message):
        bearing_of(np.zeros(shape), **{'rate_hz': 48000, 'spacing_m': 0.18, **fields})


def test_each_clap_of_a_stream_is_cut_out_once():
    rng = np.random.default_rng(4)
    stream = rng.normal(scale=1e-3, size=(2, 5 * RATE_HZ))
    for second, azimuth_deg in ((1, 50), (2, -50), (3, 0)):
        stream[:, second * RATE_HZ:second * RATE_HZ + 6000] += clap(azimuth_deg, noise=0)
    detector, claps = ClapDetector(RATE_HZ), []
    for start in range(0, stream.shape[1], 960):
        claps += detector.push(stream[:, start:start + 960].astype(np.float32))
    assert [bearing_of(one, rate_hz=RATE_HZ, spacing_m=0.18).side for one in claps] == [
        'left', 'right', 'ahead']


def test_a_steady_hum_is_no_clap():
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    hum = np.stack([np.sin(2 * np.pi * 200 * time_s)] * 2).astype(np.float32)
    fade = np.minimum(time_s / 2, 1).astype(np.float32)
    assert not ClapDetector(RATE_HZ).push(0.3 * hum * fade)
