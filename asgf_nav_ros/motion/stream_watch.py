# SPDX-License-Identifier: Apache-2.0
"""One input of a node: whether it comes, keeps coming, and fits, in words."""

from __future__ import annotations

import math

# One bad message among good ones is remembered so long: motion must not start in between.
REMEMBER_S = 0.5


class StreamWatch:
    """Follows the messages of one topic by the clock of the graph.

    ``fresh_s`` bounds the age of the newest message, by its stamp where ``stamped``; None does
    not ask for freshness.
    """

    def __init__(self, topic: str, *, fresh_s: float | None = None, stamped: bool = False) -> None:
        self._topic, self._fresh_s, self._stamped = topic, fresh_s, stamped
        self.forget()

    def forget(self) -> None:
        """Start anew, after the clock jumped."""
        self._came_s = self._stamp_s = -math.inf
        self._refused_s, self._reason = -math.inf, ''

    def see(self, stamp_s: float, now_s: float) -> None:
        """Take note of a message.

        Args:
            stamp_s: of its header; anything where the stream has none.
            now_s: when it came.

        Raises:
            ValueError: the header was never stamped.
        """
        if self._stamped and stamp_s == 0:
            raise ValueError('the header has no stamp, got 0: the driver must set it')
        self._came_s, self._stamp_s = now_s, stamp_s

    def refuse(self, reason: str, now_s: float) -> None:
        """Take note that the newest message was not used."""
        self._refused_s, self._reason = now_s, reason

    def complaint(self, now_s: float) -> str:
        """Why nobody should rely on this stream now; empty if all is well."""
        return self.refusal(now_s) or self.lack(now_s)

    def refusal(self, now_s: float) -> str:
        """Why messages that came lately were not used."""
        remembered = now_s - self._refused_s < REMEMBER_S
        return f'{self._topic} is refused: {self._reason}' if remembered else ''

    def lack(self, now_s: float) -> str:
        """Why there are no messages to use."""
        if self._fresh_s is None:
            return ''
        if self._came_s == -math.inf:
            return f'nothing has come on {self._topic} yet'
        silent_s = now_s - self._came_s
        if silent_s > self._fresh_s:
            return f'{self._topic} has stopped, nothing for {silent_s:.1f} s'
        return self._of_stamp(now_s) if self._stamped else ''

    def _of_stamp(self, now_s: float) -> str:
        old_s = now_s - self._stamp_s
        if abs(old_s) <= self._fresh_s:
            return ''
        side = 'behind' if old_s > 0 else 'ahead of'
        return (f'stamps of {self._topic} are {abs(old_s):.1f} s {side} the clock of this node '
                f'(limit {self._fresh_s:g} s)')
