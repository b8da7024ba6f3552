# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.mapping.occupancy import EGO_CELLS
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.mapping.occupancy import GeometricMap
from asgf_nav_ros.mapping.occupancy import OBSTACLE
from asgf_nav_ros.mapping.occupancy import SEEN

CONTRACT = PolicyContract(image_height=64, image_width=64)


def depth_of(left_m, height_m, ahead_m):
    """An image that sees nothing but one point."""
    focal = CONTRACT.image_width / 2 / math.tan(CONTRACT.hfov_rad / 2)
    row = int(CONTRACT.image_height / 2 - focal * (height_m - 1.25) / ahead_m)
    column = int(CONTRACT.image_width / 2 - focal * left_m / ahead_m)
    depth = np.zeros((64, 64), np.float32)
    depth[row, column] = ahead_m
    return depth


@pytest.mark.parametrize(('height_m', 'bits'), [
    (1.25, SEEN | OBSTACLE), (0.8, SEEN | OBSTACLE), (0.05, SEEN), (2.1, SEEN)])
def test_a_point_is_an_obstacle_by_its_height(height_m, bits):
    ego = EgoMapper(CONTRACT)(depth_of(0.6, height_m, 2.0))
    assert np.argwhere(ego).tolist() == [[20, 21]]
    assert ego[20, 21] == bits


def test_nothing_is_seen_where_depth_is_invalid_or_out_of_range():
    mapper = EgoMapper(CONTRACT)
    for value in (0.0, CONTRACT.depth_max_m):
        assert not mapper(np.full((64, 64), value, np.float32)).any()


@pytest.mark.parametrize(('heading', 'wall'), [
    (0, (15, 7)), (1, (-7, 15)), (2, (-15, -7)), (3, (7, -15))])
def test_an_obstacle_is_written_where_it_is(heading, wall):
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[15, 15 + 7] = OBSTACLE  # 1.5 m ahead, 0.7 m to the left
    geometric = GeometricMap()
    geometric.write(ego, (10, -20), heading)
    x, y = 10 + wall[0], -20 + wall[1]
    assert geometric.obstacle((x, y), (x, y))
    assert not geometric.obstacle((x - 1, y - 1), (x - 1, y + 1))
    assert not geometric.obstacle((x + 1, y - 1), (x + 1, y + 1))


def test_the_map_grows_and_keeps_what_it_knew():
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[5, 15] = OBSTACLE
    geometric = GeometricMap()
    geometric.write(ego, (0, 0), 0)
    geometric.write(ego, (-420, 300), 2)
    assert geometric.obstacle((5, 0), (5, 0))
    assert geometric.obstacle((-425, 300), (-425, 300))
    assert not geometric.obstacle((-1000, -1000), (-900, -900))


def test_a_crop_shows_the_same_view_from_every_heading():
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[12, 20] = OBSTACLE
    for heading in range(4):
        geometric = GeometricMap()
        geometric.write(ego, (40, 95), heading)
        crop = geometric.crop((40, 95), heading, cells=200)
        assert crop.shape == (200, 200)
        assert np.argwhere(crop).tolist() == [[112, 105]]
