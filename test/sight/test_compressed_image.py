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


@pytest.mark.parametrize('kind, place, form', [('.png', 16, '>II'), ('.jpg', None, '>HH')])
def test_few_bytes_that_claim_a_large_picture_are_not_unpacked(kind, place, form):
    data = bytearray(compress(kind))
    place = data.index(b'\xff\xc0') + 5 if place is None else place
    data[place:place + struct.calcsize(form)] = struct.pack(form, 4000, 5000)
    with pytest.raises(ImageError, match='cannot hold [45]000 x [45]000 pixels'):
        decode_compressed_color(bytes(data))


def longer_than_the_file(png):
    at = png.index(b'IDAT')
    return png[:at - 4] + struct.pack('>I', 2**31 - 1) + png[at:]


@pytest.mark.parametrize('damage', [
    longer_than_the_file, lambda png: png[:-12], lambda png: png[:20],
    lambda png: png[:12] + b'IDAT' + png[16:]], ids=['long', 'cut', 'head', 'order'])
def test_a_png_whose_chunks_are_not_there_is_refused_before_memory_is_taken(damage):
    with pytest.raises(ImageError, match='PNG image of .* bytes is broken or cut off'):
        decode_compressed_color(damage(compress('.png')))


@pytest.mark.parametrize('kind, options', [
    ('.png', [cv2.IMWRITE_PNG_COMPRESSION, 9]), ('.jpg', [cv2.IMWRITE_JPEG_QUALITY, 1]),
    ('.jpg', [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_OPTIMIZE, 1])])
def test_a_large_picture_of_one_colour_is_unpacked_however_small_it_was(kind, options):
    data = cv2.imencode(kind, np.zeros((2000, 3000, 3), np.uint8), options)[1].tobytes()
    assert decode_compressed_color(data).shape == (2000, 3000, 3)


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
