# SPDX-License-Identifier: Apache-2.0
"""Keeps a camera open in a thread of its own: what is pulled out is opened anew."""

from __future__ import annotations

import threading
import time
from typing import Callable

from asgf_nav_ros.sight.video_source import Frame
from asgf_nav_ros.sight.video_source import VideoEnded
from asgf_nav_ros.sight.video_source import VideoError
from asgf_nav_ros.sight.video_source import VideoSettings
from asgf_nav_ros.sight.video_source import VideoSource

_CLOSING_S = 5.0


class VideoKeeper:
    """Reads frames as they come and holds the newest; older ones are of no use to anybody."""

    def __init__(self, settings: VideoSettings, *, silence_s: float = 2.0, retry_s: float = 1.0,
                 on_frame: Callable[[], None] = lambda: None) -> None:
        """Open soon.

        Args:
            settings: what to open.
            silence_s: a camera without a frame for so long is in trouble.
            retry_s: between attempts to open it.
            on_frame: called from another thread when something may be there to ``take``.
        """
        self._settings, self._on_frame = settings, on_frame
        self._silence_s, self._retry_s = silence_s, retry_s
        self._newest: Frame | None = None
        self._came_s = time.monotonic()
        self._trouble = ''
        self.openings = 0
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name='camera', daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why no frames come, in one line; empty while all is well or not known yet."""
        silent_s = time.monotonic() - self._came_s
        if not self._trouble and silent_s > self._silence_s:
            return (f'no frame has come from {self._settings.source} {self._settings.path!r} '
                    f'for {silent_s:.0f} s')
        return self._trouble

    def take(self) -> Frame | None:
        """The newest frame, unless it was taken before."""
        with self._lock:
            newest, self._newest = self._newest, None
        return newest

    def close(self) -> bool:
        """Close the camera; false if its driver does not return, and only a new process helps."""
        self._ending.set()
        self._thread.join(_CLOSING_S)
        return not self._thread.is_alive()

    def _keep(self) -> None:
        while not self._ending.is_set():
            try:
                source = VideoSource(self._settings)
                try:
                    self.openings += 1
                    self._read(source)
                finally:
                    source.close()
            except VideoEnded as ended:
                self._trouble = str(ended)
                self._ending.set()
            except VideoError as error:
                self._trouble = str(error)
            self._ending.wait(self._retry_s)

    def _read(self, source: VideoSource) -> None:
        while not self._ending.is_set():
            frame = source.read()
            with self._lock:
                self._newest = frame
            self._came_s, self._trouble = time.monotonic(), ''
            self._on_frame()
