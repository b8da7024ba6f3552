# SPDX-License-Identifier: Apache-2.0
"""Bake a house into memory-mapped arrays: every view and every impulse response of a lattice."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
import shutil
import tempfile

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.acoustics.hrtf import Hrtf
from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.acoustics.spherical_head import spherical_head
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.house.plan import House
from sim_bridge.rendering import Renderer

FORMAT_VERSION = 5
_LATTICE_VERSION = 5  # goes into the seed of lattices: the pinned episodes stand on them
HEADINGS = 4
DEPTH_UNIT_M = 0.001
# float16 loses the quiet tail of a response below 6e-5; scaled up it keeps 70 dB more.
RESPONSE_SCALE = 64.0
BODY_RADIUS_M = 0.15
_LATTICE_TRIES = 40
_LARGE = ('rgb', 'depth_mm', 'responses')


@dataclasses.dataclass(frozen=True, kw_only=True)
class BakeSettings:
    """How finely a house is sampled.

    ``sources`` places are drawn per house, ``rays`` are traced from each, and responses are cut
    at ``response_s``. ``seed`` draws rays, late fields and misplacements anew; lattice and
    sources stay. The lattice has a random offset and, with ``rotate``, a random rotation.

    pose_noise_m, pose_noise_rad : standard deviations by which the robot misses every node and
        every heading.
    head_radius_m : of a spherical head; 0 takes the measured KEMAR.
    """

    sources: int = 5
    rays: int = 5000
    response_s: float = 0.4
    seed: int = 0
    rotate: bool = True
    pose_noise_m: float = 0.0
    pose_noise_rad: float = 0.0
    head_radius_m: float = 0.0

    def __post_init__(self) -> None:
        for name in ('sources', 'rays', 'response_s'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')
        for name in ('pose_noise_m', 'pose_noise_rad', 'head_radius_m'):
            if getattr(self, name) < 0:
                raise ValueError(f'{name} must not be negative, got {getattr(self, name)}')


@dataclasses.dataclass(frozen=True)
class BakedHouse:
    """A house on disk, opened for reading.

    rgb : (n, 4, H, W, 3) uint8; depth_mm : (n, 4, H, W) uint16.
    responses : (s, n, 4, 2, L) float16, times ``RESPONSE_SCALE``.
    nodes : (n, 2) float64, metres; neighbors : (n, 4) int32, -1 where there is no edge.
    distances_m : (n, n) float32 geodesic; source_nodes : (s,) int32.
    optimal : (s, n, 4, 4) bool, the optimal actions towards each source.
    actions_to : (s, n, 4) int16, least primitive actions without STOP.
    path_length_m, azimuth_world_rad : (s, n) float32, of the first arriving sound.
    yaw_error_rad : (n, 4) float32, by which each heading is missed.
    """

    name: str
    path: Path
    rgb: np.ndarray
    depth_mm: np.ndarray
    responses: np.ndarray
    nodes: np.ndarray
    neighbors: np.ndarray
    distances_m: np.ndarray
    source_nodes: np.ndarray
    optimal: np.ndarray
    actions_to: np.ndarray
    path_length_m: np.ndarray
    azimuth_world_rad: np.ndarray
    yaw_error_rad: np.ndarray
    rotation_rad: float

    @classmethod
    def open(cls, path: Path, *, name: str) -> BakedHouse:
        """Map the large arrays of ``path`` into memory, read the small ones."""
        arrays = {file.stem: np.load(file, mmap_mode='r' if file.stem in _LARGE else None,
                                     allow_pickle=False)
                  for file in sorted(path.glob('*.npy'))}
        meta = json.loads((path / 'meta.json').read_text())
        return cls(name=name, path=path, rotation_rad=meta['rotation_rad'], **arrays)

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colour (H, W, 3) uint8 and depth (H, W) float32, metres."""
        depth_mm = self.depth_mm[node, heading]
        return self.rgb[node, heading], depth_mm.astype(np.float32) * np.float32(DEPTH_UNIT_M)

    def response(self, source: int, node: int, heading: int) -> np.ndarray:
        """Impulse response (2, L) float32."""
        return self.responses[source, node, heading].astype(np.float32) / RESPONSE_SCALE

    def way_m(self, start: int, end: int) -> float:
        """Straight way between two nodes."""
        return float(np.linalg.norm(self.nodes[end] - self.nodes[start]))

    @property
    def graph(self) -> NavigationGraph:
        """The lattice that was baked."""
        return NavigationGraph(nodes=self.nodes, neighbors=self.neighbors,
                               rotation_rad=self.rotation_rad, step_m=self._step_m)

    @property
    def _step_m(self) -> float:
        node, heading = np.argwhere(self.neighbors >= 0)[0]
        return float(np.linalg.norm(self.nodes[self.neighbors[node, heading]] - self.nodes[node]))


