# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.mapping.lattice import AHEAD
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.lattice import makes_lattice
from asgf_nav_ros.mapping.lattice import State
from asgf_nav_ros.mapping.occupancy import EGO_CELLS
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.mapping.occupancy import OBSTACLE
from asgf_nav_ros.mapping.planner import leads_on
from asgf_nav_ros.mapping.planner import plan

CONTRACT = PolicyContract(image_height=64, image_width=64)
BLIND = np.zeros((64, 64), np.float32)
F, L, R = Action.MOVE_FORWARD, Action.TURN_LEFT, Action.TURN_RIGHT


class ToyWorld:
    """A plan in text: '#' is no floor, 'S' the start looking right, 'G' the goal."""

    def __init__(self, *rows):
        cells = {(x, -y): mark for y, row in enumerate(rows) for x, mark in enumerate(row)}
        start = next(cell for cell, mark in cells.items() if mark == 'S')
        self.floor = {(x - start[0], y - start[1])
                      for (x, y), mark in cells.items() if mark != '#'}
        self.goal = next(((x - start[0], y - start[1]) for (x, y), mark in cells.items()
                          if mark == 'G'), None)
        self.lattice = Lattice(CONTRACT, EgoMapper(CONTRACT))
        self.place, self.heading, self.moved, self.actions = (0, 0), 0, True, 0
        self.lattice.observe(BLIND, moved=True)

    def act(self, action):
        ahead = tuple(np.add(self.place, AHEAD[self.heading]).tolist())
        self.moved = action is not F or ahead in self.floor
        if action is F and self.moved:
            self.place = ahead
        self.heading = (self.heading + {L: 1, R: -1}.get(action, 0)) % 4
        self.lattice.take(action)
        self.actions += 1
        return self.lattice.observe(BLIND, moved=self.moved)

    def know_everything(self):
        """Bump, in the lattice's mind, on every edge of the floor."""
        for (x, y), heading in itertools.product(self.floor, range(4)):
            dx, dy = AHEAD[heading]
            if (x + dx, y + dy) not in self.floor:
                edge = (x, y, heading) if heading < 2 else (x + dx, y + dy, heading - 2)
                self.lattice._bumps[edge] = 2

    def walk(self, limit=400):
        """Plan and act until the goal is reached; return the actions."""
        while self.actions < limit and (way := plan(self.lattice, self.goal)):
            self.act(way[0])
        return self.actions


@pytest.mark.parametrize(('goal', 'actions'), [
    ((3, 0), [F, F, F]), ((0, 2), [L, F, F]), ((0, -1), [R, F]), ((0, 0), [])])
def test_plans_the_shortest_way_over_open_floor(goal, actions):
    assert plan(ToyWorld('S').lattice, goal) == actions


@pytest.mark.parametrize(('goal', 'least'), [((-2, 0), 4), ((2, 3), 6), ((-1, 2), 5)])
def test_counts_turns_as_actions(goal, least):
    assert len(plan(ToyWorld('S').lattice, goal)) == least


def test_prefers_the_longer_way_with_fewer_actions():
    world = ToyWorld('..##.',  # the upper way has as many steps and more turns
                     'S#...',
                     '....G')
    world.know_everything()
    assert plan(world.lattice, world.goal) == [R, F, L, F, F, F, F]


def test_finds_the_way_round_after_bumping():
    world = ToyWorld('.....',
                     '.###.',
                     'S.#.G',
                     '####.')
    assert world.walk() < 40
    assert world.place == world.goal


def test_a_dead_end_is_left_again():
    world = ToyWorld('.........',
                     '.#######.',
                     'S......#G',
                     '########.')
    world.walk()
    assert world.place == world.goal


def test_an_unreachable_goal_ends_in_no_plan_at_the_nearest_node():
    world = ToyWorld('...##',
                     'S.#G#',
                     '...##')
    actions = world.walk()
    assert actions < 400
    assert plan(world.lattice, world.goal) == []
    assert np.hypot(*np.subtract(world.place, world.goal)) <= 2


def test_a_seen_wall_is_walked_round_and_never_bumped_on():
    world = ToyWorld('...', 'S.G', '...')
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[7, 13:18] = OBSTACLE  # between the first and the second step ahead
    world.lattice.map.write(ego, (0, 0), 0)
    way = plan(world.lattice, (2, 0))
    assert len(way) == 7  # four steps and three turns
    assert way[:2] != [F, F]


def test_a_step_that_only_looks_obstructed_is_taken_where_no_other_is_left():
    world = ToyWorld('S.G')
    world.know_everything()
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[7, 13:18] = OBSTACLE
    world.lattice.map.write(ego, (0, 0), 0)
    assert plan(world.lattice, (2, 0)) == [F, F]


def test_reckons_with_bumps_and_turns():
    world = ToyWorld('S.#', '..#')
    outcomes = [world.act(action) for action in (F, F, R, F, R, F)]
    assert outcomes == [False, True, False, False, False, False]
    assert world.lattice.state == (0, -1, 2)
    assert world.lattice.visited == {(0, 0), (1, 0), (1, -1), (0, -1)}


def test_one_slip_closes_no_door():
    world = ToyWorld('S.G')
    world.know_everything()
    world.lattice.take(F)
    assert world.lattice.observe(BLIND, moved=False)
    assert plan(world.lattice, (2, 0)) == [F, F]


def test_a_plan_leads_on_until_a_step_of_it_becomes_doubtful():
    lattice = ToyWorld('S').lattice
    way = plan(lattice, (3, 0))
    assert leads_on(lattice, way)
    ego = np.zeros((EGO_CELLS, EGO_CELLS), np.uint8)
    ego[12, 15] = OBSTACLE
    lattice.map.write(ego, (0, 0), 0)
    lattice.observe(BLIND, moved=True)
    assert not leads_on(lattice, way)
    assert leads_on(lattice, way[:2])
    assert not leads_on(lattice, [])


def test_refuses_steps_and_turns_that_make_no_lattice():
    with pytest.raises(ValueError, match='forward_step_m must be a multiple of 0.1, got 0.25'):
        Lattice(PolicyContract(forward_step_m=0.25), EgoMapper(CONTRACT))
    with pytest.raises(ValueError, match='turn_rad must be pi/2'):
        Lattice(PolicyContract(turn_rad=0.1), EgoMapper(CONTRACT))


def test_contracts_that_make_no_lattice_are_known_beforehand():
    assert makes_lattice(CONTRACT)
    assert not makes_lattice(PolicyContract(forward_step_m=0.25))
    assert not makes_lattice(PolicyContract(turn_rad=0.1))


def test_follows_odometry_to_the_nearest_node_and_heading():
    lattice = Lattice(CONTRACT, EgoMapper(CONTRACT))
    for pose in ((0.0, 0.0, 0.0), (0.47, 0.04, 0.1), (0.46, 0.05, -1.5), (0.52, -0.45, -1.6)):
        lattice.observe_from(BLIND, pose, bumped=False)
    assert lattice.state == (1, -1, 3)
    assert lattice.visited == {(0, 0), (1, 0), (1, -1)}


def test_a_bump_that_odometry_tells_of_is_remembered_until_the_step_is_walked():
    lattice = Lattice(CONTRACT, EgoMapper(CONTRACT))
    for bumped in (False, True, True):
        lattice.observe_from(BLIND, (0.1, 0.0, 0.0), bumped=bumped)
    assert lattice.closed(State(0, 0, 0))
    lattice.observe_from(BLIND, (0.5, 0.0, 0.0), bumped=False)
    assert not lattice.closed(State(0, 0, 0))
