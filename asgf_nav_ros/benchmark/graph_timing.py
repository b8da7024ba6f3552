# SPDX-License-Identifier: Apache-2.0
"""Latency and jitter, from the times at which messages were published."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

import numpy as np

SAMPLE_RATE_HZ = 16000
COMMAND_PERIOD_S = 0.02
DECIDING_S = 0.05  # before an action is published; inference falls into it

Event = dict[str, Any]


def decision_times_ms(audio: Sequence[Event], actions: Sequence[Event], *,
                      rate_hz: int = SAMPLE_RATE_HZ) -> tuple[list[float], list[float]]:
    """Time each action, twice.

    Args:
        audio: ``published_s``, ``stamp_s`` of the first sample, ``samples``, in order.
        actions: ``published_s`` and ``stamp_s``, the end of the window that it was decided on;
            of actions that were sent again only the first one counts.
        rate_hz: of the audio.

    Returns:
        Milliseconds from when the block of audio was published that completes the window, and
        from when the window's last sample was recorded, until the action was published.
    """
    ends_s = [block['stamp_s'] + block['samples'] / rate_hz for block in audio]
    since_audio, since_sample, known = [], [], set()
    for action in actions:
        end_s = action['stamp_s']
        completes = bisect.bisect_left(ends_s, end_s - 0.5 / rate_hz)
        if end_s in known or completes == len(audio) or (
                end_s < audio[0]['stamp_s']):
            continue
        known.add(end_s)
        since_audio.append(1e3 * (action['published_s'] - audio[completes]['published_s']))
        since_sample.append(1e3 * (action['published_s'] - end_s))
    return since_audio, since_sample


def command_jitter_ms(commands: Sequence[Event], actions: Sequence[Event], *,
                      period_s: float = COMMAND_PERIOD_S) -> tuple[list[float], list[float]]:
    """How far the periods between commands are from ``period_s``, milliseconds.

    Returns:
        Of all periods, and of those that touch the time in which an action was decided on.
    """
    times_s = np.array([command['published_s'] for command in commands])
    jitter_ms = 1e3 * np.abs(np.diff(times_s) - period_s)
    deciding = np.zeros(len(jitter_ms), bool)
    for action in actions:
        until_s = action['published_s']
        deciding |= (times_s[1:] >= until_s - DECIDING_S) & (times_s[:-1] <= until_s)
    return jitter_ms.tolist(), jitter_ms[deciding].tolist()


def percentiles(values: Sequence[float], *, wanted: float | None = None) -> dict[str, Any]:
    """Return ``count``, ``p50``, ``p99``, ``most`` and, where one is given, what p99 must keep.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError('percentiles need at least one value, got none')
    p50, p99 = np.percentile(values, [50, 99])
    return {'count': len(values), 'p50': float(p50), 'p99': float(p99), 'most': max(values),
            **({} if wanted is None else {'p99_wanted': wanted})}
