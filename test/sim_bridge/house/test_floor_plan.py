# SPDX-License-Identifier: Apache-2.0
import copy
import json
import math

import numpy as np
import pytest

from sim_bridge.house import floor_plan
from sim_bridge.house.floor_plan import FloorPlanError
from sim_bridge.house.floor_plan import MAX_BYTES
from sim_bridge.house.floor_plan import read_floor_plan
from sim_bridge.house.floor_plan import write_floor_plan
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import build_navigation_graph

PLAN = {
    'format': 'asgf_nav_floor_plan', 'version': 1, 'name': 'flat', 'wall_height_m': 2.6,
    'rooms': [
        {'name': 'kitchen', 'polygon': [[0, 0], [4, 0], [4, 3], [0, 3]], 'wall_material': 'brick'},
        {'name': 'hall', 'polygon': [[4, 0], [7, 0], [8, 3], [4, 3]]}],
    'doors': [{'start': [4, 1], 'end': [4, 2]}],
    'furniture': [{'category': 'table', 'polygon': [[1, 1], [2, 1], [2, 1.5], [1, 1.5]],
                   'height_m': 0.75, 'material': 'wood', 'model': 'BlendSwap-CC-BY/table'}],
}


@pytest.fixture
def read(tmp_path):
    def read_changed(change=None):
        plan = copy.deepcopy(PLAN)
        if change is not None:
            change(plan)
        path = tmp_path / 'plan.json'
        path.write_text(json.dumps(plan))
        return read_floor_plan(path)
    return read_changed


def test_reads_rooms_doors_and_furniture(read):
    house = read()
    assert [room.name for room in house.rooms] == ['kitchen', 'hall']
    assert (house.wall_height_m, house.rooms[0].wall_material) == (2.6, 'brick')
    assert house.doors[0].height_m == 2.0
    assert house.furniture[0].size_m == (1.0, 0.5, 0.75)
    np.testing.assert_allclose(house.furniture[0].center, (1.5, 1.25))


@pytest.mark.parametrize('seed', range(5))
def test_generated_houses_survive_writing_and_reading(seed, tmp_path):
    house = generate_house(seed)
    write_floor_plan(house, tmp_path / 'house.json')
    again = read_floor_plan(tmp_path / 'house.json')
    np.testing.assert_array_equal(build_navigation_graph(house).nodes,
                                  build_navigation_graph(again).nodes)
    for one, other in zip(house.furniture, again.furniture):
        np.testing.assert_allclose(one.footprint, other.footprint, atol=1e-9)
        np.testing.assert_allclose(one.axes, other.axes, atol=1e-9)
        assert (one.category, one.material, one.model) == (
            other.category, other.material, other.model)


def test_turned_furniture_keeps_its_front(read):
    def turn(plan):
        plan['furniture'][0]['polygon'] = [[2, 1], [2, 2], [1.5, 2], [1.5, 1]]
    piece = read(turn).furniture[0]
    assert piece.yaw_rad == pytest.approx(math.pi / 2)
    assert piece.size_m[:2] == pytest.approx((1.0, 0.5))


def test_a_closed_ring_is_the_same_furniture(read):
    def close(plan):
        plan['furniture'][0]['polygon'].append([1, 1])
    closed, open_ = read(close).furniture[0], read().furniture[0]
    assert (closed.size_m, closed.yaw_rad) == (open_.size_m, open_.yaw_rad)


def test_other_shapes_become_their_smallest_rectangle(read):
    def round_table(plan):
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        plan['furniture'][0]['polygon'] = (
            1.5 + 0.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)).tolist()
    piece = read(round_table).furniture[0]
    assert piece.size_m[:2] == pytest.approx((1.0, 1.0), abs=0.02)
    np.testing.assert_allclose(piece.center, (1.5, 1.5), atol=0.01)


def _set(*path_and_value):
    *path, last, value = path_and_value

    def change(plan):
        for key in path:
            plan = plan[key]
        plan[last] = value
    return change


def _near_room(plan):
    plan['rooms'].append({'name': 'shed', 'polygon': [[9, 0], [12, 0], [12, 3], [9, 3]]})


