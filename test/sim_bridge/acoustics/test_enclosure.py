# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.early import label_at
from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.acoustics.enclosure import surface_map
from sim_bridge.acoustics.enclosure import vertical_faces
from sim_bridge.house.generate import generate_house
from sim_bridge.house.materials import MATERIALS

SQUARE = np.array([[0, 0], [2, 0], [2, 2], [0, 2]])


def test_floor_material_is_that_of_the_room():
    house = generate_house(3)
    enclosure = Enclosure.from_house(house)
    covered = [piece.footprint for piece in house.furniture]
    for room in house.rooms:
        rng = np.random.default_rng(0)
        for point in rng.uniform(room.polygon.min(axis=0) + 0.2, room.polygon.max(axis=0) - 0.2,
                                 (20, 2)):
            near_furniture = any((np.abs(point - corners.mean(axis=0))
                                  < np.ptp(corners, axis=0) / 2 + 0.2).all()
                                 for corners in covered)
            if not near_furniture:
                label = label_at(enclosure.floor, *point)
                np.testing.assert_allclose(enclosure.floor.reflectance[label],
                                           1 - np.array(MATERIALS[room.floor_material].absorption))


def test_later_polygons_cover_earlier_ones_and_the_outside_takes_the_nearest():
    surfaces = [(np.full(6, 0.1), 0.1), (np.full(6, 0.9), 0.5)]
    floor = surface_map([SQUARE, SQUARE * 0.5], surfaces)
    assert label_at(floor, 0.5, 0.5) == 1
    assert label_at(floor, 1.5, 1.5) == 0
    assert label_at(floor, 9.0, 9.0) == 0


def test_walls_that_touch_floor_and_ceiling_reach_beyond():
    faces = vertical_faces([[0, 0, 1, 0], [0, 0, 1, 0]], np.zeros((2, 6)), np.zeros(2),
                           height_m=2.5, bottoms_m=[0.0, 2.0], tops_m=[2.5, 2.4])
    np.testing.assert_array_equal(faces.geometry[:, 5:7], [[-np.inf, np.inf], [2.0, 2.4]])


def test_furniture_faces_look_outward():
    house = generate_house(1)
    furniture = Enclosure.from_house(house).furniture.geometry
    assert len(furniture) == 4 * len(house.furniture)
    for index, piece in enumerate(house.furniture):
        for face in furniture[4 * index:4 * index + 4]:
            normal = np.array([-face[3], face[2]])
            assert (face[:2] - piece.center) @ normal > 0


@pytest.mark.parametrize('segments, absorption, message', [
    ([[0, 0, 0, 0]], np.zeros((1, 6)), 'must have a length'),
    ([[0, 0, 1, 0]], np.zeros((1, 5)), r'absorption must be \(1, 6\), got \(1, 5\)'),
    ([[0, 0, 1, 0]], np.full((1, 6), np.nan), 'must not have NaN')])
def test_bad_arrays_are_refused(segments, absorption, message):
    with pytest.raises(ValueError, match=message):
        vertical_faces(segments, absorption, np.zeros(1), height_m=2.5)
