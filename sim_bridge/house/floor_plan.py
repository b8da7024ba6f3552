# SPDX-License-Identifier: Apache-2.0
"""Floor plans as JSON files, for people who want their own house.

Metres, x and y on the floor, any origin::

    {
      "format": "asgf_nav_floor_plan",
      "version": 1,
      "name": "my flat",                              optional, else the file's name
      "wall_height_m": 2.5,                           optional
      "rooms": [                                      simple polygons, not overlapping; rooms that
        {"name": "kitchen",                           share a wall share its line exactly (1 cm)
         "polygon": [[0, 0], [4, 0], [4, 3], [0, 3]],
         "wall_material": "brick",                    optional, names in materials.py
         "floor_material": "tile_floor",              optional
         "ceiling_material": "ceiling_plaster"}       optional
      ],
      "doors": [                                      openings on a wall that two rooms share
        {"start": [4, 1], "end": [4, 2], "height_m": 2.0}
      ],
      "furniture": [                                  optional
        {"category": "table",
         "polygon": [[1, 1], [2, 1], [2, 2], [1, 2]], other shapes become their smallest rectangle;
         "height_m": 0.75,                            the first edge of a rectangle is its front
         "elevation_m": 0.0,                          optional
         "material": "wood",                          optional
         "model": "BlendSwap-CC-BY/table"}            optional, names in furniture_models.json
      ]
    }
"""

from __future__ import annotations

import json
import math
import pathlib
from typing import Any

import numpy as np
import shapely

from sim_bridge.house.furniture_models import furniture_models
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.house.plan import signed_area_m2
from sim_bridge.house.plan import without_repeats
from sim_bridge.house.plan_checks import check_house
from sim_bridge.house.plan_checks import check_polygon
from sim_bridge.house.plan_checks import FloorPlanError

__all__ = ['FloorPlanError', 'read_floor_plan', 'write_floor_plan']

FORMAT = 'asgf_nav_floor_plan'
VERSION = 1
MAX_BYTES = 5_000_000
MAX_NUMBER = 1e5
_RECTANGLE_TOLERANCE = 1e-3  # cosine of a corner

_HOUSE_KEYS = ('format', 'version', 'name', 'wall_height_m', 'rooms', 'doors', 'furniture')
_ROOM_KEYS = ('name', 'polygon', 'wall_material', 'floor_material', 'ceiling_material')
_DOOR_KEYS = ('start', 'end', 'height_m')
_FURNITURE_KEYS = ('category', 'polygon', 'height_m', 'elevation_m', 'material', 'model')


def read_floor_plan(path: str | pathlib.Path) -> House:
    """Read and check a floor plan.

    Raises:
        FloorPlanError: one line that names the file, the place in it and what is wrong.
    """
    path = pathlib.Path(path)
    try:
        house = _house(_load(path), path.stem)
        check_house(house)
        return house
    except ValueError as error:
        raise FloorPlanError(f'{path}: {error}') from error


def write_floor_plan(house: House, path: str | pathlib.Path) -> None:
    """Write a house as a floor plan that ``read_floor_plan`` reads back."""
    plan = {
        'format': FORMAT, 'version': VERSION, 'name': house.name,
        'wall_height_m': house.wall_height_m,
        'rooms': [{'name': room.name, 'polygon': room.polygon.tolist(),
                   'wall_material': room.wall_material, 'floor_material': room.floor_material,
                   'ceiling_material': room.ceiling_material} for room in house.rooms],
        'doors': [{'start': door.start.tolist(), 'end': door.end.tolist(),
                   'height_m': door.height_m} for door in house.doors],
        'furniture': [{'category': piece.category, 'polygon': piece.footprint.tolist(),
                       'height_m': piece.size_m[2], 'elevation_m': piece.elevation_m,
                       'material': piece.material, 'model': piece.model}
                      for piece in house.furniture],
    }
    pathlib.Path(path).write_text(json.dumps(plan, indent=1) + '\n', 'utf-8')


def _load(path: pathlib.Path) -> Any:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FloorPlanError(f'a floor plan must be at most {MAX_BYTES} bytes, got {size}')
        return json.loads(path.read_text('utf-8'))
    except OSError as error:
        raise FloorPlanError(f'cannot be read: {error.strerror}') from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FloorPlanError(f'must be JSON, got: {error}') from error


def _house(plan: Any, default_name: str) -> House:
    _check_keys('floor plan', plan, _HOUSE_KEYS, required=('format', 'version', 'rooms'))
    if (plan['format'], plan['version']) != (FORMAT, VERSION):
        raise FloorPlanError(f'format and version must be {FORMAT!r} and {VERSION}, got '
                             f'{plan["format"]!r} and {plan["version"]!r}')
    rooms = [_room(f'rooms[{i}]', entry) for i, entry in enumerate(_list(plan, 'rooms'))]
    doors = [_door(f'doors[{i}]', entry) for i, entry in enumerate(_list(plan, 'doors'))]
    furniture = [_furniture(f'furniture[{i}]', entry)
                 for i, entry in enumerate(_list(plan, 'furniture'))]
    return House(_string(plan, 'name', 'floor plan', default_name), rooms, doors, furniture,
                 _number(plan, 'wall_height_m', 'floor plan', 2.5))


