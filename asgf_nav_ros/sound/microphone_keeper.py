# SPDX-License-Identifier: Apache-2.0
"""Keeps a microphone open: what is pulled out or falls silent is opened anew."""

from __future__ import annotations

import dataclasses
import threading
from typing import Callable

from asgf_nav_ros.sound.microphone import Block
from asgf_nav_ros.sound.microphone import look_for_devices_again
from asgf_nav_ros.sound.microphone import Microphone
from asgf_nav_ros.sound.microphone import MicrophoneError
from asgf_nav_ros.sound.microphone import MicrophoneSettings

_LOOK_S = 0.1
_CLOSING_S = 5.0


@dataclasses.dataclass(frozen=True)
class Recording:
    """Blocks of one uninterrupted opening of a device; ``opening`` counts these."""

    opening: int
    name: str
    rate_hz: int
    blocks: list[Block]


class MicrophoneKeeper:
    """Opens, watches and closes in a thread of its own: drivers may take seconds over each."""

    def __init__(self, settings: MicrophoneSettings, *, silence_s: float = 1.0,
                 retry_s: float = 1.0, on_block: Callable[[], None] = lambda: None) -> None:
        """Open soon; a device without a block for ``silence_s`` counts as gone.

        Args:
            settings: what to open.
            silence_s: PortAudio may need over a second for the first block; it has twice that
                and two seconds more.
            retry_s: between attempts.
            on_block: called from another thread when something may be there to ``take``.
        """
        self._settings, self._on_block = settings, on_block
        self._silence_s, self._retry_s = silence_s, retry_s
        self._open: tuple[int, Microphone] | None = None  # replaced as one: two threads read it
        self._openings = 0
        self._trouble = ''
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name='microphone', daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why nothing is recorded, in one line; empty while all is well or not known yet."""
        return self._trouble

    @property
    def openings(self) -> int:
        """How often a device was opened."""
        return self._openings

    def take(self) -> Recording | None:
        """What has come since the last call from the device that is open, if one is."""
        if (current := self._open) is None:
            return None
        opening, microphone = current
        return Recording(opening, microphone.name, microphone.rate_hz, microphone.take())

    def close(self) -> bool:
        """Close the device; false if its driver does not return, and only a new process helps."""
        self._ending.set()
        self._thread.join(_CLOSING_S)
        return not self._thread.is_alive()

    def _keep(self) -> None:
        while not self._ending.is_set():
            try:
                if self._openings or self._trouble:
                    look_for_devices_again()
                opened = Microphone(self._settings, on_block=self._on_block)
            except MicrophoneError as error:
                self._trouble = str(error)
            else:
                self._trouble = self._watch(opened)
                self._open = None
                opened.close()
            self._on_block()
            self._ending.wait(self._retry_s)

    def _watch(self, microphone: Microphone) -> str:
        """Wait until the device is gone, and say how that showed."""
        self._openings += 1
        self._open = (self._openings, microphone)
        allowed_s = 2 * self._silence_s + 2.0
        while not self._ending.wait(_LOOK_S):
            if not microphone.is_running:
                return f'{microphone.name} has stopped: was it pulled out?'
            if microphone.silent_for_s > allowed_s:
                return f'nothing has come from {microphone.name} for {allowed_s:.1f} s'
            if microphone.has_begun:
                self._trouble, allowed_s = '', self._silence_s
        return 'closed'
