# SPDX-License-Identifier: Apache-2.0
"""One line an episode while the demo runs."""

from __future__ import annotations

from typing import Any
from typing import Mapping
from typing import TextIO

from asgf_nav_ros.demo.result import caption
from asgf_nav_ros.demo.result import episode_row

SIGNS = {'MOVE_FORWARD': '^', 'TURN_LEFT': '<', 'TURN_RIGHT': '>', 'STOP': '.'}


class Progress:
    """Shows each action as a sign while it happens, then how the episode ended.

    Without a terminal only the endings are shown.
    """

    def __init__(self, episodes: int, *, stream: TextIO) -> None:
        self._episodes, self._stream = episodes, stream
        self._live = stream.isatty()
        self._ended, self._signs = 0, ''

    def show(self, event: Mapping[str, Any]) -> None:
        """Take an event of the recorder."""
        if event['event'] == 'ready':
            self._write('starting the graph ...', ends=not self._live)
        elif event['event'] == 'episode':
            self._signs = ''
        elif event['event'] == 'action':
            self._signs += SIGNS.get(event['name'], '?')
            if self._live:
                self._write(f'{self._head}: {self._signs[-60:]}', ends=False)
        elif event['event'] == 'episode_result':
            speed = f'{event["realtime_factor"]:.1f}x real time'
            self._write(f'{self._head}: {caption(episode_row(event, []))}, {speed}', ends=True)
            self._ended += 1

    @property
    def _head(self) -> str:
        return f'episode {self._ended + 1} of {self._episodes}'

    def _write(self, text: str, *, ends: bool) -> None:
        start = '\r\x1b[K' if self._live else ''
        self._stream.write(start + text + ('\n' if ends else ''))
        self._stream.flush()
