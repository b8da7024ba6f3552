# SPDX-License-Identifier: Apache-2.0
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from asgf_nav_ros.motion.corridor import Corridor

CORRIDOR = Corridor()


def depth_of_floor(shape=(128, 128), far_m=10.0):
    """What a level camera at 1.25 m sees over an endless floor."""
    height, width = shape
    down = (np.arange(height)[:, None] + 0.5 - height / 2) / (width / 2)
    with np.errstate(divide='ignore'):
        floor = np.where(down > 0, CORRIDOR.camera_height_m / down, far_m)
    return np.broadcast_to(np.minimum(floor, far_m), shape).astype(np.float32)


def with_box(depth, ahead_m, left_m, *, half_width_m=0.05, bottom_m=0.3, top_m=1.6):
    """Put an upright board facing the camera in front of what is there."""
    height, width = depth.shape
    right = (np.arange(width) + 0.5 - width / 2) / (width / 2) * ahead_m
    above = CORRIDOR.camera_height_m - (
        (np.arange(height) + 0.5 - height / 2) / (width / 2) * ahead_m)
    inside = (np.abs(right + left_m) <= half_width_m)[None] & (
        (above >= bottom_m) & (above <= top_m))[:, None]
    return np.where(inside, np.minimum(depth, np.float32(ahead_m)), depth)


@pytest.mark.parametrize('shape', [(128, 128), (480, 640), (96, 128)])
def test_open_floor_is_clear(shape):
    assert CORRIDOR.clear_m(depth_of_floor(shape)) > 9.9


@settings(deadline=None, max_examples=30)
@given(st.floats(0.3, 3.0), st.floats(-0.1, 0.1))
def test_a_board_ahead_is_found_at_its_distance(ahead_m, left_m):
    found = CORRIDOR.clear_m(with_box(depth_of_floor(), ahead_m, left_m))
    assert found == pytest.approx(ahead_m, abs=1e-5)


@pytest.mark.parametrize('left_m', [-0.6, 0.6])
def test_a_board_beside_the_way_does_not_count(left_m):
    assert CORRIDOR.clear_m(with_box(depth_of_floor(), 1.0, left_m)) > 9.9


def test_a_lintel_above_the_robot_does_not_count():
    lintel = with_box(depth_of_floor(), 1.0, 0.0, bottom_m=2.0, top_m=2.5)
    assert CORRIDOR.clear_m(lintel) > 9.9


def test_single_pixels_are_noise():
    depth = depth_of_floor().copy()
    depth[60, 64:67] = 0.5
    assert CORRIDOR.clear_m(depth) > 9.9


@pytest.mark.parametrize('value', [0.0, math.nan, math.inf, -1.0])
def test_an_image_without_depth_tells_nothing(value):
    assert CORRIDOR.clear_m(np.full((64, 64), value, np.float32)) is None


def test_invalid_pixels_are_left_out():
    depth = depth_of_floor().copy()
    depth[:40] = np.nan
    depth[40:60] = 0
    assert CORRIDOR.clear_m(with_box(depth, 1.0, 0.0)) == pytest.approx(1.0)


def test_a_camera_ahead_of_the_centre_sees_from_the_centre():
    corridor = Corridor(camera_forward_m=0.2)
    assert corridor.clear_m(with_box(depth_of_floor(), 1.0, 0.0)) == pytest.approx(1.2)


@pytest.mark.parametrize('fields', [
    {'half_width_m': 0.0}, {'bottom_m': 2.0}, {'hfov_rad': math.pi}, {'least_pixels': 0},
    {'least_valid_share': 1.5}])
def test_a_bad_corridor_is_refused(fields):
    with pytest.raises(ValueError, match='got'):
        Corridor(**fields)
