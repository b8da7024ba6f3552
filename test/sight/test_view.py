# SPDX-License-Identifier: Apache-2.0
"""The policy's view of the world through cameras of other sizes and lenses."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sight.view import Camera
from asgf_nav_ros.sight.view import View

CONTRACT = PolicyContract()
SMALL = PolicyContract(image_width=4, image_height=4)


def camera(width: int, height: int, hfov_deg: float, **changes: float) -> Camera:
    focal = width / 2 / math.tan(math.radians(hfov_deg) / 2)
    return Camera(**{'width': width, 'height': height, 'fx': focal, 'fy': focal,
                     'cx': (width - 1) / 2, 'cy': (height - 1) / 2, **changes})


def tangents(of: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Direction of every pixel: tangents to the right and down, (H, W) each."""
    columns, rows = np.meshgrid(np.arange(of.width), np.arange(of.height))
    return (columns - of.cx) / of.fx, (rows - of.cy) / of.fy


def picture_of_directions(of: Camera) -> np.ndarray:
    """An image whose red and green say where in the world a pixel looks."""
    right, down = tangents(of)
    red, green = (np.clip(128 + 100 * tangent, 0, 255) for tangent in (right, down))
    return np.stack([red, green, np.zeros_like(red)], axis=-1).round().astype(np.uint8)


def test_the_contracts_own_camera_is_passed_through_unchanged():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (128, 128, 3), np.uint8)
    depth = rng.uniform(0.1, 9.9, (128, 128)).astype(np.float32)
    for own in (Camera.of_contract(CONTRACT), camera(128, 128, 90)):
        view = View(own, CONTRACT)
        np.testing.assert_array_equal(view.color(rgb), rgb)
        np.testing.assert_array_equal(view.depth(depth), depth)


@pytest.mark.parametrize('source', [
    camera(640, 480, 110),
    camera(1280, 720, 125),
    camera(256, 256, 90),
    camera(640, 512, 105, cx=330.0, cy=240.0),
    camera(300, 300, 120),
    camera(100, 100, 95)])
def test_every_pixel_looks_where_the_policy_expects_it_to(source):
    seen = View(source, CONTRACT).color(picture_of_directions(source)).astype(int)
    expected = picture_of_directions(camera(128, 128, 90)).astype(int)
    assert seen.shape == (128, 128, 3)
    # Rounding to whole pixels moves the view by at most one pixel of the source.
    assert np.abs(seen - expected).max() <= math.ceil(100 / min(source.fx, 64)) + 1


def test_colour_is_averaged_when_it_shrinks():
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[::2] = 200
    assert (View(camera(8, 8, 90), SMALL).color(rgb) == 100).all()


def test_depth_is_never_averaged_over_an_edge():
    depth = np.full((480, 640), 1.0, np.float32)
    depth[:, 333:] = 7.0
    found = View(camera(640, 480, 120), CONTRACT).depth(depth)
    assert set(np.unique(found)) == {1.0, 7.0}


def test_a_hole_takes_the_least_valid_depth_of_its_block():
    depth = np.array([[5, 4, 2, 2], [3, 0, 2, 0], [0, 0, 1, 1], [0, 0, 1, 1]], np.float32)
    two = PolicyContract(image_width=2, image_height=2)
    found = View(camera(4, 4, 90), two).depth(depth)
    np.testing.assert_array_equal(found, [[3, 2], [0, 1]])


def test_depth_is_clipped_and_what_is_invalid_is_zero():
    contract = PolicyContract(image_width=4, image_height=2, depth_min_m=0.5, depth_max_m=5.0)
    depth = np.array([[0.1, 0.5, 3.0, 50.0], [0.0, -1.0, np.nan, np.inf]], np.float32)
    found = View(Camera.of_contract(contract), contract).depth(depth)
    np.testing.assert_array_equal(found, [[0.5, 0.5, 3.0, 5.0], [0, 0, 0, 0]])
    assert found.dtype == np.float32