@pytest.mark.parametrize('change, message', [
    (_set('rooms', 1, 'polygon', [[3, 0], [7, 0], [7, 3], [3, 3]]),
     "rooms 'kitchen' and 'hall' overlap by 3.00 m2"),
    (_set('rooms', 0, 'polygon', [[0, 0], [4, 3], [4, 0], [0, 3]]), 'must be a simple polygon'),
    (_set('rooms', 0, 'polygon', [[0, 0], [4, 0], [4, float('nan')]]), 'must be finite'),
    (_set('rooms', 0, 'polygon', [[0, 0], [4, 0]]), 'must have 3 points or more, got 2'),
    (_set('rooms', 0, 'polygon', [[0, 0], [4]]), 'must be a list of'),
    (_set('rooms', 0, 'wall_material', 'jelly'), r"rooms\[0\]: material must be one of .*'jelly'"),
    (_set('rooms', 1, 'name', 'kitchen'), "room names must differ, got 'kitchen' 2 times"),
    (_set('rooms', 1, 'polygon', [[400, 0], [700, 0], [800, 300]]), 'at most 100 m long'),
    (_set('rooms', {}), 'rooms must be a list'),
    (_set('rooms', []), 'rooms must not be empty'),
    (_near_room, "room 'shed' cannot be reached: no chain of doors leads there"),
    (_set('doors', []), "room 'hall' cannot be reached: no chain of doors"),
    (_set('doors', 0, 'start', [4.1, 1]), 'must lie on a wall that two rooms share'),
    (_set('doors', 0, {'start': [1, 0], 'end': [2, 0]}), 'it lies on walls of 1'),
    (_set('doors', 0, 'end', [4, 1.3]), 'at least 0.4 m wide for the robot, got 0.30 m'),
    (_set('doors', 0, 'height_m', 1.0), 'must be 1.5 m to the wall height'),
    (_set('doors', 0, 'height_m', True), 'must be a number, got True'),
    (_set('furniture', 0, 'polygon', [[3, 1], [5, 1], [5, 1.5], [3, 1.5]]),
     'must lie inside one room'),
    (_set('furniture', 0, 'polygon', [[2, 0.1], [3.95, 0.1], [3.95, 2.9], [2, 2.9]]),
     "room 'hall' cannot be reached by a robot|room 'kitchen' cannot be reached by a robot"),
    (_set('furniture', 0, 'model', 'throne'), "got 'throne'"),
    (_set('furniture', 0, 'model', ['throne']), 'model must be a string'),
    (_set('rooms', 0, 'polygon', [[0, 0], [1e308, 0], [0, 1]]), 'must be metres under 100000'),
    (_set('furniture', 0, 'height_m', -1), '3 positive lengths'),
    (_set('wall_height', 3), "unknown key 'wall_height'"),
    (_set('version', 2), 'format and version must be'),
    (_set('wall_height_m', 'high'), "wall_height_m must be a number, got 'high'"),
])
def test_broken_plans_get_one_line_that_says_what_is_wrong(read, change, message):
    with pytest.raises(FloorPlanError, match=message) as caught:
        read(change)
    assert '\n' not in str(caught.value)
    assert 'plan.json' in str(caught.value)


@pytest.mark.parametrize('content, message', [
    (b'rooms: []', 'must be JSON'), (b'\xff\xfe', 'must be JSON'), (b'[1]', 'must be an object'),
    (b'{"rooms": []}', "must have 'format'"), (b'[' * 100_000, 'must be JSON'),
    (b' ' * (MAX_BYTES + 1), f'at most {MAX_BYTES} bytes')])
def test_files_that_are_no_plans_are_refused(tmp_path, content, message):
    (tmp_path / 'plan.json').write_bytes(content)
    with pytest.raises(FloorPlanError, match=message):
        read_floor_plan(tmp_path / 'plan.json')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FloorPlanError, match='nowhere.json: cannot be read: No such file'):
        read_floor_plan(tmp_path / 'nowhere.json')


def test_every_key_that_is_written_is_documented(tmp_path):
    write_floor_plan(generate_house(0), tmp_path / 'house.json')
    plan = json.loads((tmp_path / 'house.json').read_text())
    for key in plan['rooms'][0] | plan['doors'][0] | plan['furniture'][0] | plan:
        assert f'"{key}"' in floor_plan.__doc__
