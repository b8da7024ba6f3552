# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from asgf_nav_ros.benchmark import bench_timing


@pytest.fixture
def clock(monkeypatch):
    """A clock that calls advance, so that nothing here depends on the machine."""
    now = [0.0]
    monkeypatch.setattr(bench_timing.time, 'perf_counter', lambda: now[0])

    def call(duration_s):
        def advance():
            now[0] += duration_s
        return advance

    return call


def test_ratio_is_that_of_the_medians(clock):
    comparison = bench_timing.compare('spectrogram', ours=('fast', clock(0.002)),
                                      theirs=('slow', clock(0.006)), laps=5, wanted=2.0)
    assert comparison.ours_s == pytest.approx(0.002)
    assert comparison.ratio == pytest.approx(3.0)
    assert comparison.as_row()['ratio'] == comparison.ratio
    assert comparison.as_row()['wanted'] == 2.0


def test_one_slow_lap_does_not_move_the_median(clock):
    durations = iter([0.05, 0.05, 0.05, 9.0] + [0.05] * 20)
    times = bench_timing.median_times_s({'call': lambda: clock(next(durations))()}, laps=5)
    assert times['call'] == pytest.approx(0.05)


def test_calls_take_turns(clock):
    order = []
    calls = {name: lambda name=name: (order.append(name), clock(1.0)()) for name in 'ab'}
    bench_timing.median_times_s(calls, laps=3)
    assert ''.join(order[-6:]) == 'ababab'


def test_laps_must_be_positive(clock):
    with pytest.raises(ValueError, match='laps must be positive'):
        bench_timing.median_times_s({'call': clock(1.0)}, laps=0)


def test_one_core_is_given_back_afterwards():
    before = os.sched_getaffinity(0)
    with bench_timing.one_core() as core:
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before
