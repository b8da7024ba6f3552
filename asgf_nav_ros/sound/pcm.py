# SPDX-License-Identifier: Apache-2.0
"""Two ears as interleaved 16 bit samples, the payload of the ``audio`` topic."""

from __future__ import annotations

import numpy as np

ENCODING = '16SC2'
MAX_FRAMES = 1 << 20  # 22 s at 48 kHz; nobody means to send more in one message
_BYTES_PER_FRAME = 4
_FULL_SCALE = 32768


class PcmError(ValueError):
    """Bytes that are not the two-eared audio that their header states."""


def decode_pcm(
        data: bytes, *, width: int, height: int = 1, encoding: str = ENCODING,
        step: int | None = None, is_bigendian: bool = False) -> np.ndarray:
    """Turn the fields of a ``sensor_msgs/Image`` with audio into samples.

    Args:
        data: any buffer of ``width`` frames of (left, right) int16.
        width: frames, i.e. samples per ear.
        height: 1.
        encoding: ``16SC2``.
        step: bytes in all, 4 * width; None where a driver's message has no such field.
        is_bigendian: byte order of the samples.

    Returns:
        (2, width) float32 in [-1, 1), left ear first.

    Raises:
        PcmError: another encoding or channel count, no frames or too many, or a size that
            does not fit.
    """
    _check_header(width=width, height=height, encoding=encoding)
    if step is not None and step != width * _BYTES_PER_FRAME:
        raise PcmError(f'step must be {width * _BYTES_PER_FRAME} for {width} frames of '
                       f'{ENCODING}, got {step}')
    try:
        samples = np.frombuffer(data, '>i2' if is_bigendian else '<i2')
    except (TypeError, ValueError) as error:
        raise PcmError(f'audio must be whole 16 bit samples: {error}') from error
    if samples.size != 2 * width:
        raise PcmError(f'audio of {width} frames must have {width * _BYTES_PER_FRAME} bytes, '
                       f'got {samples.nbytes}')
    return samples.reshape(width, 2).T.astype(np.float32, order='C') / np.float32(_FULL_SCALE)


def _check_header(*, width: int, height: int, encoding: str) -> None:
    if encoding != ENCODING:
        raise PcmError(f'audio must have encoding {ENCODING} (two ears, interleaved int16), '
                       f'got {encoding!r:.40}')
    if height != 1:
        raise PcmError(f'audio must have height 1, got {height}')
    if not 0 < width <= MAX_FRAMES:
        raise PcmError(f'audio must have 1 to {MAX_FRAMES} frames, got {width}')


def encode_pcm(audio: np.ndarray) -> bytes:
    """Interleave two ears as little endian int16; louder than full scale is clipped.

    Args:
        audio: (2, n) float in [-1, 1], left ear first, n > 0.

    Returns:
        4 * n bytes, to go with encoding ``16SC2``, height 1, width n, step 4 * n.

    Raises:
        PcmError: wrong shape, too many frames, NaN or infinity.
    """
    audio = np.asarray(audio)
    if audio.ndim != 2 or audio.shape[0] != 2 or not 0 < audio.shape[1] <= MAX_FRAMES:
        raise PcmError(f'audio must be (2, n) with n in 1..{MAX_FRAMES}, got {audio.shape}')
    if not np.isfinite(audio).all():
        raise PcmError('audio must be finite, got NaN or infinity')
    samples = np.clip(np.rint(audio * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    return samples.T.astype('<i2').tobytes()
