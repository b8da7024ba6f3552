# SPDX-License-Identifier: Apache-2.0
"""Timing two ways of doing the same thing, side by side on one core."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from typing import Callable
from typing import Iterator
from typing import Mapping

import numpy as np

MIN_LAP_S = 0.02  # a lap repeats a call until it takes about this long


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """How much faster one way is than another; medians over interleaved laps.

    wanted : the least ratio that the README promises, None where it promises nothing.
    """

    name: str
    ours: str
    theirs: str
    ours_s: float
    theirs_s: float
    wanted: float | None = None

    @property
    def ratio(self) -> float:
        """Times faster than the other way."""
        return self.theirs_s / self.ours_s

    def as_row(self) -> dict[str, object]:
        """Return what is written as JSON."""
        return {**dataclasses.asdict(self), 'ratio': self.ratio}


def median_times_s(calls: Mapping[str, Callable[[], object]], *, laps: int) -> dict[str, float]:
    """Return the median seconds of one call of each, measured in turn so that drift hits all.

    Raises:
        ValueError: ``laps`` is not positive.
    """
    if laps < 1:
        raise ValueError(f'laps must be positive, got {laps}')
    repeats = {name: _repeats(call) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(laps):
        for name, call in calls.items():
            times[name].append(_lap(call, repeats[name]))
    return {name: float(np.median(lap_times)) for name, lap_times in times.items()}


def compare(name: str, *, ours: tuple[str, Callable[[], object]],
            theirs: tuple[str, Callable[[], object]], laps: int,
            wanted: float | None = None) -> Comparison:
    """Time two calls, each given with a few words that describe it."""
    times = median_times_s({'ours': ours[1], 'theirs': theirs[1]}, laps=laps)
    return Comparison(name=name, ours=ours[0], theirs=theirs[0], ours_s=times['ours'],
                      theirs_s=times['theirs'], wanted=wanted)


@contextlib.contextmanager
def one_core() -> Iterator[int]:
    """Keep this process, all its threads to come included, on one core; yield which."""
    allowed = os.sched_getaffinity(0)
    core = max(allowed)  # core 0 serves most interrupts
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, allowed)


def _repeats(call: Callable[[], object]) -> int:
    """Warm ``call`` up and return how often a lap calls it."""
    call()
    return max(1, round(MIN_LAP_S / max(_lap(call, 1), 1e-7)))


def _lap(call: Callable[[], object], repeats: int) -> float:
    """Return the seconds of one call, averaged over ``repeats``."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats
