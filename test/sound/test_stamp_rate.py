# SPDX-License-Identifier: Apache-2.0
"""The sample rate is read from the stamps, whatever is lost or late."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asgf_nav_ros.sound.stamp_rate import StampRate


def push_stream(rate: StampRate, *, true_hz: float, chunk: int, chunks: int,
                jitter_s: float = 0.0, lost: tuple[int, ...] = ()) -> None:
    rng = np.random.default_rng(0)
    for index in range(chunks):
        if index not in lost:
            late_s = rng.uniform(-jitter_s, jitter_s)
            rate.push(1.7e9 + index * chunk / true_hz + late_s, chunk)


@pytest.mark.parametrize('true_hz', [8000, 15600, 16000, 16500, 44100, 48000])
def test_measures_the_rate_within_one_percent(true_hz):
    rate = StampRate(16000, jitter_s=0.005)
    push_stream(rate, true_hz=true_hz, chunk=320, chunks=80, jitter_s=0.002)
    assert rate.measured_hz == pytest.approx(true_hz, rel=0.01)
    assert rate.is_wrong == (true_hz != 16000)


@pytest.mark.parametrize('chunk', [1, 160, 1600, 16000])
def test_any_chunk_size_will_do(chunk):
    rate = StampRate(16000, jitter_s=0.005)
    push_stream(rate, true_hz=17000, chunk=chunk, chunks=max(5, 20000 // chunk))
    assert rate.measured_hz == pytest.approx(17000, rel=1e-3)


def test_lost_chunks_and_the_worst_jitter_are_not_another_rate():
    rate = StampRate(16000, jitter_s=0.005)
    push_stream(rate, true_hz=16000, chunk=320, chunks=400, jitter_s=0.005,
                lost=(60, 61, 62, 100, 140, 230, 235))
    assert not rate.is_wrong


def test_says_nothing_at_first_and_after_a_reset():
    rate = StampRate(16000, jitter_s=0.005)
    assert math.isnan(rate.measured_hz)
    push_stream(rate, true_hz=44100, chunk=320, chunks=80)
    rate.reset()
    assert math.isnan(rate.measured_hz)
    assert not rate.is_wrong


def test_stamps_that_stand_still_are_wrong():
    rate = StampRate(16000, jitter_s=0.005)
    for _ in range(80):
        rate.push(5.0, 320)
    assert rate.is_wrong