def bake_key(house: House, contract: PolicyContract, settings: BakeSettings) -> str:
    """Name a bake by everything that shapes it, so that a stale cache is never opened."""
    geometry = {name: getattr(contract, name) for name in (
        'sample_rate_hz', 'image_height', 'image_width', 'hfov_rad', 'depth_min_m',
        'depth_max_m', 'camera_height_m', 'forward_step_m', 'turn_rad')}
    plan = dataclasses.asdict(dataclasses.replace(house, name=''))
    return _digest([FORMAT_VERSION, plan, geometry, dataclasses.asdict(settings)])


def _digest(document: list) -> str:
    text = json.dumps(document, sort_keys=True, default=np.ndarray.tolist)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def bake_house(house: House, contract: PolicyContract, *, settings: BakeSettings,
               directory: Path) -> BakedHouse:
    """Open the bake of ``house`` under ``directory``, making it first where it is missing.

    Raises:
        ValueError: the contract does not turn by a quarter, or the house has too few nodes.
    """
    if abs(HEADINGS * contract.turn_rad - 2 * np.pi) > 1e-6:
        raise ValueError(f'a lattice needs turns of pi/2, got turn_rad={contract.turn_rad}')
    path = directory / bake_key(house, contract, settings)
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix='.baking-', dir=directory))
        try:
            _write(house, contract, settings, scratch)
            os.replace(scratch, path)
        except OSError:
            if not path.exists():  # another process may have finished the same bake first
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return BakedHouse.open(path, name=house.name)


def _write(house: House, contract: PolicyContract, settings: BakeSettings, path: Path) -> None:
    graph, source_nodes = lay_lattice(house, contract, settings)
    arrays = _navigation_arrays(graph, source_nodes)
    field_rng = np.random.default_rng([settings.seed, _place_seed(house, contract, settings)])
    stands = _miss(house, graph, settings, field_rng)
    _write_views(house, contract, stands, path)
    arrays |= _write_responses(house, contract, settings, graph, source_nodes, stands, field_rng,
                               path)
    for name, array in arrays.items():
        np.save(path / f'{name}.npy', array)
    (path / 'meta.json').write_text(json.dumps(
        {'house': house.name, 'rotation_rad': graph.rotation_rad,
         'settings': dataclasses.asdict(settings)}))


def lay_lattice(house: House, contract: PolicyContract,
                settings: BakeSettings) -> tuple[NavigationGraph, np.ndarray]:
    """Lattice and source nodes, (sources,) int32, of a bake, without baking anything."""
    rng = np.random.default_rng(_place_seed(house, contract, settings))
    graph = _draw_lattice(house, contract.forward_step_m, settings.rotate, rng)
    return graph, choose_source_nodes(graph, settings.sources, rng)


def _place_seed(house: House, contract: PolicyContract, settings: BakeSettings) -> int:
    """Seed of lattice and sources: the same whatever is seen and heard there."""
    plan = dataclasses.asdict(dataclasses.replace(house, name=''))
    document = [_LATTICE_VERSION, plan, contract.forward_step_m, settings.sources, settings.rotate]
    return int(_digest(document), 16)


def _draw_lattice(house: House, step_m: float, rotate: bool,
                  rng: np.random.Generator) -> NavigationGraph:
    """Draw a lattice that leads through every door, or of some the one that leads through most.

    A door that stands open but lies between two lines of the lattice would be a wall that can be
    seen and heard through.
    """
    best, most = None, (-1, -1, -1)
    for _ in range(_LATTICE_TRIES):
        offset_m = tuple(rng.uniform(0, step_m, 2))
        rotation_rad = float(rng.uniform(0, np.pi / 2)) if rotate else 0.0
        try:
            graph = build_navigation_graph(house, step_m=step_m, offset_m=offset_m,
                                           rotation_rad=rotation_rad)
        except ValueError:  # not one free node
            continue
        rooms, doors = len(np.unique(house.rooms_at(graph.nodes))), _doors_passed(house, graph)
        if (rooms, doors, len(graph)) > most:
            best, most = graph, (rooms, doors, len(graph))
        if rooms >= len(house.rooms) and doors == len(house.doors):
            break
    if best is None:
        raise ValueError(f'house {house.name!r} has no room for a lattice of {step_m} m')
    return best


def _doors_passed(house: House, graph: NavigationGraph) -> int:
    """How many doors an edge of the lattice leads through."""
    node, heading = np.nonzero(graph.neighbors >= 0)
    start = graph.nodes[node]
    step = graph.nodes[graph.neighbors[node, heading]] - start
    passed = 0
    for door in house.doors:
        along = (door.end - door.start) / door.width_m
        across = np.array([-along[1], along[0]])
        speed = step @ across
        with np.errstate(divide='ignore', invalid='ignore'):
            share = (door.start - start) @ across / speed
        at_m = (start + share[:, None] * step - door.start) @ along
        passed += bool(((share >= 0) & (share <= 1) & (at_m > 0) & (at_m < door.width_m)).any())
    return passed


@dataclasses.dataclass(frozen=True)
class _Stands:
    """Where a robot really stands: xy (n, 2) metres, yaw_rad and yaw_error_rad (n, 4)."""

    xy: np.ndarray
    yaw_rad: np.ndarray
    yaw_error_rad: np.ndarray