def _room(where: str, entry: Any) -> Room:
    _check_keys(where, entry, _ROOM_KEYS, required=('name', 'polygon'))
    polygon = _polygon(entry, where)
    materials = {key: _string(entry, key, where) for key in _ROOM_KEYS[2:] if key in entry}
    return _located(where, Room, _string(entry, 'name', where), polygon, **materials)


def _door(where: str, entry: Any) -> Door:
    _check_keys(where, entry, _DOOR_KEYS, required=('start', 'end'))
    start, end = (_numbers(entry[key], f'{where}.{key}', (2,)) for key in ('start', 'end'))
    return _located(where, Door, start, end, _number(entry, 'height_m', where, 2.0))


def _furniture(where: str, entry: Any) -> Furniture:
    _check_keys(where, entry, _FURNITURE_KEYS, required=('category', 'polygon', 'height_m'))
    model = None if entry.get('model') is None else _string(entry, 'model', where)
    if model is not None and model not in furniture_models():
        raise FloorPlanError(f'{where}.model must be null or a name in furniture_models.json, '
                             f'got {_kind(model)}')
    center, yaw_rad, width_m, depth_m = _rectangle(_polygon(entry, where))
    return _located(where, Furniture, _string(entry, 'category', where), center, yaw_rad,
                    (width_m, depth_m, _number(entry, 'height_m', where)),
                    _number(entry, 'elevation_m', where, 0.0),
                    _string(entry, 'material', where, 'wood'), model)


def _rectangle(polygon: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """Centre, yaw, width and depth of a rectangle, or of the smallest one around a polygon."""
    if not _is_rectangle(polygon):
        smallest = shapely.Polygon(polygon).minimum_rotated_rectangle
        polygon = np.array(smallest.exterior.coords)[:4]
    if signed_area_m2(polygon) < 0:
        polygon = polygon[[1, 0, 3, 2]]  # the first edge stays the front
    along, across = polygon[1] - polygon[0], polygon[3] - polygon[0]
    yaw_rad = math.atan2(along[1], along[0])
    return polygon.mean(axis=0), yaw_rad, float(np.hypot(*along)), float(np.hypot(*across))


def _is_rectangle(polygon: np.ndarray) -> bool:
    if len(polygon) != 4:
        return False
    edges = np.roll(polygon, -1, axis=0) - polygon
    edges = edges / np.hypot(*edges.T)[:, None]
    corners = np.einsum('nk,nk->n', edges, np.roll(edges, -1, axis=0))
    return bool(np.abs(corners).max() < _RECTANGLE_TOLERANCE)


def _located(where: str, make: type, *args: Any, **kwargs: Any) -> Any:
    try:
        return make(*args, **kwargs)
    except ValueError as error:
        raise FloorPlanError(f'{where}: {error}') from error


def _check_keys(where: str, entry: Any, known: tuple[str, ...],
                required: tuple[str, ...]) -> None:
    if not isinstance(entry, dict):
        raise FloorPlanError(f'{where} must be an object, got {_kind(entry)}')
    for key in required:
        if key not in entry:
            raise FloorPlanError(f'{where} must have {key!r}, got {sorted(entry)}')
    for key in entry:
        if key not in known:
            raise FloorPlanError(f'{where} has the unknown key {key!r}, known are {list(known)}')


def _list(plan: dict[str, Any], key: str) -> list[Any]:
    value = plan.get(key, [])
    if not isinstance(value, list):
        raise FloorPlanError(f'{key} must be a list, got {_kind(value)}')
    return value


def _string(entry: dict[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise FloorPlanError(f'{where}.{key} must be a string, got {_kind(value)}')
    return value


def _number(entry: dict[str, Any], key: str, where: str, default: float | None = None) -> float:
    return float(_numbers(entry.get(key, default), f'{where}.{key}', ()))


def _polygon(entry: dict[str, Any], where: str) -> np.ndarray:
    # Closed rings are welcome: the repeated point goes.
    polygon = without_repeats(_numbers(entry['polygon'], f'{where}.polygon', (None, 2)))
    if len(polygon) < 3:
        raise FloorPlanError(f'{where}.polygon must have 3 points or more, got {len(polygon)}')
    check_polygon(f'{where}.polygon', polygon)
    return polygon


def _numbers(value: Any, where: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Finite numbers in the wanted shape, None for any length."""
    wanted = {(): 'a number', (2,): '[x, y]', (None, 2): 'a list of [x, y]'}[shape]
    try:
        array = np.array(value)
    except ValueError as error:
        raise FloorPlanError(f'{where} must be {wanted}, got a ragged list') from error
    fits = array.ndim == len(shape) and all(
        size in (None, found) for size, found in zip(shape, array.shape))
    if not fits or array.dtype.kind not in 'iuf':
        raise FloorPlanError(f'{where} must be {wanted}, got {_kind(value)}')
    if not np.isfinite(array).all():
        raise FloorPlanError(f'{where} must be finite, got NaN or infinity')
    if np.abs(array).max(initial=0) > MAX_NUMBER:
        raise FloorPlanError(f'{where} must be metres under {MAX_NUMBER:g}, got {_kind(value)}')
    return array.astype(np.float64)


def _kind(value: Any) -> str:
    return f'{value!r:.60}'
