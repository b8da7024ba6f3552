# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.mapping.frontier import is_frontier
from asgf_nav_ros.mapping.frontier import way_to_frontier
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.occupancy import EGO_CELLS
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.mapping.occupancy import OBSTACLE
from asgf_nav_ros.mapping.occupancy import SEEN

CONTRACT = PolicyContract(image_height=64, image_width=64)
BLIND = np.zeros((64, 64), np.float32)
F, L, R = Action.MOVE_FORWARD, Action.TURN_LEFT, Action.TURN_RIGHT
WALL = SEEN | OBSTACLE


def corridor(end=EGO_CELLS):
    """An ego map (31, 31) of a corridor of 1 m between walls that are 1 m thick."""
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[:end, 5:26] = WALL
    ego[:end, 11:20] = SEEN
    return ego


@pytest.fixture
def lattice():
    found = Lattice(CONTRACT, EgoMapper(CONTRACT))
    found.map.write(corridor(), (0, 0), 2)  # what lies behind
    for x in range(-7, 1):
        found.visited.add((x, 0))
    return found


def test_leads_to_where_the_seen_floor_ends(lattice):
    lattice.map.write(corridor(), (0, 0), 0)
    assert way_to_frontier(lattice) == [F] * 6
    assert is_frontier(lattice, 6, 0) and not is_frontier(lattice, 5, 0)


def test_turns_where_the_floor_goes_on_behind(lattice):
    ego = corridor()
    ego[8] = WALL
    lattice.map.write(ego, (0, 0), 0)
    lattice.visited.discard((-6, 0))
    lattice.visited.discard((-7, 0))
    assert way_to_frontier(lattice) == [L, L] + [F] * 6


def test_there_is_no_way_through_what_looks_obstructed(lattice):
    ego = corridor()
    ego[8] = WALL
    lattice.map.write(ego, (0, 0), 0)
    assert way_to_frontier(lattice) == []


def test_a_step_that_failed_is_not_tried_again(lattice):
    lattice.map.write(corridor(), (0, 0), 0)
    lattice.observe_from(BLIND, (0.0, 0.0, 0.0), bumped=True)
    assert way_to_frontier(lattice) == []


def test_blind_robots_have_no_frontier():
    assert way_to_frontier(Lattice(CONTRACT, EgoMapper(CONTRACT))) == []


@pytest.mark.parametrize(('towards', 'way'), [
    ((1.0, 0.0), [F] * 6), ((-1.0, 0.0), [L, L] + [F] * 6), (None, [F] * 6)])
def test_prefers_the_wanted_direction_to_a_few_actions_less(lattice, towards, way):
    lattice.map.write(corridor(), (0, 0), 0)
    lattice.visited.difference_update({(-6, 0), (-7, 0)})
    assert way_to_frontier(lattice, towards=towards) == way


def test_a_frontier_far_away_does_not_count_whatever_its_direction(lattice):
    lattice.map.write(corridor(), (0, 0), 0)
    lattice.visited.update((-x, 0) for x in range(40))
    lattice.map.write(corridor(), (-39 * 5, 0), 2)
    assert way_to_frontier(lattice, towards=(-1.0, 0.0)) == [F] * 6


def test_goes_on_to_the_place_that_it_chose(lattice):
    lattice.map.write(corridor(), (0, 0), 0)
    lattice.visited.difference_update({(-6, 0), (-7, 0)})
    assert way_to_frontier(lattice) == [F] * 6
    assert way_to_frontier(lattice, chosen=(-6, 0)) == [L, L] + [F] * 6
    assert way_to_frontier(lattice, chosen=(0, 30)) == [F] * 6


def test_a_direction_that_is_hardly_known_hardly_counts(lattice):
    lattice.map.write(corridor(), (0, 0), 0)
    lattice.visited.difference_update({(-6, 0), (-7, 0)})
    assert way_to_frontier(lattice, towards=(-0.05, 0.0)) == [F] * 6