def _miss(house: House, graph: NavigationGraph, settings: BakeSettings,
          rng: np.random.Generator) -> _Stands:
    """Draw by how much each node and heading is missed, never into an obstacle."""
    yaw_rad = graph.yaw_rad(np.arange(HEADINGS))
    error_rad = np.zeros((len(graph), HEADINGS))
    xy = graph.nodes.copy()
    if settings.pose_noise_m > 0:
        missed = xy + rng.normal(0, settings.pose_noise_m, xy.shape)
        free = ObstacleMap(house, BODY_RADIUS_M).free(missed)
        xy[free] = missed[free]
    if settings.pose_noise_rad > 0:
        error_rad = rng.normal(0, settings.pose_noise_rad, error_rad.shape)
    return _Stands(xy, yaw_rad + error_rad, error_rad.astype(np.float32))


def choose_source_nodes(graph: NavigationGraph, count: int,
                        rng: np.random.Generator) -> np.ndarray:
    """Draw ``count`` distinct nodes, each the farthest from the chosen of three candidates.

    Raises:
        ValueError: the graph has fewer than ``count`` + 1 nodes.
    """
    total = len(graph.nodes)
    if total <= count:
        raise ValueError(f'{count} sources need more than {count} nodes, the house has {total}')
    chosen = [int(rng.integers(total))]
    while len(chosen) < count:
        rest = np.setdiff1d(np.arange(total), chosen)
        candidates = rng.choice(rest, size=min(3, len(rest)), replace=False)
        gaps = np.linalg.norm(graph.nodes[candidates][:, None] - graph.nodes[chosen][None], axis=2)
        chosen.append(int(candidates[gaps.min(axis=1).argmax()]))
    return np.array(chosen, np.int32)


def _navigation_arrays(graph: NavigationGraph, source_nodes: np.ndarray) -> dict[str, np.ndarray]:
    return {
        'nodes': graph.nodes, 'neighbors': graph.neighbors, 'distances_m': graph.distances_m(),
        'source_nodes': source_nodes,
        'optimal': np.stack([graph.optimal_actions(int(goal)) for goal in source_nodes]),
        'actions_to': np.stack([graph.actions_to(int(goal)) for goal in source_nodes])}


def _write_views(house: House, contract: PolicyContract, stands: _Stands, path: Path) -> None:
    size = (len(stands.xy), HEADINGS, contract.image_height, contract.image_width)
    rgb = np.lib.format.open_memmap(path / 'rgb.npy', 'w+', np.uint8, size + (3,))
    depth = np.lib.format.open_memmap(path / 'depth_mm.npy', 'w+', np.uint16, size)
    with Renderer(house, contract) as renderer:
        for index, (xy, yaws_rad) in enumerate(zip(stands.xy, stands.yaw_rad)):
            for heading, yaw_rad in enumerate(yaws_rad):
                color, depth_m = renderer.render(xy, yaw_rad)
                rgb[index, heading] = color
                depth[index, heading] = np.rint(depth_m / DEPTH_UNIT_M)


def _write_responses(house: House, contract: PolicyContract, settings: BakeSettings,
                     graph: NavigationGraph, source_nodes: np.ndarray, stands: _Stands,
                     rng: np.random.Generator, path: Path) -> dict[str, np.ndarray]:
    scene = AcousticScene(house)
    hrtf = _ears(settings, contract.sample_rate_hz)
    length = round(settings.response_s * contract.sample_rate_hz)
    shape = (len(source_nodes), len(graph.nodes), HEADINGS, 2, length)
    responses = np.lib.format.open_memmap(path / 'responses.npy', 'w+', np.float16, shape)
    path_length_m = np.empty(shape[:2], np.float32)
    azimuth_rad = np.empty(shape[:2], np.float32)
    for index, node in enumerate(source_nodes):
        source = np.append(graph.nodes[node], contract.camera_height_m)
        field = scene.sound_field(source, stands.xy, height_m=contract.camera_height_m,
                                  duration_s=settings.response_s, rays=settings.rays, rng=rng)
        path_length_m[index] = field.path_length_m
        azimuth_rad[index] = field.first_azimuth_world_rad
        for receiver in range(len(graph.nodes)):
            pair = field.responses(receiver, stands.yaw_rad[receiver], hrtf,
                                   contract.sample_rate_hz, rng)
            responses[index, receiver] = pair[:, :, :length] * RESPONSE_SCALE
    return {'path_length_m': path_length_m, 'azimuth_world_rad': azimuth_rad,
            'yaw_error_rad': stands.yaw_error_rad}


def _ears(settings: BakeSettings, sample_rate_hz: int) -> Hrtf:
    if settings.head_radius_m == 0:
        return Hrtf.load(sample_rate_hz=sample_rate_hz)
    return spherical_head(sample_rate_hz=sample_rate_hz, radius_m=settings.head_radius_m)
