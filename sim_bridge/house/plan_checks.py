# SPDX-License-Identifier: Apache-2.0
"""What a house must fulfil before a robot may be simulated in it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csgraph
import shapely

from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.obstacles import ROBOT_HEIGHT_M
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import interval_on_edge
from sim_bridge.house.plan import ON_WALL_TOLERANCE_M
from sim_bridge.house.plan import Room

MIN_DOOR_WIDTH_M = 0.4  # a robot of 0.15 m radius with 5 cm to spare on each side
MAX_EXTENT_M = 100.0
OVERLAP_M2 = 1e-3
FURNITURE_IN_WALL_M = 0.05


class FloorPlanError(ValueError):
    """A floor plan cannot be used; the message says what is wrong and where."""


def check_house(house: House) -> None:
    """Refuse a house with bad rooms, doors or furniture, or with rooms nobody can reach.

    Raises:
        FloorPlanError: names the first fault that was found.
    """
    for check in (_check_names, _check_rooms, _check_overlaps, _check_doors, _check_furniture,
                  _check_reachable):
        check(house)


def _check_names(house: House) -> None:
    names = [room.name for room in house.rooms]
    for name in names:
        if names.count(name) > 1:
            raise FloorPlanError(f'room names must differ, got {name!r} {names.count(name)} times')


def _check_rooms(house: House) -> None:
    low, high = house.bounds()
    if (high - low).max() > MAX_EXTENT_M:
        raise FloorPlanError(f'a house must be at most {MAX_EXTENT_M:.0f} m long, got '
                             f'{(high - low).max():.0f} m: coordinates are metres')
    for room in house.rooms:
        check_polygon(f'room {room.name!r}', room.polygon)


def check_polygon(what: str, polygon: np.ndarray) -> None:
    """Refuse a polygon, (n, 2), that crosses or touches itself or has no area.

    Raises:
        FloorPlanError: says where.
    """
    shape = shapely.Polygon(polygon)
    if not shape.is_valid:
        raise FloorPlanError(f'{what} must be a simple polygon, got: '
                             f'{shapely.is_valid_reason(shape)}')
    if shape.area < OVERLAP_M2:
        raise FloorPlanError(f'{what} must have an area, got {shape.area:g} m2')


def _check_overlaps(house: House) -> None:
    shapes = [shapely.Polygon(room.polygon) for room in house.rooms]
    for first, second in zip(*shapely.STRtree(shapes).query(shapes)):
        if first < second:
            area_m2 = shapes[first].intersection(shapes[second]).area
            if area_m2 > OVERLAP_M2:
                raise FloorPlanError(
                    f'rooms {house.rooms[first].name!r} and {house.rooms[second].name!r} '
                    f'overlap by {area_m2:.2f} m2')


def _check_doors(house: House) -> None:
    for index, door in enumerate(house.doors):
        what = f'door {index} at {_text(door.center)}'
        if door.width_m < MIN_DOOR_WIDTH_M:
            raise FloorPlanError(f'{what} must be at least {MIN_DOOR_WIDTH_M} m wide for the '
                                 f'robot, got {door.width_m:.2f} m')
        if not ROBOT_HEIGHT_M <= door.height_m <= house.wall_height_m:
            raise FloorPlanError(f'{what} must be {ROBOT_HEIGHT_M} m to the wall height of '
                                 f'{house.wall_height_m} m high, got {door.height_m} m')
        if len(rooms_of_door(house, door)) != 2:
            raise FloorPlanError(f'{what} must lie on a wall that two rooms share, it lies on '
                                 f'walls of {len(rooms_of_door(house, door))}')


def rooms_of_door(house: House, door: Door) -> list[int]:
    """Rooms on whose walls the whole door lies; two for a good door."""
    return [index for index, room in enumerate(house.rooms) if _on_wall_of(room, door)]


def _on_wall_of(room: Room, door: Door) -> bool:
    covered_m = 0.0
    for start, end in zip(room.polygon, np.roll(room.polygon, -1, axis=0)):
        length_m = float(np.hypot(*(end - start)))
        interval = interval_on_edge(door, start, (end - start) / length_m, length_m)
        covered_m += interval[1] - interval[0] if interval is not None else 0.0
    return covered_m > door.width_m - ON_WALL_TOLERANCE_M


def _check_furniture(house: House) -> None:
    rooms = [shapely.Polygon(room.polygon).buffer(FURNITURE_IN_WALL_M) for room in house.rooms]
    for index, piece in enumerate(house.furniture):
        footprint = shapely.Polygon(piece.footprint)
        if not any(room.contains(footprint) for room in rooms):
            raise FloorPlanError(f'furniture {index} ({piece.category}) at {_text(piece.center)} '
                                 'must lie inside one room, it crosses a wall or lies outside')


def _check_reachable(house: House) -> None:
    joined = np.zeros((len(house.rooms),) * 2)
    for door in house.doors:
        joined[tuple(rooms_of_door(house, door))] = 1.0
    _, label = csgraph.connected_components(joined, directed=False)
    cut_off = np.flatnonzero(label != np.argmax(np.bincount(label)))
    if len(cut_off):
        raise FloorPlanError(f'room {house.rooms[cut_off[0]].name!r} cannot be reached: '
                             'no chain of doors leads there')
    try:
        graph = build_navigation_graph(house)
    except ValueError as error:
        raise FloorPlanError(str(error)) from error
    reached = set(house.rooms_at(graph.nodes).tolist())
    for index, room in enumerate(house.rooms):
        if index not in reached:
            raise FloorPlanError(
                f'room {room.name!r} cannot be reached by a robot of 0.15 m radius in 0.5 m '
                'steps: widen its door to 0.8 m or move furniture')


def _text(xy: np.ndarray) -> str:
    return f'({xy[0]:.2f}, {xy[1]:.2f})'
