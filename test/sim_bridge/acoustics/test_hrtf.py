# SPDX-License-Identifier: Apache-2.0
import h5py
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies
import numpy as np
import pytest
from scipy import fft

from sim_bridge.acoustics.hrtf import Hrtf
from sim_bridge.acoustics.sofa import KEMAR_PATH
from sim_bridge.acoustics.spherical_head import spherical_head

KEMAR, SPHERE = Hrtf.load(), spherical_head()
CIRCLE_RAD = np.radians(np.arange(0, 360, 7.5))


def _itd_s(pair, rate_hz=16000):
    """By which the right ear lags, from the cross-correlation up to 1.5 kHz."""
    size = 8192
    spectra = fft.rfft(pair, size)
    frequencies_hz = fft.rfftfreq(size, 1 / rate_hz)
    cross = spectra[1] * np.conj(spectra[0]) * ((frequencies_hz > 200) & (frequencies_hz < 1500))
    correlation = np.roll(fft.irfft(cross, 8 * size), 4 * size)
    return (correlation.argmax() - 4 * size) / (8 * rate_hz)


def _turn(samples, cycles):
    return np.exp(-2j * np.pi * np.arange(samples)[:, None] * cycles)


def _ild_db(pair):
    left, right = np.sum(pair ** 2, axis=1)
    return 10 * np.log10(left / right)


@pytest.mark.parametrize('head', [KEMAR, SPHERE], ids=['kemar', 'sphere'])
def test_the_nearer_ear_is_earlier_and_louder_over_the_whole_circle(head):
    for azimuth_rad in CIRCLE_RAD:
        pair = head.pair(azimuth_rad)
        side = np.sin(azimuth_rad)
        if abs(side) > 0.1:
            assert np.sign(_itd_s(pair)) == np.sign(side)
            assert np.sign(_ild_db(pair)) == np.sign(side)
        assert abs(_itd_s(pair)) < 0.8e-3
        assert abs(_ild_db(pair)) < 20.0


@pytest.mark.parametrize('head', [KEMAR, SPHERE], ids=['kemar', 'sphere'])
def test_sound_from_the_left_has_interaural_differences_of_human_size(head):
    pair = head.pair(np.pi / 2)
    assert 0.6e-3 < _itd_s(pair) < 0.8e-3
    assert 6.0 < _ild_db(pair) < 18.0


@pytest.mark.parametrize('head', [KEMAR, SPHERE], ids=['kemar', 'sphere'])
@settings(deadline=None, max_examples=30)
@given(azimuth_rad=strategies.floats(-4.0, 4.0), elevation_rad=strategies.floats(-0.6, 1.5))
def test_the_head_is_symmetric(head, azimuth_rad, elevation_rad):
    np.testing.assert_allclose(head.pair(azimuth_rad, elevation_rad)[::-1],
                               head.pair(-azimuth_rad, elevation_rad), atol=0.02)


def test_kemar_is_as_measured():
    with h5py.File(KEMAR_PATH) as file:
        directions, responses = file['SourcePosition'][:], file['Data.IR'][:]
    reference = None
    for azimuth in (0, 30, 90, 140, 270):
        index = np.flatnonzero((directions[:, 0] == azimuth) & (directions[:, 1] == 0))[0]
        pair = KEMAR.pair(np.radians(azimuth))
        assert _itd_s(pair) == pytest.approx(_itd_s(responses[index], 44100), abs=50e-6)
        frequencies_hz = np.linspace(300, 6000, 40)
        level = [20 * np.log10(np.abs(ears @ _turn(ears.shape[1], frequencies_hz / rate_hz)))
                 for ears, rate_hz in ((pair, 16000), (responses[index], 44100))]
        if reference is None:
            reference = np.mean(level[0] - level[1])
        assert np.sqrt(np.mean((level[0] - level[1] - reference) ** 2)) < 1.0


@settings(deadline=None, max_examples=30)
@given(azimuth_rad=strategies.floats(-3.2, 3.2), elevation_rad=strategies.floats(-0.6, 1.4))
def test_a_small_turn_is_a_small_change(azimuth_rad, elevation_rad):
    before = KEMAR.pair(azimuth_rad, elevation_rad)
    after = KEMAR.pair(azimuth_rad + 0.01, elevation_rad)
    assert np.linalg.norm(after - before) < 0.2 * np.linalg.norm(before)


def test_gain_is_one_on_average():
    frequencies_hz = np.linspace(250, 3900, 50)
    turn = _turn(KEMAR.taps + KEMAR.origin, frequencies_hz / 16000)
    level = np.mean([np.abs(KEMAR.pair(azimuth_rad) @ turn) ** 2 for azimuth_rad in CIRCLE_RAD])
    assert 10 * np.log10(level) == pytest.approx(0.0, abs=0.5)


def test_the_middle_of_the_head_is_at_the_origin():
    for head in (KEMAR, SPHERE):
        peaks = np.abs(head.pair(0.0)).argmax(axis=1) - head.origin
        assert (np.abs(peaks) <= 2).all()


@pytest.mark.parametrize('rate_hz', [16000, 44100, 48000])
def test_other_sample_rates_have_the_same_interaural_time(rate_hz):
    head = Hrtf.load(sample_rate_hz=rate_hz)
    assert head.pair(1.0).shape == (2, head.taps + head.origin)
    assert _itd_s(head.pair(1.0), rate_hz) == pytest.approx(_itd_s(KEMAR.pair(1.0)), abs=40e-6)
