# SPDX-License-Identifier: Apache-2.0
"""Arrays that were read from files: the last ones that were asked for, within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Hashable

import numpy as np


class KeptArrays:
    """Keeps arrays up to ``most_bytes``, but always the newest one.

    Attributes:
        bytes: what is kept now.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self.bytes = 0

    def get(self, key: Hashable, read: Callable[[], np.ndarray]) -> np.ndarray:
        """The array of ``key``, from ``read`` where it is not kept."""
        found = self._arrays.pop(key, None)
        if found is None:
            found = read()
            self.bytes += found.nbytes
        self._arrays[key] = found
        while self.bytes > self._most_bytes and len(self._arrays) > 1:
            self.bytes -= self._arrays.popitem(last=False)[1].nbytes
        return found
