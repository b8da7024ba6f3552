# SPDX-License-Identifier: Apache-2.0
"""Image messages of every supported encoding to arrays and back."""

from __future__ import annotations

import array

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from asgf_nav_ros.sight import image_codec
from asgf_nav_ros.sight.image_codec import decode_color
from asgf_nav_ros.sight.image_codec import decode_depth
from asgf_nav_ros.sight.image_codec import decode_planes
from asgf_nav_ros.sight.image_codec import encode_color
from asgf_nav_ros.sight.image_codec import encode_depth
from asgf_nav_ros.sight.image_codec import encode_planes
from asgf_nav_ros.sight.image_codec import ImageError

SIDES = st.integers(1, 8)


def padded_rows(pixels: np.ndarray, padding: int) -> dict[str, object]:
    """Message fields of (H, W, C) pixels whose rows end in ``padding`` bytes of rubbish."""
    height, width = pixels.shape[:2]
    rows = np.frombuffer(pixels.tobytes(), np.uint8).reshape(height, -1)
    data = np.concatenate([rows, np.full((height, padding), 0xAB, np.uint8)], axis=1)
    return {'data': data.tobytes(), 'height': height, 'width': width, 'step': data.shape[1]}


@settings(deadline=None)
@given(rgb=hnp.arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))), padding=st.integers(0, 5))
def test_color_survives_in_every_channel_order(rgb, padding):
    alpha = np.full((*rgb.shape[:2], 1), 7, np.uint8)
    bgr = rgb[..., ::-1]
    sent = {'rgb8': rgb, 'bgr8': bgr, 'rgba8': np.concatenate([rgb, alpha], axis=2),
            'bgra8': np.concatenate([bgr, alpha], axis=2)}
    for encoding, pixels in sent.items():
        found = decode_color(encoding=encoding, **padded_rows(pixels, padding))
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, rgb)


def test_grey_becomes_three_equal_channels():
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    found = decode_color(encoding='mono8', **padded_rows(grey, 1))
    np.testing.assert_array_equal(found, np.repeat(grey, 3, axis=2))


def test_reads_the_buffer_that_rclpy_gives():
    found = decode_color(array.array('B', [1, 2, 3]), encoding='rgb8', height=1, width=1, step=3)
    assert found.tolist() == [[[1, 2, 3]]]


@settings(deadline=None)
@given(millimetres=hnp.arrays(np.uint16, st.tuples(SIDES, SIDES, st.just(1))),
       padding=st.integers(0, 5), is_bigendian=st.booleans())
def test_millimetres_become_metres(millimetres, padding, is_bigendian):
    sent = millimetres.astype('>u2' if is_bigendian else '<u2')
    found = decode_depth(encoding='16UC1', is_bigendian=is_bigendian, **padded_rows(sent, padding))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, millimetres[..., 0] / 1000, rtol=1e-6)


@settings(deadline=None)
@given(depth=hnp.arrays(np.float32, st.tuples(SIDES, SIDES)), is_bigendian=st.booleans(),
       padding=st.integers(0, 5))
def test_metres_survive_and_what_is_invalid_is_zero(depth, is_bigendian, padding):
    sent = depth.astype('>f4' if is_bigendian else '<f4')[..., np.newaxis]
    found = decode_depth(encoding='32FC1', is_bigendian=is_bigendian, **padded_rows(sent, padding))
    valid = np.isfinite(depth) & (depth > 0)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.where(valid, depth, 0))


@settings(deadline=None)
@given(planes=hnp.arrays(np.float32, st.tuples(SIDES, SIDES, st.integers(1, 12))),
       padding=st.integers(0, 5))
def test_float_planes_survive_nan_included(planes, padding):
    found = decode_planes(encoding=f'32FC{planes.shape[2]}', **padded_rows(planes, padding))
    np.testing.assert_array_equal(found, planes)
    assert found.dtype.isnative


def test_encoders_write_what_the_decoders_read():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (4, 6, 3), np.uint8)
    planes = rng.random((4, 6, 5), np.float32) + 1
    size = {'height': 4, 'width': 6}
    for sent in (rgb, rgb[:, ::-1]):
        found = decode_color(encode_color(sent), encoding='rgb8', step=18, **size)
        np.testing.assert_array_equal(found, sent)
    found = decode_depth(encode_depth(planes[..., 2]), encoding='32FC1', step=24, **size)
    np.testing.assert_array_equal(found, planes[..., 2])
    found = decode_planes(encode_planes(planes), encoding='32FC5', step=120, **size)
    np.testing.assert_array_equal(found, planes)


@pytest.mark.parametrize('changes, message', [
    ({'encoding': 'yuv422'}, "must be one of rgb8, bgr8, rgba8, bgra8, mono8, got 'yuv422'"),
    ({'encoding': '32FC1'}, "must be one of rgb8, .*, got '32FC1'"),
    ({'height': 0}, 'height and width over 0, got 0 x 3'),
    ({'width': -1}, 'height and width over 0, got 2 x -1'),
    ({'width': 4}, 'step must be at least 12 for 4 pixels, got 9'),
    ({'height': 10**9}, 'must have at most 67108864 bytes, got 9000000000'),
    ({'data': b'\0' * 17}, '2 rows of 9 bytes must have 18 bytes, got 17'),
    ({'data': b'\0' * 19}, '2 rows of 9 bytes must have 18 bytes, got 19'),
    ({'data': b''}, '2 rows of 9 bytes must have 18 bytes, got 0'),
    ({'data': None}, 'image data must be bytes')])
def test_refuses_color_that_is_not_what_its_header_says(changes, message):
    fields = {'data': b'\0' * 18, 'encoding': 'rgb8', 'height': 2, 'width': 3, 'step': 9}
    with pytest.raises(ImageError, match=message) as refusal:
        decode_color(**{**fields, **changes})
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize('decode, encoding', [
    (decode_depth, 'mono16'), (decode_depth, '64FC1'), (decode_depth, 'rgb8'),
    (decode_planes, '32FC0'), (decode_planes, '32FC100'), (decode_planes, '16SC2')])
def test_refuses_other_encodings_and_names_them(decode, encoding):
    with pytest.raises(ImageError, match=f"must be .* got '{encoding}'"):
        decode(b'\0' * 8, encoding=encoding, height=1, width=1, step=8)


@pytest.mark.parametrize('decode, encoding', [(decode_depth, '16UC1'), (decode_planes, '32FC2')])
def test_refuses_truncated_depth_and_planes(decode, encoding):
    with pytest.raises(ImageError, match='must have 32 bytes, got 31'):
        decode(b'\0' * 31, encoding=encoding, height=2, width=2, step=16)


@pytest.mark.parametrize('encode, image', [
    (image_codec.encode_color, np.zeros((2, 2), np.uint8)),
    (image_codec.encode_color, np.zeros((2, 2, 3), np.float32)),
    (image_codec.encode_depth, np.zeros((2, 2), np.uint16)),
    (image_codec.encode_depth, np.zeros((2, 2, 1), np.float32)),
    (image_codec.encode_planes, np.zeros((2, 2), np.float32)),
    (image_codec.encode_planes, np.zeros((2, 2, 100), np.float32))])
def test_refuses_to_encode_other_arrays(encode, image):
    with pytest.raises(ImageError, match='must be .* got'):
        encode(image)
