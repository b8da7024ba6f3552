# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.sample_clock import SampleClock

RATE_HZ, BLOCK = 16000, 320


def arrivals(blocks, *, skew=0.0, seed=0, jitter_s=0.02):
    """When blocks of a crystal that is off by ``skew`` come, in pairs and late at random."""
    rng = np.random.default_rng(seed)
    taken_s = 5.0 + (np.arange(blocks) + 1) * BLOCK / RATE_HZ / (1 + skew)
    taken_s[0::2] += BLOCK / RATE_HZ  # with the next one
    return taken_s + rng.exponential(jitter_s, blocks) * (rng.random(blocks) < 0.5)


def stamps(times, clock=None):
    clock = clock or SampleClock(RATE_HZ)
    return [clock.push(BLOCK, time) for time in times]


def test_the_start_is_for_learning():
    found = stamps(arrivals(30))
    assert found[:25] == [None] * 25 and None not in found[25:]


@pytest.mark.parametrize('skew', [0.0, 3e-4, -3e-4])
def test_stamps_are_true_and_smooth_however_late_blocks_come(skew):
    found = np.array(stamps(arrivals(5000, skew=skew))[25:])
    true = 5.0 + np.arange(25, 5000) * BLOCK / RATE_HZ / (1 + skew)
    assert np.abs(found - true).max() < 0.003
    assert np.abs(np.diff(found) - BLOCK / RATE_HZ).max() < 0.00015


@pytest.mark.parametrize('seed', range(5))
def test_listeners_see_one_stretch(seed):
    listening = ListeningWindow(PolicyContract())
    noise = np.random.default_rng(seed).uniform(-1, 1, (2, BLOCK)).astype(np.float32)
    events = [event for stamp in stamps(arrivals(1500, seed=seed, skew=1e-4))[25:]
              for event in listening.push(stamp, noise)]
    assert events == []


def test_a_late_start_is_made_up_for_without_a_step():
    late = arrivals(1000, jitter_s=0.0) + np.where(np.arange(1000) < 40, 0.015, 0)
    found = np.array(stamps(late)[25:])
    assert np.abs(np.diff(found) - BLOCK / RATE_HZ).max() <= 0.00015
    assert abs(found[-1] - (5.0 + 999 * BLOCK / RATE_HZ)) < 0.001


def test_lost_samples_show():
    clock, times = SampleClock(RATE_HZ), arrivals(200)
    stamps(times, clock)
    assert not clock.lost_samples
    stamps(times[-1] + 0.5 + np.arange(60) * BLOCK / RATE_HZ, clock)
    assert clock.lost_samples
    clock.reset()
    assert not clock.lost_samples


def test_one_late_block_is_no_loss():
    clock, times = SampleClock(RATE_HZ), arrivals(200)
    times[100] += 3.0
    stamps(times, clock)
    assert not clock.lost_samples


@pytest.mark.parametrize('heap', [60, 150, 400])
def test_what_piled_up_gets_no_stamps_from_the_future(heap):
    """A heap of blocks that come at once, as after the process was stopped, then one by one."""
    times = arrivals(heap + 600, jitter_s=0.0)
    times[:heap] = times[heap - 1]
    clock, found = SampleClock(RATE_HZ), []
    for number, time in enumerate(times):
        if clock.ran_ahead:
            clock.reset()
        found.append((number, clock.push(BLOCK, time)))
    told = [(number, stamp) for number, stamp in found if stamp is not None]
    errors = [stamp - (5.0 + number * BLOCK / RATE_HZ) for number, stamp in told
              if number >= heap]
    assert max(errors) < 0.003 and len(errors) > 350
    assert all(stamp + BLOCK / RATE_HZ < times[number] + 0.1 for number, stamp in told)


@pytest.mark.parametrize('rate_hz', [0.0, -1.0, float('nan')])
def test_refuses_rates_that_are_none(rate_hz):
    with pytest.raises(ValueError, match='rate_hz must be positive and finite'):
        SampleClock(rate_hz)
