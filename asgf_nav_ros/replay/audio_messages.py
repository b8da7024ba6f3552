# SPDX-License-Identifier: Apache-2.0
"""Stamped audio of drivers: this package's images and both kinds of ``audio_common_msgs``.

Two packages share that name. ros-drivers has AudioDataStamped (bytes, described by an AudioInfo
on a topic of its own), mgonzs13 has AudioStamped (typed samples with their own description).
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any
from typing import Iterator

import numpy as np
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import TypesysError
from rosbags.typesys.store import Typestore

from asgf_nav_ros.sound import pcm

IMAGE = 'sensor_msgs/msg/Image'
DATA_STAMPED = 'audio_common_msgs/msg/AudioDataStamped'
AUDIO_STAMPED = 'audio_common_msgs/msg/AudioStamped'
AUDIO_INFO = 'audio_common_msgs/msg/AudioInfo'
MAX_RATE_HZ = 384000
MAX_DEFINITION = 1 << 16  # characters
_PACKAGE = 'audio_common_msgs/msg/'
_DATA_DEFINITIONS = {
    'AudioData': 'uint8[] data',
    'AudioDataStamped': 'std_msgs/Header header\naudio_common_msgs/AudioData audio',
    'AudioInfo': 'uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\n'
                 'string coding_format'}
_STAMPED_DEFINITIONS = {
    'AudioData': 'float32[] float32_data\nint32[] int32_data\nint16[] int16_data\n'
                 'int8[] int8_data\nuint8[] uint8_data',
    'AudioInfo': 'int32 format\nint32 channels\nint32 rate\nint32 chunk',
    'Audio': 'audio_common_msgs/AudioInfo info\naudio_common_msgs/AudioData audio_data',
    'AudioStamped': 'std_msgs/Header header\naudio_common_msgs/Audio audio'}
DEFINITIONS = {'image': {}, 'audio_data_stamped': _DATA_DEFINITIONS,
               'audio_stamped': _STAMPED_DEFINITIONS}
_SCALES = {'int8_data': 2.0 ** 7, 'int16_data': 2.0 ** 15, 'int24_data': 2.0 ** 23,
           'int32_data': 2.0 ** 31, 'float32_data': 1.0}


@dataclasses.dataclass(frozen=True)
class RawFormat:
    """How bytes without a description of their own are to be read."""

    rate_hz: int
    channels: int = 2


def register_audio_types(types: Typestore, kind: str) -> None:
    """Teach ``types`` the messages of an ``audio_msg_type``; 'image' it knows."""
    found: dict[str, Any] = {}
    for name, text in DEFINITIONS[kind].items():
        found.update(get_types_from_msg(text, _PACKAGE + name))
    types.register(found)


def register_definition(types: Typestore, type_name: str, definition: str) -> None:
    """Teach ``types`` an audio message as a bag describes it, or else as it is usual.

    Raises:
        ValueError: the description cannot be understood.
    """
    if type_name in types.fielddefs:
        return
    if not definition:
        register_audio_types(types, 'audio_stamped' if type_name == AUDIO_STAMPED
                             else 'audio_data_stamped')
        return
    if len(definition) > MAX_DEFINITION:
        raise ValueError(f'{type_name} is described in {len(definition)} characters, '
                         f'{MAX_DEFINITION} are read at most')
    try:
        found = get_types_from_msg(definition, type_name)
        types.register({name: fields for name, fields in found.items()
                        if name not in types.fielddefs})
    except (TypesysError, ValueError, KeyError) as error:
        raise ValueError(f'{type_name} is described in a way that cannot be understood: '
                         f'{error}') from error


def raw_format(info: Any) -> RawFormat:
    """Read an ``AudioInfo`` of ros-drivers.

    Raises:
        ValueError: mp3, or samples other than 16 bits, little endian.
    """
    with _as_described():
        coding, sample = info.coding_format.lower(), info.sample_format.upper()
        rate_hz, channels = int(info.sample_rate), int(info.channels)
    if coding not in ('wave', 'wav', 'raw', 'pcm') or sample not in ('S16LE', ''):
        raise ValueError(f'audio must be recorded as wave S16LE (the format parameter of '
                         f'audio_capture), got {coding or "nothing"} {sample}')
    return _checked(rate_hz, channels)


def decode_audio(message: Any, type_name: str, raw: RawFormat) -> tuple[np.ndarray, int]:
    """Samples of a message, whichever of the three kinds it is.

    Args:
        message: deserialized.
        type_name: IMAGE, DATA_STAMPED or AUDIO_STAMPED.
        raw: of bytes without a description; an image has the contract's rate.

    Returns:
        (2, n) float32 in [-1, 1], left ear first, and the rate in Hz.

    Raises:
        ValueError: not audio of two ears.
    """
    if type_name == IMAGE:
        return pcm.decode_pcm(
            message.data, encoding=message.encoding, height=message.height, width=message.width,
            step=message.step, is_bigendian=bool(message.is_bigendian)), raw.rate_hz
    with _as_described():
        return _driver_audio(message, type_name, raw)


@contextlib.contextmanager
def _as_described() -> Iterator[None]:
    """A bag describes these messages itself, and may do so in any way."""
    try:
        yield
    except (AttributeError, OverflowError, TypeError) as error:
        raise ValueError(f'audio must have the fields of audio_common_msgs: {error}') from error


def _driver_audio(message: Any, type_name: str, raw: RawFormat) -> tuple[np.ndarray, int]:
    if type_name == DATA_STAMPED:
        data = np.asarray(message.audio.data, np.uint8)
        samples = data[:len(data) // 2 * 2].view('<i2') / np.float32(2 ** 15)
        return _two_ears(samples, raw.channels), raw.rate_hz
    info = message.audio.info
    described = _checked(int(info.rate), int(info.channels))
    return _two_ears(_typed_samples(message.audio), described.channels), described.rate_hz


def _typed_samples(audio: Any) -> np.ndarray:
    """Return the samples of the one field that is filled."""
    data = getattr(audio, 'audio_data', None) or audio.audio
    for name, scale in _SCALES.items():
        values = getattr(data, name, ())
        if len(values):
            return np.asarray(values, np.float32) / np.float32(scale)
    raise ValueError('audio must have samples of 8 to 32 bits or floats, got none')


def _checked(rate_hz: int, channels: int) -> RawFormat:
    if not 0 < rate_hz <= MAX_RATE_HZ or channels < 1:
        raise ValueError(f'audio must have a rate of 1 to {MAX_RATE_HZ} Hz, '
                         f'got {rate_hz} Hz, {channels} channels')
    return RawFormat(rate_hz, channels)


def _two_ears(samples: np.ndarray, channels: int) -> np.ndarray:
    """(n * channels,) interleaved -> (2, n), the first two channels."""
    if channels < 2:
        raise ValueError(f'audio must have two channels, left and right, got {channels}')
    frames = len(samples) // channels
    if not 0 < frames <= pcm.MAX_FRAMES:
        raise ValueError(f'audio must have 1 to {pcm.MAX_FRAMES} frames, got {frames}')
    ears = samples[:frames * channels].reshape(frames, channels)[:, :2].T
    return np.ascontiguousarray(ears, np.float32)
