# SPDX-License-Identifier: Apache-2.0
"""Colour images as JPEG or PNG, as ``sensor_msgs/CompressedImage`` has them."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from asgf_nav_ros.sight.image_codec import ImageError
from asgf_nav_ros.sight.image_codec import MAX_BYTES

# Deflate reaches 1032, a JPEG of one colour 512: who claims more holds no whole picture.
_MOST_PACKED = 1100
_PNG = b'\x89PNG\r\n\x1a\n'
_PNG_HEAD, _PNG_END = b'\0\0\0\rIHDR', b'IEND'
_JPEG = b'\xff\xd8'
# Start of frame, with the size: every marker C0 to CF but those of tables and arithmetic coding.
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decode_compressed_color(data: bytes) -> np.ndarray:
    """Decode a picture whose size is checked before it is unpacked.

    Returns:
        (height, width, 3) uint8, red first.

    Raises:
        ImageError: neither JPEG nor PNG, too large, or broken.
    """
    data = bytes(data)
    height, width = _size(data)
    if not 0 < height * width * 3 <= MAX_BYTES:
        raise ImageError(f'a colour image must have at most {MAX_BYTES} bytes when it is '
                         f'unpacked, got {height} x {width} pixels')
    if height * width * 3 > _MOST_PACKED * len(data):
        raise ImageError(f'a compressed image of {len(data)} bytes cannot hold {height} x {width} '
                         'pixels')
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError(f'a compressed image of {len(data)} bytes cannot be unpacked: '
                         f'{" ".join(str(error).split()):.120}') from error
    if picture is None:
        raise ImageError(f'a compressed image of {len(data)} bytes is broken')
    return np.ascontiguousarray(picture[..., ::-1])


def _size(data: bytes) -> tuple[int, int]:
    """Height and width by the header alone."""
    if data.startswith(_PNG):
        return _png_size(data)
    if data.startswith(_JPEG):
        return _jpeg_size(data)
    raise ImageError(f'a compressed image must be JPEG or PNG, got {data[:8]!r}')


def _png_size(data: bytes) -> tuple[int, int]:
    """Also look whether each chunk is there: OpenCV takes the memory that one claims."""
    place = len(_PNG)
    while place + 8 <= len(data) and data[place + 4:place + 8] != _PNG_END:
        place += 12 + struct.unpack('>I', data[place:place + 4])[0]
    if place + 12 > len(data) or data[8:16] != _PNG_HEAD:
        raise ImageError(f'a PNG image of {len(data)} bytes is broken or cut off')
    width, height = struct.unpack('>II', data[16:24])
    return height, width


def _jpeg_size(data: bytes) -> tuple[int, int]:
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], struct.unpack('>H', data[place + 2:place + 4])[0]
        if marker in _JPEG_FRAMES:
            return struct.unpack('>HH', data[place + 5:place + 9])
        place += 2 + length
    raise ImageError(f'a JPEG image of {len(data)} bytes states no size')
