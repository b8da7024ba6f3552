# SPDX-License-Identifier: Apache-2.0
"""Draw furniture for rectangular rooms: backs to the walls, tables with chairs, doors free."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sim_bridge.house.furniture_models import FurnitureModel
from sim_bridge.house.furniture_models import models_of
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import Room

# Wished for in this order; what does not fit is left out.
WISHES = {
    'living room': ('sofa', 'tv_stand', 'armchair', 'shelf', 'plant', 'coffee_table',
                    'fireplace', 'dining_set', 'plant', 'pouf', 'piano'),
    'kitchen': ('sink', 'kitchen_cabinet', 'fridge', 'kitchen_cabinet', 'kitchen_cabinet',
                'dining_set', 'washing_machine', 'plant'),
    'dining room': ('dining_set', 'chest', 'shelf', 'plant', 'bench'),
    'bedroom': ('bed', 'wardrobe', 'bedside_table', 'chest', 'desk', 'plant', 'shelf'),
    'office': ('desk', 'shelf', 'filing_cabinet', 'shelf', 'armchair', 'plant'),
    'bathroom': ('toilet', 'washbasin', 'shower', 'bathtub', 'washing_machine'),
    'corridor': ('plant', 'bench', 'chest'),
}
DOOR_CLEARANCE_M = 0.8  # kept free in front of a door, on both sides
WALL_GAP_M = 0.02
PIECE_GAP_M = 0.04
MAX_FILL = 0.32  # share of the floor
MAX_FIRST_FILL = 0.5  # the first wish, a bed say, may take more
SKIP_PROBABILITY = 0.15  # not every living room has everything
_TRIES = 16


@dataclasses.dataclass
class _FloorSpace:
    """What is taken in one rectangular room; boxes are (x0, y0, x1, y1) in metres."""

    low: np.ndarray
    high: np.ndarray
    keep_free: list[tuple[float, float, float, float]]
    pieces: list[Furniture]
    taken: list[tuple[float, float, float, float]]
    max_fill: float = MAX_FILL

    def try_add(self, piece: Furniture) -> bool:
        corners = piece.footprint
        box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
        inside = (box[0] >= self.low[0] and box[1] >= self.low[1]
                  and box[2] <= self.high[0] and box[3] <= self.high[1])
        if not inside or any(_overlap(box, other, PIECE_GAP_M) for other in self.taken):
            return False
        if any(_overlap(box, other, 0.0) for other in self.keep_free):
            return False
        area_m2 = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (*self.taken, box))
        if area_m2 > self.max_fill * float(np.prod(self.high - self.low)):
            return False
        self.taken.append(box)
        self.pieces.append(piece)
        return True


def furnish_room(room: Room, kind: str, doors: tuple[Door, ...],
                 rng: np.random.Generator) -> list[Furniture]:
    """Draw the furniture of one axis-aligned rectangular room.

    Args:
        kind: a key of ``WISHES``.
        doors: all doors of the house; those of other rooms do no harm.
    """
    space = _FloorSpace(room.polygon.min(axis=0), room.polygon.max(axis=0),
                        [_door_box(door) for door in doors], [], [])
    for place, wish in enumerate(WISHES[kind]):
        if place and rng.random() < SKIP_PROBABILITY:
            continue
        space.max_fill = MAX_FILL if place else MAX_FIRST_FILL
        if wish == 'dining_set':
            _add_dining_set(space, rng)
        elif wish == 'coffee_table':
            _add_in_front(space, 'sofa', wish, rng)
        else:
            _add_at_wall(space, wish, rng)
    return space.pieces


def _add_at_wall(space: _FloorSpace, category: str, rng: np.random.Generator) -> None:
    for _ in range(_TRIES):
        model = _draw(models_of(category), rng)
        side, share = int(rng.integers(4)), float(rng.random())
        piece = _at_wall(space, model, side, share)
        if piece is not None and space.try_add(piece):
            return


def _at_wall(space: _FloorSpace, model: FurnitureModel, side: int,
             share: float) -> Furniture | None:
    """Back to the wall ``side`` (0 north, 1 west, 2 south, 3 east), ``share`` along it."""
    width, depth, _ = model.size_m
    axis = side % 2  # the coordinate that runs along the wall
    slack = space.high[axis] - space.low[axis] - width - 2 * WALL_GAP_M
    if slack < 0:
        return None
    center = np.empty(2)
    center[axis] = space.low[axis] + WALL_GAP_M + width / 2 + share * slack
    across = WALL_GAP_M + depth / 2
    center[1 - axis] = (space.high[1 - axis] - across if side in (0, 3)
                        else space.low[1 - axis] + across)
    return _piece(model, center, (0, 1, 2, 3)[side] * math.pi / 2)


def _add_in_front(space: _FloorSpace, anchor_category: str, category: str,
                  rng: np.random.Generator) -> None:
    anchors = [piece for piece in space.pieces if piece.category == anchor_category]
    if not anchors:
        return
    anchor, model = anchors[0], _draw(models_of(category), rng)
    reach = anchor.size_m[1] / 2 + 0.35 + model.size_m[1] / 2
    space.try_add(_piece(model, anchor.center - reach * anchor.axes[1], anchor.yaw_rad))


def _add_dining_set(space: _FloorSpace, rng: np.random.Generator) -> None:
    """A table away from the walls, with chairs that face it."""
    table_model, chair_model = _draw(models_of('table'), rng), _draw(models_of('chair'), rng)
    reach = max(table_model.size_m[:2]) / 2 + chair_model.size_m[1]
    low, high = space.low + reach, space.high - reach
    if (low > high).any():
        return
    for _ in range(_TRIES):
        yaw_rad = int(rng.integers(2)) * math.pi / 2
        table = _piece(table_model, rng.uniform(low, high), yaw_rad)
        if space.try_add(table):
            for side in rng.permutation(4)[:int(rng.integers(2, 5))]:
                space.try_add(_chair_at(table, chair_model, int(side)))
            return


def _chair_at(table: Furniture, model: FurnitureModel, side: int) -> Furniture:
    """A chair on the local -y, +x, +y or -x side of a table, its front towards it."""
    outward = (-table.axes[1], table.axes[0], table.axes[1], -table.axes[0])[side]
    reach = table.size_m[(1, 0, 1, 0)[side]] / 2 + model.size_m[1] / 2 + PIECE_GAP_M + 0.01
    quarter = round(table.yaw_rad / (math.pi / 2)) + (2, 3, 0, 1)[side]
    return _piece(model, table.center + reach * outward, quarter % 4 * math.pi / 2)


def _piece(model: FurnitureModel, center: np.ndarray, yaw_rad: float) -> Furniture:
    return Furniture(model.category, np.round(center, 3), yaw_rad, model.size_m,
                     model.elevation_m, model.material, model.name)


def _draw(models: tuple[FurnitureModel, ...], rng: np.random.Generator) -> FurnitureModel:
    return models[int(rng.integers(len(models)))]


def _door_box(door: Door) -> tuple[float, float, float, float]:
    along = (door.end - door.start) / door.width_m
    across = np.array([-along[1], along[0]])
    reach = np.abs(along) * (door.width_m / 2 + 0.1) + np.abs(across) * DOOR_CLEARANCE_M
    low, high = door.center - reach, door.center + reach
    return (*low.tolist(), *high.tolist())


def _overlap(a: tuple[float, ...], b: tuple[float, ...], gap_m: float) -> bool:
    return (a[0] < b[2] + gap_m and b[0] < a[2] + gap_m
            and a[1] < b[3] + gap_m and b[1] < a[3] + gap_m)
