# SPDX-License-Identifier: Apache-2.0
"""Frames from cameras and video files through OpenCV."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
import time
from typing import NamedTuple

import cv2
import numpy as np

SOURCES = ('device', 'file', 'openni2')
_MILLIMETRES = np.float32(1e-3)


class VideoError(OSError):
    """No such camera or file, or one that has stopped to give frames."""


class VideoEnded(VideoError):
    """The file has been played to its end."""


class Frame(NamedTuple):
    """``rgb`` (H, W, 3) uint8, ``depth`` (H, W) float32 metres (0 invalid) or None.

    ``taken_s`` is of ``time.monotonic``.
    """

    rgb: np.ndarray
    depth: np.ndarray | None
    taken_s: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """What to open; 0 leaves size and rate to the camera or file."""

    source: str = 'device'
    path: str = '0'  # index or path of a camera, path of a file
    width: int = 0
    height: int = 0
    rate_hz: float = 0.0
    loop: bool = False

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f'source must be one of {SOURCES}, got {self.source!r}')
        if self.source == 'openni2' and not self.path.isdecimal():
            raise ValueError(f'an OpenNI2 camera is named by its index, got {self.path!r}')
        for name in ('width', 'height', 'rate_hz'):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f'{name} must be positive, or 0 for that of the camera, '
                                 f'got {value}')


class VideoSource:
    """An open camera or file."""

    def __init__(self, settings: VideoSettings) -> None:
        """Open it.

        Raises:
            VideoError: it is not there, or OpenCV cannot read it.
        """
        self._settings = settings
        self._capture = _open(settings)
        if not self._capture.isOpened():
            self._capture.release()
            raise VideoError(f'cannot open {settings.source} {settings.path!r}: '
                             f'{_why_not(settings)}')
        for name, value in ((cv2.CAP_PROP_FRAME_WIDTH, settings.width),
                            (cv2.CAP_PROP_FRAME_HEIGHT, settings.height),
                            (cv2.CAP_PROP_FPS, settings.rate_hz)):
            if value and settings.source == 'device':
                self._capture.set(name, value)
        if settings.source == 'openni2':
            self._capture.set(cv2.CAP_PROP_OPENNI_REGISTRATION, 1)
        self._next_s = time.monotonic()

    def read(self) -> Frame:
        """Wait for the next frame; files are played at their own pace.

        Raises:
            VideoEnded: a file that is not looped is over.
            VideoError: nothing comes any more.
        """
        if self._settings.source == 'file':
            self._keep_pace()
        if not self._capture.grab() and not self._begin_again():
            raise VideoError(f'no frame comes from {self._settings.source} '
                             f'{self._settings.path!r}: was it pulled out?')
        taken_s = time.monotonic()
        if self._settings.source == 'openni2':
            return self._rgbd(taken_s)
        _, picture = self._capture.retrieve()
        return Frame(_rgb(picture), None, taken_s)

    def _keep_pace(self) -> None:
        now_s = time.monotonic()
        time.sleep(max(self._next_s - now_s, 0.0))
        rate_hz = self._settings.rate_hz or self._capture.get(cv2.CAP_PROP_FPS)
        period_s = 1 / rate_hz if 0.1 < rate_hz < 1000 else 1 / 30
        self._next_s = max(self._next_s, now_s - period_s) + period_s

    def _begin_again(self) -> bool:
        if self._settings.source != 'file':
            return False
        if not self._settings.loop:
            raise VideoEnded(f'{self._settings.path} is over')
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
        return bool(self._capture.grab())

    def _rgbd(self, taken_s: float) -> Frame:
        has_depth, depth = self._capture.retrieve(flag=cv2.CAP_OPENNI_DEPTH_MAP)
        has_color, picture = self._capture.retrieve(flag=cv2.CAP_OPENNI_BGR_IMAGE)
        if not (has_depth and has_color):
            raise VideoError('the OpenNI2 camera gives no colour with its depth')
        return Frame(_rgb(picture), depth.astype(np.float32) * _MILLIMETRES, taken_s)

    def close(self) -> None:
        """Let go of the camera."""
        self._capture.release()


def _open(settings: VideoSettings) -> cv2.VideoCapture:
    if settings.source == 'openni2':
        return cv2.VideoCapture(int(settings.path), cv2.CAP_OPENNI2)
    if settings.source == 'device':
        where = int(settings.path) if settings.path.isdecimal() else settings.path
        return cv2.VideoCapture(where, cv2.CAP_V4L2)
    return cv2.VideoCapture(settings.path, cv2.CAP_FFMPEG)


def _why_not(settings: VideoSettings) -> str:
    built = {cv2.videoio_registry.getBackendName(backend)
             for backend in cv2.videoio_registry.getBackends()}
    if settings.source == 'openni2':
        if 'OPENNI2' not in built:
            return 'this OpenCV was built without OpenNI2; use the driver of the camera instead'
        return 'no OpenNI2 camera has this index'
    if settings.source == 'file':
        return ('OpenCV cannot read it' if Path(settings.path).is_file()
                else 'there is no such file')
    cameras = sorted(str(path) for path in Path('/dev').glob('video*'))
    return f'there are {", ".join(cameras) or "no cameras in /dev/video*"}'


def _rgb(picture: np.ndarray) -> np.ndarray:
    if picture.ndim == 2:
        return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
