# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.house.generate import generate_house
from sim_bridge.house.map_image import HouseMap
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room

HOUSE = House('x', [Room('', [(0, 0), (4, 0), (4, 3), (0, 3)], 'plaster_blue')],
              furniture=[Furniture('plant', (1, 2), 0.0, (0.5, 0.5, 1), material='foliage')])


def _color_at(house_map, xy):
    column, row = np.round(house_map.pixels(xy)).astype(int)
    return house_map.image[row, column].astype(int)


def test_what_is_north_is_up_and_what_is_east_is_right():
    house_map = HouseMap(HOUSE, 40)
    west_north, east_south = house_map.pixels((0.0, 3.0)), house_map.pixels((4.0, 0.0))
    assert (west_north < east_south).all()


def test_things_are_drawn_where_they_stand():
    house_map = HouseMap(HOUSE, 40)
    red, green, blue = _color_at(house_map, (1, 2))
    assert green > red and green > blue  # the plant
    assert _color_at(house_map, (3, 1))[2] == _color_at(house_map, (3, 1)).max()  # blue room
    assert _color_at(house_map, (4, 1.5)).max() < 80  # wall
    np.testing.assert_array_equal(_color_at(house_map, (4.2, 1.5)), 255)


def test_pixels_and_metres_are_inverse():
    house_map = HouseMap(generate_house(2), 33.0)
    points = np.random.default_rng(0).uniform(-5, 15, (20, 2))
    np.testing.assert_allclose(house_map.world(house_map.pixels(points)), points, atol=1e-9)


def test_scale_is_as_asked():
    house_map = HouseMap(HOUSE, 40, margin_m=0.5)
    assert house_map.image.shape == (160, 200, 3)
    assert np.ptp(house_map.pixels([(0, 0), (1, 0)])[:, 0]) == pytest.approx(40)


def test_refuses_a_scale_of_zero():
    with pytest.raises(ValueError, match='pixels_per_m must be positive, got 0'):
        HouseMap(HOUSE, 0)
