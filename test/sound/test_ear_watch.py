# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.sound.ear_watch import EarWatch
from asgf_nav_ros.sound.listening_window import SpanEvent
from asgf_nav_ros.sound.listening_window import SpanFault

RATE_HZ = 16000
GAP = SpanEvent(SpanFault.GAP, 1.0, 1.02, '0.02 s of audio are missing')


def hear(watch, audio):
    """Push half a second in blocks of 20 ms; what is said last."""
    for start in range(0, audio.shape[1], 320):
        reason = watch.push(audio[:, start:start + 320])
    return reason


@pytest.fixture
def noise():
    return np.random.default_rng(1).uniform(-0.1, 0.1, (2, RATE_HZ // 2)).astype(np.float32)


def test_two_live_ears_are_well(noise):
    assert hear(EarWatch(RATE_HZ), noise) == ''


@pytest.mark.parametrize('ear, name', [(0, 'left'), (1, 'right')])
def test_a_dead_ear_is_named(noise, ear, name):
    noise[ear] = 0
    assert hear(EarWatch(RATE_HZ), noise).startswith(f'the {name} ear is silent')


def test_a_faint_source_on_one_side_is_no_dead_ear(noise):
    noise[0] *= 5e-4
    noise[1] *= 5e-3
    assert hear(EarWatch(RATE_HZ), noise) == ''


def test_quiet_is_well_but_digital_silence_is_not(noise):
    assert hear(EarWatch(RATE_HZ), noise * np.float32(1e-4)) == ''
    assert 'both ears stay under' in hear(EarWatch(RATE_HZ), noise * 0)


def test_mono_is_named(noise):
    noise[1] = noise[0]
    assert 'both ears are the same' in hear(EarWatch(RATE_HZ), noise)


def test_a_wrong_gain_is_named_and_a_slam_is_not(noise):
    assert 'lower the gain' in hear(EarWatch(RATE_HZ), np.clip(40 * noise, -1, 1))
    noise[:, -20:] = 1.0
    assert hear(EarWatch(RATE_HZ), noise) == ''


def test_a_driver_that_hangs_is_named(noise):
    assert 'the same 320 samples come again' in hear(EarWatch(RATE_HZ), np.tile(
        noise[:, :320], (1, 20)))


def test_it_recovers_with_the_audio(noise):
    watch = EarWatch(RATE_HZ)
    hear(watch, noise * 0)
    assert hear(watch, noise) == ''


def test_one_interruption_is_forgiven_and_several_are_not():
    watch = EarWatch(RATE_HZ)
    assert watch.interrupt(GAP, 10.0) == ''
    assert watch.interrupt(GAP, 10.6) == ''
    assert watch.interrupt(GAP, 10.8) == GAP.reason


def test_a_gap_that_lasts_is_not_forgiven():
    lasting = SpanEvent(SpanFault.GAP, 10.0, 10.04, '0.0400 s of audio are missing')
    assert EarWatch(RATE_HZ).interrupt(lasting, 10.0) == lasting.reason
