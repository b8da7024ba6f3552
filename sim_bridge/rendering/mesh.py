# SPDX-License-Identifier: Apache-2.0
"""A house as triangles, sorted by room: shell (walls, floors, ceilings, doors) and furniture."""

from __future__ import annotations

import dataclasses

import numpy as np
import shapely

from sim_bridge.house.furniture_models import furniture_models
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.house.plan import WallSegment
from sim_bridge.house.plan_checks import rooms_of_door
from sim_bridge.rendering.models import load_model
from sim_bridge.rendering.models import ModelMesh
from sim_bridge.rendering.textures import material_texture
from sim_bridge.rendering.textures import TEXTURE_PIXELS

MAX_TRIANGLES = 60_000  # of a house; furniture past that is drawn as boxes
VERTEX = np.dtype([('position', 'f4', 3), ('normal', 'f4', 3), ('uv', 'f4', 2),
                   ('color', 'f4', 3), ('layer', 'f4'), ('lift', 'f4')])
_FRAME_M = 0.08  # width of a door frame
_FRAME_OUT_M = 0.02  # how far it stands out of the wall
_WINDOW_M = (1.2, 1.1)  # width, height
_WINDOW_SILL_M = 0.9
_WINDOW_WALL_M = 1.8  # a wall to the outside gets a window from this length on
# Walls go on behind floor and ceiling, and a plate lies under the seam of two floors: rounding
# would open pinholes there, where the corners of one surface lie on an edge of another.
_SKIRT_M = 0.002
_WHITE = np.full((TEXTURE_PIXELS, TEXTURE_PIXELS, 3), 255, np.uint8)


@dataclasses.dataclass(frozen=True, eq=False)
class HouseMesh:
    """What goes to the GPU.

    vertices : (v,) of dtype ``VERTEX``, three a triangle, counter-clockwise from the front.
    shell, furniture : a room's (first vertex, number of vertices).
    layers : (layers, 128, 128, 3) uint8 textures.
    lamps : (rooms, 3) float32, where a lamp hangs.
    """

    vertices: np.ndarray
    shell: tuple[tuple[int, int], ...]
    furniture: tuple[tuple[int, int], ...]
    layers: np.ndarray
    lamps: np.ndarray


def build_house_mesh(house: House) -> HouseMesh:
    """Triangulate a house. Furniture models that are not installed become boxes."""
    builder = _Builder()
    shell, furniture = [], []
    frames = [(rooms_of_door(house, door), door) for door in house.doors]
    homes = [house.room_at(piece.center) for piece in house.furniture]
    for index, room in enumerate(house.rooms):
        first = builder.count
        _add_shell(builder, house, index, room)
        for joined, door in frames:
            if index in joined:
                _add_door_frame(builder, door)
        shell.append((first, builder.count - first))
        first = builder.count
        for piece, home in zip(house.furniture, homes):
            if home == index or (home < 0 and index == 0):
                _add_furniture(builder, piece)
        furniture.append((first, builder.count - first))
    return HouseMesh(np.concatenate(builder.parts), tuple(shell), tuple(furniture),
                     np.stack(list(builder.layers.values())), _lamps(house))


class _Builder:
    """Collects triangles and the texture layers that they need."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []
        self.layers: dict[str, np.ndarray] = {'': _WHITE}
        self.count = 0

    def layer(self, name: str, texture: np.ndarray) -> int:
        self.layers.setdefault(name, texture)
        return list(self.layers).index(name)

    def material(self, name: str) -> int:
        return self.layer(name, material_texture(name))

    def add(self, corners: np.ndarray, uv: np.ndarray, layer: np.ndarray | int,
            color: np.ndarray | float = 1.0, *, lift: int = 0) -> None:
        """Add triangles: corners (t, 3, 3), uv (t, 3, 2), layer (t,) and color (t, 3).

        Of surfaces in one plane the one with the highest ``lift`` is seen.
        """
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        part = np.empty((len(corners), 3), VERTEX)
        part['position'], part['uv'] = corners, uv
        part['normal'] = normal[:, None]
        part['layer'] = np.broadcast_to(layer, len(corners))[:, None]
        part['lift'] = lift
        part['color'] = np.broadcast_to(color, (len(corners), 3))[:, None]
        self.parts.append(part.reshape(-1))
        self.count += part.size

    def add_quad(self, quad: np.ndarray, uv: np.ndarray, layer: int,
                 color: np.ndarray | float = 1.0, *, lift: int = 0) -> None:
        """Add a quad: (4, 3) counter-clockwise from the front, uv (4, 2)."""
        order = np.array([[0, 1, 2], [0, 2, 3]])
        self.add(quad[order], uv[order], layer, color, lift=lift)


def _add_shell(builder: _Builder, house: House, index: int, room: Room) -> None:
    for wall in house.walls():
        if wall.room == index:
            _add_wall(builder, wall)
            if _may_have_window(house, wall):
                _add_window(builder, wall)
    triangles = _triangulate(room.polygon)
    floor = np.zeros((len(triangles), 3, 3))
    floor[..., :2] = triangles
    builder.add(floor, triangles, builder.material(room.floor_material))
    ceiling = floor[:, ::-1] + np.array([0.0, 0.0, house.wall_height_m])
    builder.add(ceiling, triangles[:, ::-1], builder.material(room.ceiling_material))


def _triangulate(polygon: np.ndarray) -> np.ndarray:
    """Triangles of a simple polygon, (t, 3, 2), counter-clockwise."""
    parts = shapely.constrained_delaunay_triangles(shapely.Polygon(polygon)).geoms
    return np.array([shapely.orient_polygons(part).exterior.coords[:3] for part in parts])


def _add_wall(builder: _Builder, wall: WallSegment) -> None:
    """Both faces stand on the wall's line; each is seen from its own room only."""
    length_m = float(np.hypot(*(wall.end - wall.start)))
    a, b = wall.start, wall.end
    low = wall.bottom_m - (_SKIRT_M if wall.bottom_m == 0 else 0.0)
    high = wall.top_m + _SKIRT_M
    # Seen from the room, on the left of start -> end, this is counter-clockwise.
    quad = np.array([[*a, low], [*a, high], [*b, high], [*b, low]])
    uv = np.array([[0.0, low], [0.0, high], [length_m, high], [length_m, low]])
    builder.add_quad(quad, uv, builder.material(wall.material))


