# SPDX-License-Identifier: Apache-2.0
"""Windows are whole, follow the moment asked for, and faults of the stamps have names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.listening_window import SpanFault

CONTRACT = PolicyContract(sample_rate_hz=1000, window_s=1.0)
EPOCH_S = 1.7e9  # stamps of a real clock have few digits left for fractions of a sample


def ramp(start: int, stop: int) -> np.ndarray:
    """Audio that says which sample it is: left counts up, right down."""
    index = np.arange(start, stop, dtype=np.float32)
    return np.stack([index, -index])


def push_samples(window: ListeningWindow, start: int, stop: int, *, chunk: int = 20,
                 stamp_offset_s: float = 0.0) -> list[SpanFault]:
    faults = []
    for first in range(start, stop, chunk):
        audio = ramp(first, min(first + chunk, stop))
        events = window.push(EPOCH_S + first / 1000 + stamp_offset_s, audio)
        faults += [event.fault for event in events]
    return faults


def assert_is_window(found, *, start: int) -> None:
    np.testing.assert_array_equal(found.audio, ramp(start, start + 1000))
    assert found.end_s == pytest.approx(EPOCH_S + (start + 1000) / 1000, abs=1e-4)


def test_waits_for_a_whole_window_after_the_moment():
    window = ListeningWindow(CONTRACT)
    assert push_samples(window, 0, 1480) == []
    assert window.window_after(EPOCH_S + 0.5) is None
    push_samples(window, 1480, 1500)
    assert_is_window(window.window_after(EPOCH_S + 0.5), start=500)


def test_the_first_window_after_the_moment_stays_the_answer():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 2800)
    assert_is_window(window.window_after(EPOCH_S + 0.5), start=500)
    assert_is_window(window.newest(), start=1800)


def test_a_moment_between_two_samples_takes_the_nearer_one():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 1100)
    assert_is_window(window.window_after(EPOCH_S + 0.0102), start=10)
    assert_is_window(window.window_after(EPOCH_S + 0.0108), start=11)


def test_a_moment_before_the_memory_gets_the_oldest_window_held():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 10000)
    assert_is_window(window.window_after(EPOCH_S), start=7000)
    assert window.held_s == 3.0


def test_a_moment_in_the_future_gets_nothing():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 2000)
    assert window.window_after(EPOCH_S + 100) is None


@settings(deadline=None, max_examples=50)
@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=12), start=st.integers(0, 3000))
def test_window_is_right_however_the_audio_was_cut(sizes, start):
    window, first = ListeningWindow(CONTRACT), 0
    for size in sizes:
        assert window.push(EPOCH_S + first / 1000, ramp(first, first + size)) == ()
        first += size
    found = window.window_after(EPOCH_S + start / 1000)
    expected = max(start, first - 3000)
    if expected + 1000 > first:
        assert found is None
    else:
        assert_is_window(found, start=expected)


def test_a_chunk_longer_than_the_memory_is_taken():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 20000, chunk=20000)
    assert_is_window(window.newest(), start=19000)


def test_jitter_of_stamps_is_smoothed():
    window, rng = ListeningWindow(CONTRACT, jitter_s=0.005), np.random.default_rng(0)
    for first in range(0, 3000, 20):
        late_s = rng.uniform(-0.002, 0.002)
        assert window.push(EPOCH_S + first / 1000 + late_s, ramp(first, first + 20)) == ()
    found = window.newest()
    np.testing.assert_array_equal(found.audio, ramp(2000, 3000))
    assert abs(found.end_s - EPOCH_S - 3.0) < 1e-3


def test_crystals_that_drift_apart_leave_no_gap():
    window = ListeningWindow(CONTRACT)
    for first in range(0, 60000, 20):
        assert window.push(first / 1000 * 1.001, ramp(first, first + 20)) == ()
    assert window.newest().end_s == pytest.approx(60.06, abs=1e-3)


def test_a_gap_is_reported_and_no_window_spans_it():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 900)
    assert push_samples(window, 940, 1920) == [SpanFault.GAP]
    assert window.newest() is None
    assert push_samples(window, 1920, 1940) == []
    assert_is_window(window.window_after(EPOCH_S), start=940)


def test_a_gap_says_how_much_is_missing():
    window = ListeningWindow(CONTRACT)
    window.push(10.0, ramp(0, 20))
    (event,) = window.push(10.06, ramp(60, 80))
    assert (event.start_s, event.end_s) == pytest.approx((10.02, 10.06))
    assert event.reason == '0.0400 s of audio are missing before 10.0600 s'


def test_what_overlaps_is_dropped_and_the_rest_joined():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 500)
    (event,) = window.push(EPOCH_S + 0.485, ramp(485, 540))
    assert event.fault is SpanFault.OVERLAP
    assert (event.start_s, event.end_s) == pytest.approx((EPOCH_S + 0.485, EPOCH_S + 0.5))
    assert push_samples(window, 540, 1000) == []
    assert_is_window(window.newest(), start=0)


def test_chunks_that_always_overlap_are_a_wrong_rate():
    window, faults = ListeningWindow(CONTRACT), set()
    for first in range(0, 4000, 100):
        events = window.push(EPOCH_S + first / 1000, ramp(first, first + 150))
        faults |= {event.fault for event in events}
    assert faults == {SpanFault.OVERLAP, SpanFault.WRONG_RATE}
    assert window.newest() is None


def test_a_chunk_that_comes_twice_is_taken_once():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 500)
    assert push_samples(window, 480, 500) == [SpanFault.REPEATED]
    assert push_samples(window, 500, 1000) == []
    assert_is_window(window.newest(), start=0)


def test_a_clock_that_jumps_back_starts_anew():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 1500)
    assert push_samples(window, 1500, 2480, stamp_offset_s=-60) == [SpanFault.CLOCK_JUMPED_BACK]
    assert window.newest() is None
    push_samples(window, 2480, 2500, stamp_offset_s=-60)
    found = window.window_after(EPOCH_S - 100)
    np.testing.assert_array_equal(found.audio, ramp(1500, 2500))
    assert found.end_s == pytest.approx(EPOCH_S + 2.5 - 60)


@pytest.mark.parametrize('true_hz', [500, 920, 1090, 2756])
def test_a_wrong_rate_is_named_once_and_gets_no_window(true_hz):
    window, events = ListeningWindow(CONTRACT), []
    for index in range(300):
        first = 20 * index
        events += window.push(EPOCH_S + first / true_hz, ramp(first, first + 20))
        assert window.newest() is None
        assert window.window_after(EPOCH_S) is None
    (wrong,) = [event for event in events if event.fault is SpanFault.WRONG_RATE]
    assert 'the policy wants sample_rate_hz=1000, by its stamps the stream has' in wrong.reason
    assert window.measured_rate_hz == pytest.approx(true_hz, rel=0.01)


def test_the_right_rate_is_trusted_again():
    window = ListeningWindow(CONTRACT)
    for index in range(100):
        window.push(index * 0.04, ramp(20 * index, 20 * index + 20))
    assert window.measured_rate_hz == pytest.approx(500)
    push_samples(window, 0, 3000)
    assert_is_window(window.newest(), start=2000)


def test_windows_are_copies():
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 1000)
    window.newest().audio[:] = 0
    assert_is_window(window.newest(), start=0)


@pytest.mark.parametrize('stamp_s, audio, message', [
    (np.nan, ramp(0, 5), 'stamp_s must be finite, got nan'),
    (1.0, ramp(0, 5)[0], r'must be \(2, n\) with n > 0, got \(5,\)'),
    (1.0, ramp(0, 0), r'must be \(2, n\) with n > 0, got \(2, 0\)'),
    (1.0, ramp(0, 5)[:1], r'must be \(2, n\) with n > 0, got \(1, 5\)'),
    (1.0, ramp(0, 5).astype(np.float64), 'must be float32, got float64'),
    (1.0, np.nan * ramp(0, 5), 'must be finite, got NaN or infinity')])
def test_refuses_bad_chunks_and_keeps_its_state(stamp_s, audio, message):
    window = ListeningWindow(CONTRACT)
    push_samples(window, 0, 1000)
    with pytest.raises(ValueError, match=message):
        window.push(stamp_s, audio)
    assert_is_window(window.newest(), start=0)


@pytest.mark.parametrize('jitter_s', [0.0, 0.6, np.nan])
def test_refuses_a_jitter_that_makes_no_sense(jitter_s):
    with pytest.raises(ValueError, match='jitter_s must be in'):
        ListeningWindow(CONTRACT, jitter_s=jitter_s)


@pytest.mark.parametrize('start_s', [np.nan, -np.inf])
def test_refuses_a_moment_that_is_none(start_s):
    with pytest.raises(ValueError, match='start_s must be finite'):
        ListeningWindow(CONTRACT).window_after(start_s)
