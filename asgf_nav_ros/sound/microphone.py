# SPDX-License-Identifier: Apache-2.0
"""Recording from a sound card through PortAudio: blocks of samples and when they came."""

from __future__ import annotations

import collections
import dataclasses
import time
from typing import Any
from typing import Callable
from typing import NamedTuple

import numpy as np

SAMPLE_FORMATS = ('int16', 'float32')
# Blocks that may wait for their reader; more are lost and counted.
_MOST_WAITING = 500


class MicrophoneError(OSError):
    """No such device, or one that does not record as asked."""


class Block(NamedTuple):
    """``samples`` (n, channels) and when they came, by ``time.monotonic``."""

    samples: np.ndarray
    arrival_s: float
    overrun: bool  # samples were lost before this block
    underrun: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class MicrophoneSettings:
    """What to open; an empty ``device`` is the default one, ``rate_hz`` 0 the native rate."""

    device: str = ''  # its index, or a part of its name
    rate_hz: int = 0
    channels: int = 2
    sample_format: str = 'int16'
    block_s: float = 0.02
    latency_s: float = 0.1  # that the sound card may buffer

    def __post_init__(self) -> None:
        if self.sample_format not in SAMPLE_FORMATS:
            raise ValueError(f'sample_format must be one of {SAMPLE_FORMATS}, '
                             f'got {self.sample_format!r}')
        for name in ('channels', 'block_s', 'latency_s'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')
        if self.rate_hz < 0:
            raise ValueError(f'rate_hz must be positive, or 0 for the native rate, '
                             f'got {self.rate_hz}')


def portaudio() -> Any:
    """The module ``sounddevice``.

    Raises:
        MicrophoneError: it, or PortAudio itself, is not installed.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise MicrophoneError(
            f'microphones need sounddevice and PortAudio ({error}): pip install sounddevice, '
            'apt-get install libportaudio2') from error
    return sounddevice


def look_for_devices_again() -> None:
    """Make PortAudio see what was plugged in since; no stream may be open.

    Raises:
        MicrophoneError: PortAudio is not there, or does not start again.
    """
    sounddevice = portaudio()
    # PortAudio lists devices once, when it starts; sounddevice has no public way to restart it.
    try:
        sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise MicrophoneError(f'PortAudio cannot start again: {error}') from error


def input_devices() -> list[str]:
    """``'index: name (channels)'`` of everything that records."""
    return [f'{index}: {device["name"]} ({device["max_input_channels"]} channels)'
            for index, device in enumerate(portaudio().query_devices())
            if device['max_input_channels'] > 0]


class Microphone:
    """An open stream; ``take`` hands out what has come since."""

    def __init__(self, settings: MicrophoneSettings, *,
                 on_block: Callable[[], None] = lambda: None) -> None:
        """Open the device and record; ``on_block`` is called from PortAudio's thread.

        Raises:
            MicrophoneError: the device is not there, or cannot record so.
        """
        sounddevice = portaudio()
        self._waiting: collections.deque[Block] = collections.deque()
        self._on_block = on_block
        self._lost = False
        self._came_s = time.monotonic()
        self.has_begun = False
        try:
            found = _find(sounddevice, settings.device)
            self.name = str(found['name'])
            self.rate_hz = settings.rate_hz or round(found['default_samplerate'])
            self._stream = sounddevice.InputStream(
                device=found['index'], samplerate=self.rate_hz, channels=settings.channels,
                dtype=settings.sample_format, blocksize=round(settings.block_s * self.rate_hz),
                latency=settings.latency_s, callback=self._on_samples)
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise MicrophoneError(
                f'cannot record {settings.channels} channels from '
                f'{settings.device or "the default microphone"}: {error}; there are '
                f'{"; ".join(input_devices()) or "no microphones"}') from error

    def _on_samples(self, samples: np.ndarray, _: int, __: Any, status: Any) -> None:
        """PortAudio's thread: keep a copy, and nothing that may wait."""
        arrival_s = time.monotonic()
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(Block(
                samples.copy(), arrival_s, bool(status.input_overflow) or self._lost,
                bool(status.input_underflow)))
            self._lost = False
        else:
            self._lost = True
        self._came_s, self.has_begun = arrival_s, True
        self._on_block()

    @property
    def silent_for_s(self) -> float:
        """Seconds since the last block came."""
        return time.monotonic() - self._came_s

    @property
    def is_running(self) -> bool:
        """Whether PortAudio still records; a device that is pulled out may end the stream."""
        return bool(self._stream.active)

    def take(self) -> list[Block]:
        """Everything that has come since the last call, oldest first."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def close(self) -> None:
        """Stop at once; samples under way are lost."""
        sounddevice = portaudio()
        try:
            self._stream.abort()
        except sounddevice.PortAudioError:
            pass  # the device is gone
        finally:
            self._stream.close(ignore_errors=True)


def _find(sounddevice: Any, device: str) -> dict[str, Any]:
    """The one input device that an index or a part of a name stands for."""
    wanted = int(device) if device.isdecimal() else (device or None)
    return dict(sounddevice.query_devices(wanted, 'input'))
