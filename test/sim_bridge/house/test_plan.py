# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from sim_bridge.house.generate import generate_house
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room


@pytest.fixture
def two_rooms():
    return House('two', [Room('west', [(0, 0), (4, 0), (4, 3), (0, 3)], 'brick'),
                         Room('east', [(4, 0), (7, 0), (7, 3), (4, 3)], 'curtain')],
                 [Door((4, 1), (4, 2), 2.1)])


def _area_m2(walls):
    return sum(np.hypot(*(wall.end - wall.start)) * (wall.top_m - wall.bottom_m)
               for wall in walls)


def test_each_room_has_its_own_face_of_a_shared_wall(two_rooms):
    for room, material, perimeter_m in ((0, 'brick', 14.0), (1, 'curtain', 12.0)):
        walls = [wall for wall in two_rooms.walls() if wall.room == room]
        assert {wall.material for wall in walls} == {material}
        assert _area_m2(walls) == pytest.approx(2.5 * perimeter_m - 2.1 * 1.0)


def test_lintel_hangs_above_the_door_on_both_sides(two_rooms):
    lintels = [wall for wall in two_rooms.walls() if wall.bottom_m > 0]
    assert sorted(wall.room for wall in lintels) == [0, 1]
    for wall in lintels:
        assert (wall.bottom_m, wall.top_m) == (2.1, 2.5)
        assert sorted((wall.start[1], wall.end[1])) == [1.0, 2.0]


def test_door_as_high_as_the_wall_leaves_no_lintel():
    rooms = [Room('a', [(0, 0), (4, 0), (4, 3), (0, 3)]),
             Room('b', [(4, 0), (7, 0), (7, 3), (4, 3)])]
    house = House('x', rooms, [Door((4, 1), (4, 2), 2.5)])
    assert all(wall.bottom_m == 0 for wall in house.walls())


@pytest.mark.parametrize('seed', range(4))
def test_wall_normals_point_into_their_room(seed):
    house = generate_house(seed)
    for wall in house.walls():
        assert house.room_at((wall.start + wall.end) / 2 + 0.01 * wall.normal) == wall.room


def test_clockwise_and_repeated_points_are_put_right():
    room = Room('a', [(0, 0), (0, 3), (4, 3), (4, 0), (0, 0)])
    assert len(room.polygon) == 4
    assert room.area_m2 == pytest.approx(12.0)


def test_room_at_tells_rooms_and_outside_apart(two_rooms):
    points = np.array([(1, 1), (5, 1), (8, 1), (-0.1, 1)])
    np.testing.assert_array_equal(two_rooms.rooms_at(points), [0, 1, -1, -1])
    assert two_rooms.room_at((1, 1)) == 0


def test_room_at_follows_the_shape_of_a_concave_room():
    room = Room('L', [(0, 0), (4, 0), (4, 2), (2, 2), (2, 4), (0, 4)])
    np.testing.assert_array_equal(room.contains([(1, 3), (3, 3), (3, 1)]), [True, False, True])


def test_footprint_turns_with_the_furniture():
    piece = Furniture('desk', (1, 1), math.pi / 2, (2.0, 0.5, 0.7))
    np.testing.assert_array_equal(piece.footprint.max(axis=0), (1.25, 2.0))
    turned = Furniture('desk', (0, 0), math.radians(30), (2.0, 0.5, 0.7)).footprint
    assert np.hypot(*(turned[1] - turned[0])) == pytest.approx(2.0)
    assert math.atan2(*(turned[1] - turned[0])[::-1]) == pytest.approx(math.radians(30))


def test_bounds_cover_all_rooms(two_rooms):
    np.testing.assert_array_equal(two_rooms.bounds(), [(0, 0), (7, 3)])


@pytest.mark.parametrize('make, message', [
    (lambda: Room('a', [(0, 0), (1, 1)]), '3 points'),
    (lambda: Room('a', [(0, 0), (1, 0), (float('nan'), 1)]), 'finite'),
    (lambda: Room('a', [(0, 0), (1, 0), (1, 1)], 'jelly'), "got 'jelly'"),
    (lambda: Door((1, 1), (1, 1)), 'must differ'),
    (lambda: Furniture('bed', (0, 0), 0.0, (1.0, 0.0, 1.0)), '3 positive lengths'),
    (lambda: House('x', []), 'rooms must not be empty'),
    (lambda: House('x', [Room('a', [(0, 0), (1, 0), (1, 1)])], wall_height_m=0.0), 'positive'),
])
def test_refuses_impossible_geometry(make, message):
    with pytest.raises(ValueError, match=message):
        make()
