# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import shapely

from sim_bridge.house.furnish import DOOR_CLEARANCE_M
from sim_bridge.house.furnish import furnish_room
from sim_bridge.house.furnish import MAX_FIRST_FILL
from sim_bridge.house.furnish import WISHES
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Room

ROOM = Room('room', [(1, 1), (6, 1), (6, 5), (1, 5)])
DOOR = Door((1, 2), (1, 3))


@pytest.fixture(params=sorted(WISHES))
def pieces(request):
    return [furnish_room(ROOM, request.param, (DOOR,), np.random.default_rng(seed))
            for seed in range(5)]


def test_pieces_stand_in_the_room_apart_from_each_other(pieces):
    room = shapely.Polygon(ROOM.polygon)
    for drawn in pieces:
        shapes = [shapely.Polygon(piece.footprint) for piece in drawn]
        assert all(room.contains(shape) for shape in shapes)
        assert shapely.union_all(shapes).area == pytest.approx(sum(s.area for s in shapes))
        assert sum(shape.area for shape in shapes) <= MAX_FIRST_FILL * room.area


def test_the_way_in_stays_free(pieces):
    way_in = shapely.box(1, 2, 1 + DOOR_CLEARANCE_M, 3)
    for drawn in pieces:
        assert not any(shapely.Polygon(piece.footprint).intersects(way_in) for piece in drawn)


def test_beds_stand_with_their_head_at_a_wall():
    rng = np.random.default_rng(0)
    beds = [piece for _ in range(20) for piece in furnish_room(ROOM, 'bedroom', (DOOR,), rng)
            if piece.category == 'bed']
    assert len(beds) > 10
    for bed in beds:
        head = bed.center + (bed.size_m[1] / 2 + 0.05) * bed.axes[1]
        assert not ROOM.contains(head)[0]
