# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.diffraction import add_lit_loss_db
from sim_bridge.acoustics.diffraction import add_shadow_loss_db
from sim_bridge.acoustics.diffraction import CornerGraph
from sim_bridge.acoustics.diffraction import shortest_from
from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.house.generate import generate_house
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room


def _loss_db(add, detour_m):
    loss_db = np.zeros(6)
    add(loss_db, detour_m)
    return loss_db


def test_door_jambs_are_the_only_corners_of_two_rooms(two_rooms):
    graph = CornerGraph.from_faces(two_rooms.walls.geometry, 1.25)
    inside = graph.points[(graph.points > 0).all(axis=1) & (graph.points < [8, 3]).all(axis=1)]
    np.testing.assert_allclose(inside[np.argsort(inside[:, 1])], [[4, 1], [4, 2]], atol=0.01)


def test_a_corner_that_juts_into_a_room_counts_once(extrude):
    l_shape = extrude([[0, 0], [4, 0], [4, 2], [2, 2], [2, 4], [0, 4]])
    graph = CornerGraph.from_faces(l_shape.walls.geometry, 1.25)
    inside = graph.points[(graph.points > 1.0).all(axis=1) & (graph.points < 3.0).all(axis=1)]
    np.testing.assert_allclose(inside, [[2, 2]], atol=0.01)


def test_each_door_of_a_house_brings_two_corners():
    house = generate_house(4)
    points = CornerGraph.from_faces(Enclosure.from_house(house).walls.geometry, 1.25).points
    for door in house.doors:
        for jamb in (door.start, door.end):
            assert np.hypot(*(points - jamb).T).min() < 0.01


def test_shortest_path_leads_through_the_door(two_rooms):
    graph = CornerGraph.from_faces(two_rooms.walls.geometry, 1.25)
    shortest_m, before = shortest_from(graph.faces, graph.points, graph.length_m, 1.0, 0.5)
    reached = np.isfinite(shortest_m)
    assert reached.sum() == 2  # the corners outside of the house are out of reach
    np.testing.assert_allclose(shortest_m[reached],
                               np.hypot(*(graph.points[reached] - [1.0, 0.5]).T))
    assert (before[reached] == -1).all()


def test_sound_goes_along_a_straight_wall_from_door_to_door():
    rooms = [Room('left', [[0, 0], [4, 0], [4, 3], [0, 3]]),
             Room('right', [[4, 0], [8, 0], [8, 3], [4, 3]]),
             Room('hall', [[0, 3], [8, 3], [8, 5], [0, 5]])]
    house = House('hall', rooms, [Door([1, 3], [2, 3]), Door([6, 3], [7, 3])])
    graph = CornerGraph.from_faces(Enclosure.from_house(house).walls.geometry, 1.25)
    shortest_m, _ = shortest_from(graph.faces, graph.points, graph.length_m, 1.5, 1.0)
    beyond = np.hypot(*(graph.points - [6.0, 3.0]).T).argmin()
    assert shortest_m[beyond] == pytest.approx(np.hypot(0.5, 2.0) + 4.0, abs=0.01)


def test_loss_is_5_db_at_the_edge_of_the_shadow_from_both_sides():
    np.testing.assert_allclose(_loss_db(add_shadow_loss_db, 0.0), 5.0)
    np.testing.assert_allclose(_loss_db(add_lit_loss_db, 0.0), 5.0)


def test_loss_grows_with_detour_and_frequency_up_to_a_limit():
    losses = np.array([_loss_db(add_shadow_loss_db, detour_m)
                       for detour_m in (0.01, 0.1, 0.5, 2.0, 50.0)])
    assert (np.diff(losses, axis=0) >= 0).all() and (np.diff(losses, axis=1) >= 0).all()
    assert losses.max() == 25.0


def test_loss_follows_maekawas_chart():
    wavelength_m = 343 / 500
    for fresnel_number, chart_db in ((0.1, 7.0), (1.0, 13.0), (10.0, 23.0)):
        loss_db = _loss_db(add_shadow_loss_db, fresnel_number * wavelength_m / 2)[2]
        assert loss_db == pytest.approx(chart_db, abs=1.0)


def test_loss_beside_an_edge_fades_away():
    losses = np.array([_loss_db(add_lit_loss_db, detour_m)
                       for detour_m in np.linspace(0.0, 0.3, 300)])
    assert (losses[-1] == 0.0).all()
    assert (np.diff(losses, axis=0) <= 1e-9).all()
