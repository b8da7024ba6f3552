# SPDX-License-Identifier: Apache-2.0
"""The newest part of an endless sequence, in bounded memory."""

from __future__ import annotations

import numpy as np


class RecentSamples:
    """Keeps the newest ``keep`` entries along the last axis, addressed by absolute index.

    Appending costs a copy of what is appended, plus one of ``keep`` entries each time that
    twice as many have come.
    """

    def __init__(self, shape: tuple[int, ...], *, keep: int) -> None:
        """Hold entries of ``shape`` float32, e.g. (2,) for the samples of two ears."""
        self._buffer = np.empty((*shape, 2 * keep), np.float32)
        self._keep = keep
        self._stored = 0  # entries in use at the front of the buffer
        self.end = 0

    @property
    def start(self) -> int:
        """Index of the oldest entry that is still held."""
        return self.end - min(self._stored, self._keep)

    def append(self, entries: np.ndarray) -> None:
        """Add (..., n) entries; all but the newest ``keep`` of them are skipped."""
        count = entries.shape[-1]
        entries = entries[..., -self._keep:]
        if self._stored + entries.shape[-1] > self._buffer.shape[-1]:
            self._drop_old()
        stop = self._stored + entries.shape[-1]
        self._buffer[..., self._stored:stop] = entries
        self._stored = stop
        self.end += count

    def _drop_old(self) -> None:
        self._buffer[..., :self._keep] = self._buffer[..., self._stored - self._keep:self._stored]
        self._stored = self._keep

    def part(self, start: int, stop: int) -> np.ndarray:
        """(..., stop - start) view of held entries, good until the next ``append``.

        Raises:
            IndexError: some of them are gone or have not come yet.
        """
        if start == stop:
            return self._buffer[..., :0]
        if not self.start <= start <= stop <= self.end:
            raise IndexError(f'entries {start}..{stop} asked, {self.start}..{self.end} held')
        offset = self._stored - self.end
        return self._buffer[..., start + offset:stop + offset]
