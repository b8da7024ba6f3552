# SPDX-License-Identifier: Apache-2.0
"""From the clock of this computer's devices to that of the graph."""

from __future__ import annotations

import time
from typing import Callable

_LOOKS = 3


def offset_s(graph_now_s: Callable[[], float]) -> float:
    """Seconds from ``time.monotonic`` to the graph's clock, by the quickest of a few looks.

    A process may be put aside between two looks at two clocks: the quickest pair is the truest.
    """
    looks = []
    for _ in range(_LOOKS):
        before_s, graph_s, after_s = time.monotonic(), graph_now_s(), time.monotonic()
        looks.append((after_s - before_s, graph_s - (before_s + after_s) / 2))
    return min(looks)[1]