@pytest.mark.parametrize('source, message', [
    (camera(640, 640, 69.4), 'horizontal field of view of 90.0 deg, the camera has 69.4 deg'),
    (camera(640, 480, 90), 'vertical field of view of 90.0 deg, the camera has 73.7 deg'),
    (camera(640, 640, 90, cx=250.0), 'horizontal .* of 90.0 deg, the camera has 76.1 deg'),
    (camera(848, 480, 87), 'horizontal .* 87.0 deg and a vertical .* 56.5 deg')])
def test_what_a_narrower_camera_does_not_see_is_black_and_both_angles_are_named(source, message):
    view = View(source, CONTRACT)
    assert re.search(message, view.shortfall)
    seen = view.color(np.full((source.height, source.width, 3), 255, np.uint8))
    depth = view.depth(np.full((source.height, source.width), 2, np.float32))
    np.testing.assert_array_equal(seen[..., 0] > 0, depth > 0)
    right, down = np.abs(tangents(camera(128, 128, 90)))
    within = ((right <= min(source.cx + 0.5, source.width - source.cx) / source.fx)
              & (down <= min(source.cy + 0.5, source.height - source.cy) / source.fy))
    assert (within & (depth == 0)).mean() < 0.02  # rounding to whole pixels
    assert 0.1 < (depth == 0).mean() < 0.6


@pytest.mark.parametrize('source', [
    camera(640, 480, 90), camera(640, 640, 69.4), camera(848, 480, 87), camera(1280, 720, 90),
    camera(640, 480, 80, cy=200.0), camera(672, 376, 110)])
def test_narrower_cameras_look_where_the_policy_expects_them_to(source):
    seen = View(source, CONTRACT).color(picture_of_directions(source)).astype(int)
    expected = picture_of_directions(camera(128, 128, 90)).astype(int)
    visible = seen.any(axis=-1)
    assert np.abs(seen - expected)[visible].max() <= math.ceil(150 / min(source.fx, 64)) + 1


def test_a_camera_that_sees_it_all_lacks_nothing():
    assert View(camera(640, 640, 100), CONTRACT).shortfall == ''


@pytest.mark.parametrize('source, message', [
    (camera(640, 360, 69.0), r'42.3 deg around .*, which is 69 % of its width and 39 % of its h'),
    (camera(640, 480, 40), 'at least 45 % of each are needed')])
def test_refuses_a_camera_that_sees_too_little(source, message):
    with pytest.raises(ContractMismatch, match=message):
        View(source, CONTRACT)
    with pytest.raises(ContractMismatch, match='at least 100 %'):
        View(source, CONTRACT, least_share=1.0)
    assert View(source, CONTRACT, least_share=0.1).shortfall


def test_a_slightly_narrower_camera_is_within_the_tolerance():
    source = camera(200, 200, 88.5)
    assert View(source, CONTRACT).color(picture_of_directions(source)).shape == (128, 128, 3)
    assert not View(source, CONTRACT).shortfall
    assert View(source, CONTRACT, tolerance_rad=math.radians(1.0)).shortfall


@pytest.mark.parametrize('image, message', [
    (np.zeros((64, 128, 3), np.uint8), r'\(128, 128, 3\) uint8 as its camera_info says, got \(64'),
    (np.zeros((128, 128), np.uint8), r'got \(128, 128\) uint8'),
    (np.zeros((128, 128, 3), np.float32), r'got \(128, 128, 3\) float32')])
def test_refuses_images_of_another_size_or_type(image, message):
    with pytest.raises(ContractMismatch, match=message):
        View(camera(128, 128, 90), CONTRACT).color(image)


@pytest.mark.parametrize('changes, message', [
    ({'fx': 0.0}, 'camera fx must be positive and finite, got 0.0'),
    ({'fy': math.nan}, 'camera fy must be positive and finite, got nan'),
    ({'width': 0}, 'camera width must be positive'),
    ({'cx': 640.0}, r'camera cx must be within \(0, 128\), got 640.0'),
    ({'cy': math.nan}, 'camera cy must be within')])
def test_refuses_an_uncalibrated_camera(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(camera(128, 128, 90), **changes)