def _may_have_window(house: House, wall: WallSegment) -> bool:
    """Whether a wall is long and high enough and all of its window looks outside."""
    along = wall.end - wall.start
    length_m = float(np.hypot(*along))
    top_m = _WINDOW_SILL_M + _WINDOW_M[1] + _FRAME_M
    if length_m < _WINDOW_WALL_M or wall.bottom_m > 0 or wall.top_m < top_m:
        return False
    reach = (_WINDOW_M[0] / 2 + _FRAME_M) / length_m
    shares = np.linspace(0.5 - reach, 0.5 + reach, 5)[:, None]
    outside = wall.start + shares * along - 0.05 * wall.normal
    return bool((house.rooms_at(outside) < 0).all())


def _add_window(builder: _Builder, wall: WallSegment) -> None:
    """A white frame and the sky in two panes, painted on the wall: depth stays as it is."""
    along = (wall.end - wall.start) / np.hypot(*(wall.end - wall.start))
    center = (wall.start + wall.end) / 2
    width, height = _WINDOW_M
    pane = (width - _FRAME_M) / 2
    shapes = [(0.0, width + 2 * _FRAME_M, _FRAME_M, 1, (0.95, 0.95, 0.93))]
    shapes += [(side * (pane + _FRAME_M) / 2, pane, 0.0, 2, (0.62, 0.80, 0.98))
               for side in (-1, 1)]
    for shift, wide, border, lift, color in shapes:
        left, right = (center + (shift + half * wide) * along for half in (-0.5, 0.5))
        low, high = _WINDOW_SILL_M - border, _WINDOW_SILL_M + height + border
        quad = np.array([[*left, low], [*left, high], [*right, high], [*right, low]])
        builder.add_quad(quad, quad[:, :2], 0, np.array(color), lift=lift)


def _add_door_frame(builder: _Builder, door: Door) -> None:
    """Two posts and a beam around the opening, none of it inside."""
    along = (door.end - door.start) / door.width_m
    axes = np.array([along, [-along[1], along[0]]])
    depth = 2 * _FRAME_OUT_M
    layer = builder.material('door_wood')
    for end, side in ((door.start, -1.0), (door.end, 1.0)):
        middle = end + side * _FRAME_M / 2 * along
        _add_box(builder, middle, axes, (_FRAME_M, depth, door.height_m + _FRAME_M), 0.0, layer)
    _add_box(builder, door.center, axes, (door.width_m, depth, _FRAME_M), door.height_m, layer)
    _add_box(builder, door.center, axes, (door.width_m, depth, _SKIRT_M), -2 * _SKIRT_M, layer)


def _add_furniture(builder: _Builder, piece: Furniture) -> None:
    mesh = load_model(furniture_models()[piece.model]) if piece.model else None
    if mesh is None or builder.count + 3 * len(mesh.corners) > 3 * MAX_TRIANGLES:
        _add_box(builder, piece.center, piece.axes, piece.size_m, piece.elevation_m,
                 builder.material(piece.material))
    else:
        _add_model(builder, piece, mesh)


def _add_model(builder: _Builder, piece: Furniture, mesh: ModelMesh) -> None:
    size = np.array(piece.size_m, np.float32)
    model_size = np.array(furniture_models()[piece.model].size_m, np.float32)
    local = mesh.corners * (size / model_size)
    corners = np.empty_like(local)
    corners[..., :2] = local[..., :2] @ piece.axes + piece.center
    corners[..., 2] = local[..., 2] + piece.elevation_m
    layers = [builder.layer(f'{piece.model}#{number}', texture)
              for number, texture in enumerate(mesh.textures)]
    builder.add(corners, mesh.uv, np.array([*layers, 0])[mesh.texture], mesh.color)


def _add_box(builder: _Builder, center: np.ndarray, axes: np.ndarray,
             size_m: tuple[float, float, float], bottom_m: float, layer: int) -> None:
    half = np.array(size_m[:2]) / 2
    ring = center + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half) @ axes
    low, high = bottom_m, bottom_m + size_m[2]
    for index in range(4):
        a, b = ring[index], ring[(index + 1) % 4]
        wide = size_m[index % 2]
        builder.add_quad(np.array([[*a, low], [*b, low], [*b, high], [*a, high]]),
                         np.array([[0, low], [wide, low], [wide, high], [0, high]]), layer)
    for height, order in ((high, (0, 1, 2, 3)), (low, (3, 2, 1, 0))):
        cap = np.array([[*ring[corner], height] for corner in order])
        builder.add_quad(cap, cap[:, :2], layer)


def _lamps(house: House) -> np.ndarray:
    lamps = np.empty((len(house.rooms), 3), np.float32)
    for index, room in enumerate(house.rooms):
        point = shapely.Polygon(room.polygon).representative_point()
        lamps[index] = (point.x, point.y, house.wall_height_m - 0.3)
    return lamps


