# SPDX-License-Identifier: Apache-2.0
"""Procedural houses: the same seed is the same house, bit for bit, on every machine."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses

import numpy as np

from sim_bridge.house.furnish import furnish_room
from sim_bridge.house.layout import draw_cells
from sim_bridge.house.layout import draw_doors_m
from sim_bridge.house.layout import draw_large_cells
from sim_bridge.house.layout import LayoutFailed
from sim_bridge.house.layout import Rectangle
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room

MIN_NODES_PER_ROOM = 4
_ATTEMPTS = 400

_PAINTED = ('plaster_white', 'plaster_yellow', 'plaster_green', 'plaster_blue',
            'plaster_terracotta', 'plasterboard')
_WALLS = _PAINTED * 2 + ('brick', 'brick', 'wood_panel', 'wood_panel', 'concrete', 'curtain')
_CEILINGS = ('ceiling_plaster', 'ceiling_plaster', 'ceiling_wood', 'ceiling_acoustic')
_DRY_FLOORS = ('parquet', 'wood_floor', 'carpet', 'thick_carpet')
_WET_FLOORS = ('tile_floor', 'linoleum')
_WET_WALLS = ('tiled_wall', 'tiled_wall', 'plaster_white')
_KINDS_BY_SIZE = ('bedroom', 'kitchen', 'bedroom', 'dining room', 'office', 'bedroom')


@dataclasses.dataclass(frozen=True)
class HouseSize:
    """A kind of building: range of rooms, corridors included, and of nodes at 0.5 m."""

    rooms: tuple[int, int]
    nodes: tuple[int, int]
    draw_cells: Callable[[int, np.random.Generator], list[Rectangle]]


SIZES = {'small': HouseSize((2, 8), (40, 170), draw_cells),  # as in Replica
         'large': HouseSize((10, 25), (250, 1600), draw_large_cells)}  # as in Matterport3D


def generate_house(seed: int, *, size: str = 'small', rooms: int | None = None) -> House:
    """Draw a furnished house in which every room can be reached on the 0.5 m lattice.

    Args:
        seed: any integer >= 0.
        size: a key of ``SIZES``; large houses have 150-500 m2 and corridors.
        rooms: number of rooms, corridors included, in the range of the size; drawn when None.

    Raises:
        ValueError: ``seed``, ``size`` or ``rooms`` is out of range.
    """
    if seed < 0:
        raise ValueError(f'seed must be >= 0, got {seed}')
    if size not in SIZES:
        raise ValueError(f'size must be one of {tuple(SIZES)}, got {size!r}')
    fewest, most = SIZES[size].rooms
    if rooms is not None and not fewest <= rooms <= most:
        raise ValueError(f'rooms must be in [{fewest}, {most}], got {rooms}')
    rng = np.random.default_rng(seed)
    wanted = int(rng.integers(fewest, most + 1)) if rooms is None else rooms
    for _ in range(_ATTEMPTS):
        try:
            house = _draw_house(f'house_{seed}', SIZES[size], wanted, rng)
        except LayoutFailed:
            continue
        if house is not None:
            return house
    raise ValueError(f'no house of {wanted} rooms found for seed {seed}')


def _draw_house(name: str, size: HouseSize, rooms: int,
                rng: np.random.Generator) -> House | None:
    """One attempt; None if the house came out too small, too big or not passable."""
    cells = size.draw_cells(rooms, rng)
    kinds = _room_kinds(cells)
    shell = House(name, _draw_rooms(cells, kinds, rng),
                  [Door(*ends) for ends in draw_doors_m(cells, rng)],
                  wall_height_m=int(rng.integers(24, 30)) / 10)
    furniture = [furnish_room(room, kind, shell.doors, rng)
                 for room, kind in zip(shell.rooms, kinds)]
    return _passable(shell, furniture, size.nodes)


def _room_kinds(cells: list[Rectangle]) -> list[str]:
    """Living room for the largest cell, bathroom for the smallest, the rest by size."""
    kinds = ['corridor' if cell.corridor else '' for cell in cells]
    by_size = sorted((index for index, kind in enumerate(kinds) if not kind),
                     key=lambda index: -cells[index].area_m2)
    kinds[by_size[0]] = 'living room'
    if len(by_size) >= 4:
        kinds[by_size.pop()] = 'bathroom'
    for place, index in enumerate(by_size[1:]):
        kinds[index] = _KINDS_BY_SIZE[place % len(_KINDS_BY_SIZE)]
    return kinds


def _draw_rooms(cells: list[Rectangle], kinds: list[str],
                rng: np.random.Generator) -> list[Room]:
    rooms, last_wall = [], ''
    for index, (cell, kind) in enumerate(zip(cells, kinds)):
        earlier = kinds[:index].count(kind)
        wet = kind in ('bathroom', 'kitchen')
        # Neighbours in other colours help people and policies to tell rooms apart.
        walls = [wall for wall in (_WET_WALLS if kind == 'bathroom' else _WALLS)
                 if wall != last_wall]
        last_wall = str(rng.choice(walls))
        rooms.append(Room(
            f'{kind} {earlier + 1}' if earlier else kind, cell.polygon_m, last_wall,
            str(rng.choice(_WET_FLOORS if wet else _DRY_FLOORS)), str(rng.choice(_CEILINGS))))
    return rooms


def _passable(shell: House, furniture: list[list[Furniture]],
              nodes: tuple[int, int]) -> House | None:
    """Take furniture out of rooms that it blocks, last piece first."""
    while True:
        house = House(shell.name, shell.rooms, shell.doors, sum(furniture, []),
                      shell.wall_height_m)
        try:
            graph = build_navigation_graph(house)
        except ValueError:  # not one free node
            return None
        reached = np.bincount(house.rooms_at(graph.nodes) + 1, minlength=len(house.rooms) + 1)
        blocked = np.flatnonzero(reached[1:] < MIN_NODES_PER_ROOM)
        if not len(blocked):
            return house if nodes[0] <= len(graph) <= nodes[1] else None
        if not any(furniture[room] for room in blocked):
            # A room behind a blocked one: thin out everything.
            blocked = np.arange(len(furniture))
            if not any(furniture):
                return None
        for room in blocked:
            if furniture[room]:
                furniture[room].pop()
