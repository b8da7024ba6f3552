# SPDX-License-Identifier: Apache-2.0
from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np

from sim_bridge.house.layout import DOOR_TO_CORNER_DM
from sim_bridge.house.layout import draw_cells
from sim_bridge.house.layout import draw_doors_m
from sim_bridge.house.layout import is_connected
from sim_bridge.house.layout import LayoutFailed
from sim_bridge.house.layout import MIN_SIDE_DM
from sim_bridge.house.layout import Rectangle
from sim_bridge.house.layout import shared_walls


def _draw(seed, rooms):
    rng = np.random.default_rng(seed)
    try:
        cells = draw_cells(rooms, rng)
        return cells, draw_doors_m(cells, rng)
    except LayoutFailed:
        assume(False)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), rooms=st.integers(2, 8))
def test_cells_are_as_many_as_asked_and_do_not_overlap(seed, rooms):
    cells, _ = _draw(seed, rooms)
    assert len(cells) == rooms
    for index, a in enumerate(cells):
        assert a.corridor or min(a.x1 - a.x0, a.y1 - a.y0) >= MIN_SIDE_DM
        for b in cells[:index]:
            assert min(a.x1, b.x1) <= max(a.x0, b.x0) or min(a.y1, b.y1) <= max(a.y0, b.y0)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), rooms=st.integers(2, 8))
def test_doors_join_all_cells_and_keep_off_the_corners(seed, rooms):
    cells, doors = _draw(seed, rooms)
    assert len(doors) >= rooms - 1
    for start, end in doors:
        axis = 0 if start[1] == end[1] else 1
        assert round(10 * (end[axis] - start[axis])) in (9, 10, 11)
        assert any(wall.axis == axis and wall.at == round(10 * start[1 - axis])
                   and wall.low + DOOR_TO_CORNER_DM <= round(10 * start[axis])
                   and round(10 * end[axis]) <= wall.high - DOOR_TO_CORNER_DM
                   for wall in shared_walls(cells))


def test_cells_that_meet_in_a_corner_are_not_connected():
    assert not is_connected([Rectangle(0, 0, 30, 30), Rectangle(30, 30, 60, 60)])
    assert is_connected([Rectangle(0, 0, 30, 30), Rectangle(30, 10, 60, 40)])
