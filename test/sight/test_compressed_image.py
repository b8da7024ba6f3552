# SPDX-License-Identifier: Apache-2.0
import contextlib
import struct

import cv2
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies
import numpy as np
import pytest

from asgf_nav_ros.sight.compressed_image import decode_compressed_color
from asgf_nav_ros.sight.image_codec import ImageError

PICTURE = np.zeros((24, 40, 3), np.uint8)
PICTURE[:12] = (200, 100, 20)


def compress(kind):
    return cv2.imencode(kind, PICTURE[..., ::-1])[1].tobytes()


@pytest.mark.parametrize('kind, error', [('.png', 0), ('.jpg', 12)])
def test_a_picture_comes_back_red_first(kind, error):
    found = decode_compressed_color(compress(kind))
    assert found.shape == PICTURE.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - PICTURE)[2:10].max() <= error


def test_a_grey_jpeg_becomes_colour():
    grey = cv2.imencode('.jpg', PICTURE[..., 0])[1].tobytes()
    assert decode_compressed_color(grey).shape == PICTURE.shape


def test_a_huge_size_is_refused_before_anything_is_unpacked():
    png = bytearray(compress('.png'))
    png[16:24] = struct.pack('>II', 30000, 30000)
    with pytest.raises(ImageError, match='got 30000 x 30000 pixels'):
        decode_compressed_color(bytes(png))


@pytest.mark.parametrize('data, message', [
    (b'', 'must be JPEG or PNG'), (b'GIF89a', 'must be JPEG or PNG'),
    (b'\xff\xd8\xff', 'states no size'), (b'\xff\xd8\xff\xe0\xff\xff', 'states no size')])
def test_refuses_what_is_no_picture(data, message):
    with pytest.raises(ImageError, match=message):
        decode_compressed_color(data)


@settings(deadline=None)
@given(strategies.sampled_from(['.png', '.jpg']), strategies.integers(0, 400),
       strategies.binary(max_size=20))
def test_broken_pictures_decode_or_are_refused(kind, place, patch):
    data = bytearray(compress(kind))
    data[place:place + len(patch)] = patch
    with contextlib.suppress(ImageError):
        assert decode_compressed_color(bytes(data[:place + 60])).shape[2] == 3
