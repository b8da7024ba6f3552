# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import shapely

from sim_bridge.house.generate import generate_house
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room

RADIUS_M = 0.15


@pytest.fixture(scope='module')
def house():
    return generate_house(3, rooms=5)


@pytest.fixture(scope='module')
def solid(house):
    """The same obstacles as one shapely geometry."""
    walls = [shapely.LineString([wall.start, wall.end])
             for wall in house.walls() if wall.bottom_m == 0]
    boxes = [shapely.Polygon(piece.footprint) for piece in house.furniture]
    return shapely.union_all(walls + boxes)


def _points(house, count, seed):
    low, high = house.bounds()
    return np.random.default_rng(seed).uniform(low - 0.2, high + 0.2, (count, 2))


def test_free_agrees_with_shapely(house, solid):
    points = _points(house, 1500, 1)
    wanted = (shapely.distance(shapely.points(points), solid) >= RADIUS_M) & (
        house.rooms_at(points) >= 0)
    found = ObstacleMap(house, RADIUS_M).free(points)
    assert 100 < wanted.sum() < 1400
    np.testing.assert_array_equal(found, wanted)


def test_clear_agrees_with_shapely(house, solid):
    obstacles = ObstacleMap(house, RADIUS_M)
    start = _points(house, 3000, 2)
    end = start + np.random.default_rng(3).normal(0, 0.6, start.shape)
    both = obstacles.free(start) & obstacles.free(end)
    start, end = start[both], end[both]
    paths = shapely.linestrings(np.stack([start, end], axis=1))
    wanted = shapely.distance(paths, solid) >= RADIUS_M
    assert 50 < wanted.sum() < len(wanted) - 50
    np.testing.assert_array_equal(obstacles.clear(start, end), wanted)


def test_clearance_is_zero_inside_furniture_and_outside_the_house(house):
    obstacles = ObstacleMap(house, 0.0)
    inside = house.furniture[0].center
    outside = house.bounds()[1] + 1.0
    np.testing.assert_array_equal(obstacles.clearance_m(np.array([inside, outside])), 0.0)


def test_what_hangs_over_the_robot_is_no_obstacle():
    room = Room('a', [(0, 0), (4, 0), (4, 4), (0, 4)])
    for elevation_m, free in ((1.6, True), (0.0, False)):
        piece = Furniture('lamp', (2, 2), 0.0, (1, 1, 0.5), elevation_m)
        assert ObstacleMap(House('x', [room], furniture=[piece]), 0.1).free([(2, 2)]) == [free]


def test_a_door_can_be_passed_and_its_wall_cannot():
    rooms = [Room('a', [(0, 0), (4, 0), (4, 4), (0, 4)]),
             Room('b', [(4, 0), (8, 0), (8, 4), (4, 4)])]
    obstacles = ObstacleMap(House('x', rooms, [Door((4, 1), (4, 2))]), RADIUS_M)
    y = np.array([1.1, 1.16, 1.5, 1.84, 1.9, 3.0])
    west, middle, east = (np.stack([np.full(6, x), y], axis=1) for x in (3.5, 4.0, 4.5))
    np.testing.assert_array_equal(obstacles.clear(west, east), [0, 1, 1, 1, 0, 0])
    np.testing.assert_array_equal(obstacles.free(middle), [0, 1, 1, 1, 0, 0])


def test_an_opening_stays_open_over_a_gap_of_a_hand_drawn_plan():
    rooms = [Room('a', [(0, 0), (4, 0), (4, 4), (0, 4)]),
             Room('b', [(4.008, 0), (8, 0), (8, 4), (4.008, 4)])]
    obstacles = ObstacleMap(House('x', rooms, [Door((4, 1), (4, 2))]), RADIUS_M)
    assert obstacles.free([(4.004, 1.5)]).all()


def test_refuses_a_negative_radius(house):
    with pytest.raises(ValueError, match='radius_m must be finite and >= 0, got -1'):
        ObstacleMap(house, -1)
