# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.sound.ear_signal import EarSignal
from asgf_nav_ros.sound.ear_signal import EarWiring

BLOCK = np.array([[1, 10, 100], [2, 20, 200], [-3, -30, -300]], np.int16)


def signal(**wiring):
    return EarSignal(EarWiring(**wiring), from_hz=16000, to_hz=16000)


@pytest.mark.parametrize('wiring, channels', [
    ({}, (0, 1)), ({'swap_ears': True}, (1, 0)), ({'left_channel': 2, 'right_channel': 0}, (2, 0)),
    ({'left_channel': 2, 'swap_ears': True}, (1, 2))])
def test_ears_are_the_channels_that_were_named(wiring, channels):
    ears = signal(**wiring)
    found = ears.push(ears.ears(BLOCK))
    np.testing.assert_array_equal(found * 32768, BLOCK[:, list(channels)].T)


def test_gain_is_applied_after_what_was_recorded():
    ears = signal(gain_db=20.0)
    recorded = ears.ears(BLOCK)
    np.testing.assert_array_equal(recorded * 32768, BLOCK[:, :2].T)
    np.testing.assert_allclose(ears.push(recorded), 10 * recorded, rtol=1e-6)


def test_floats_are_taken_as_they_are():
    block = np.array([[0.5, -0.25]], np.float32)
    np.testing.assert_array_equal(signal().ears(block), [[0.5], [-0.25]])


def test_another_rate_gives_other_samples():
    ears = EarSignal(EarWiring(), from_hz=48000, to_hz=16000)
    counts = [ears.push(ears.ears(np.zeros((960, 2), np.int16))).shape[1] for _ in range(50)]
    assert set(counts[1:]) == {320}


@pytest.mark.parametrize('block, message', [
    (np.zeros((4, 2)), 'must be one of int16, float32, got float64'),
    (np.zeros((4, 1), np.int16), r'\(n, 2 or more channels\), got \(4, 1\)'),
    (np.full((4, 2), np.nan, np.float32), 'gave NaN or infinity')])
def test_refuses_what_is_no_block(block, message):
    with pytest.raises(ValueError, match=message):
        signal().ears(block)


@pytest.mark.parametrize('wiring, message', [
    ({'left_channel': 1}, 'must differ, both are 1'),
    ({'right_channel': -1}, 'right_channel counts from 0, got -1'),
    ({'gain_db': float('inf')}, 'gain_db must be finite')])
def test_refuses_impossible_wiring(wiring, message):
    with pytest.raises(ValueError, match=message):
        EarWiring(**wiring)
