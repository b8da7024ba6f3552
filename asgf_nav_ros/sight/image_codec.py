# SPDX-License-Identifier: Apache-2.0
"""Fields of ``sensor_msgs/Image`` to arrays and back, without ROS.

The decoders take the fields of a message by their own names and any buffer as ``data``; the
encoders return bytes, which rclpy assigns a hundred times faster than arrays.
"""

from __future__ import annotations

import re

import numpy as np

MAX_BYTES = 64 << 20  # a 4K colour image has 25 MB
# Channels in the buffer, and which of them are red, green, blue.
_COLOR_ENCODINGS = {
    'rgb8': (3, (0, 1, 2)),
    'bgr8': (3, (2, 1, 0)),
    'rgba8': (4, (0, 1, 2)),
    'bgra8': (4, (2, 1, 0)),
    'mono8': (1, (0, 0, 0)),
}
_MILLIMETRES = np.float32(1e-3)


class ImageError(ValueError):
    """Bytes that are not the image that their header states."""


def decode_color(
        data: bytes, *, encoding: str, height: int, width: int, step: int,
        is_bigendian: bool = False) -> np.ndarray:
    """Colour or grey image, rgb8, bgr8, rgba8, bgra8 or mono8.

    Returns:
        (height, width, 3) uint8, red first; a read-only view of ``data`` where that will do.

    Raises:
        ImageError: another encoding, or sizes that do not fit.
    """
    if encoding not in _COLOR_ENCODINGS:
        raise ImageError(f'a colour image must be one of {", ".join(_COLOR_ENCODINGS)}, '
                         f'got {encoding!r:.40}')
    channels, order = _COLOR_ENCODINGS[encoding]
    pixels = _pixels(data, np.dtype(np.uint8), channels, height=height, width=width, step=step)
    return pixels if encoding == 'rgb8' else pixels[..., order]


def decode_depth(
        data: bytes, *, encoding: str, height: int, width: int, step: int,
        is_bigendian: bool = False) -> np.ndarray:
    """Depth image, 16UC1 (millimetres) or 32FC1 (metres), as REP-118 has them.

    Returns:
        (height, width) float32, metres along the optical axis; 0 where it was 0, negative, NaN
        or infinite.

    Raises:
        ImageError: another encoding, or sizes that do not fit.
    """
    kinds = {'16UC1': np.uint16, '32FC1': np.float32}
    if encoding not in kinds:
        raise ImageError(f'a depth image must be 16UC1 (mm) or 32FC1 (m), got {encoding!r:.40}')
    kind = np.dtype(kinds[encoding]).newbyteorder('>' if is_bigendian else '<')
    depth = _pixels(data, kind, 1, height=height, width=width, step=step)[..., 0]
    depth = depth.astype(np.float32)
    if encoding == '16UC1':
        return depth * _MILLIMETRES
    depth[~(np.isfinite(depth) & (depth > 0))] = 0
    return depth


def decode_planes(
        data: bytes, *, encoding: str, height: int, width: int, step: int,
        is_bigendian: bool = False) -> np.ndarray:
    """Planes of floats, 32FC1 to 32FC99: how a spectrogram travels.

    Returns:
        (height, width, channels) float32, values as they came.

    Raises:
        ImageError: another encoding, or sizes that do not fit.
    """
    match = re.fullmatch(r'32FC([1-9]\d?)', encoding)
    if match is None:
        raise ImageError(f'float planes must be 32FC1 to 32FC99, got {encoding!r:.40}')
    kind = np.dtype(np.float32).newbyteorder('>' if is_bigendian else '<')
    planes = _pixels(data, kind, int(match[1]), height=height, width=width, step=step)
    return planes.astype(np.float32)


def _pixels(data: bytes, kind: np.dtype, channels: int, *,
            height: int, width: int, step: int) -> np.ndarray:
    """(height, width, channels) view of ``data``, whose rows are ``step`` bytes apart."""
    if height <= 0 or width <= 0:
        raise ImageError(f'an image must have height and width over 0, got {height} x {width}')
    row = width * channels * kind.itemsize
    if step < row:
        raise ImageError(f'step must be at least {row} for {width} pixels, got {step}')
    if height * step > MAX_BYTES:
        raise ImageError(f'an image must have at most {MAX_BYTES} bytes, got {height * step}')
    try:
        samples = np.frombuffer(data, np.uint8)
    except (TypeError, ValueError) as error:
        raise ImageError(f'image data must be bytes: {error}') from error
    if samples.size != height * step:
        raise ImageError(f'an image of {height} rows of {step} bytes must have {height * step} '
                         f'bytes, got {samples.size}')
    rows = samples.reshape(height, step)[:, :row]
    return rows.view(kind).reshape(height, width, channels)


def encode_color(rgb: np.ndarray) -> bytes:
    """(H, W, 3) uint8 -> rgb8, to go with step 3 * W.

    Raises:
        ImageError: wrong shape or type.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ImageError(f'rgb must be (H, W, 3) uint8, got {rgb.shape} {rgb.dtype.name}')
    return rgb.tobytes()


def encode_depth(depth: np.ndarray) -> bytes:
    """(H, W) float, metres -> little endian 32FC1, to go with step 4 * W.

    Raises:
        ImageError: wrong shape or type.
    """
    if depth.ndim != 2 or depth.dtype.kind != 'f':
        raise ImageError(f'depth must be (H, W) float, got {depth.shape} {depth.dtype.name}')
    return depth.astype('<f4').tobytes()


def encode_planes(planes: np.ndarray) -> bytes:
    """(H, W, C) float -> little endian 32FC{C}, to go with step 4 * C * W.

    Raises:
        ImageError: wrong shape or type.
    """
    if planes.ndim != 3 or not 1 <= planes.shape[2] <= 99 or planes.dtype.kind != 'f':
        raise ImageError(f'planes must be (H, W, 1..99) float, '
                         f'got {planes.shape} {planes.dtype.name}')
    return planes.astype('<f4').tobytes()
