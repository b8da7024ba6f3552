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
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.house.plan import House
from sim_bridge.rendering import Renderer

FORMAT_VERSION = 2
HEADINGS = 4
DEPTH_UNIT_M = 0.001
# float16 loses the quiet tail of a response below 6e-5; scaled up it keeps 70 dB more.
RESPONSE_SCALE = 64.0
_LARGE = ('rgb', 'depth_mm', 'responses')


@dataclasses.dataclass(frozen=True, kw_only=True)
class BakeSettings:
    """How finely a house is sampled.

    ``sources`` places are drawn per house, ``rays`` are traced from each, and responses are cut
    at ``response_s``. ``seed`` draws rays and late fields anew; lattice and sources stay.
    """

    sources: int = 5
    rays: int = 5000
    response_s: float = 0.4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ('sources', 'rays', 'response_s'):
            if getattr(self, name) <= 0:
                raise ValueError(f'{name} must be positive, got {getattr(self, name)}')


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
    rotation_rad: float

    @classmethod
    def open(cls, path: Path, *, name: str) -> BakedHouse:
        """Map the large arrays of ``path`` into memory, read the small ones."""
        arrays = {file.stem: np.load(file, mmap_mode='r' if file.stem in _LARGE else None,
                                     allow_pickle=False)
                  for file in sorted(path.glob('*.npy'))}
        meta = json.loads((path / 'meta.json').read_text())
        return cls(name=name, path=path, rotation_rad=meta['rotation_rad'], **arrays)

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
    document = [FORMAT_VERSION, plan, geometry, dataclasses.asdict(settings)]
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
    place_seed = int(bake_key(house, contract, dataclasses.replace(settings, seed=0)), 16)
    rng = np.random.default_rng(place_seed)
    step_m = contract.forward_step_m
    graph = build_navigation_graph(house, step_m=step_m, offset_m=tuple(rng.uniform(0, step_m, 2)))
    source_nodes = choose_source_nodes(graph, settings.sources, rng)
    arrays = _navigation_arrays(graph, source_nodes)
    _write_views(house, contract, graph, path)
    field_rng = np.random.default_rng([settings.seed, place_seed])
    arrays |= _write_responses(house, contract, settings, graph, source_nodes, field_rng, path)
    for name, array in arrays.items():
        np.save(path / f'{name}.npy', array)
    (path / 'meta.json').write_text(json.dumps(
        {'house': house.name, 'rotation_rad': graph.rotation_rad,
         'settings': dataclasses.asdict(settings)}))


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


def _write_views(house: House, contract: PolicyContract, graph: NavigationGraph,
                 path: Path) -> None:
    size = (len(graph.nodes), HEADINGS, contract.image_height, contract.image_width)
    rgb = np.lib.format.open_memmap(path / 'rgb.npy', 'w+', np.uint8, size + (3,))
    depth = np.lib.format.open_memmap(path / 'depth_mm.npy', 'w+', np.uint16, size)
    with Renderer(house, contract) as renderer:
        for index, node in enumerate(graph.nodes):
            for heading in range(HEADINGS):
                color, depth_m = renderer.render(node, graph.yaw_rad(heading))
                rgb[index, heading] = color
                depth[index, heading] = np.rint(depth_m / DEPTH_UNIT_M)


def _write_responses(house: House, contract: PolicyContract, settings: BakeSettings,
                     graph: NavigationGraph, source_nodes: np.ndarray, rng: np.random.Generator,
                     path: Path) -> dict[str, np.ndarray]:
    scene = AcousticScene(house)
    hrtf = Hrtf.load(sample_rate_hz=contract.sample_rate_hz)
    length = round(settings.response_s * contract.sample_rate_hz)
    shape = (len(source_nodes), len(graph.nodes), HEADINGS, 2, length)
    yaws_rad = np.array([graph.yaw_rad(heading) for heading in range(HEADINGS)])
    responses = np.lib.format.open_memmap(path / 'responses.npy', 'w+', np.float16, shape)
    path_length_m = np.empty(shape[:2], np.float32)
    azimuth_rad = np.empty(shape[:2], np.float32)
    for index, node in enumerate(source_nodes):
        source = np.append(graph.nodes[node], contract.camera_height_m)
        field = scene.sound_field(source, graph.nodes, height_m=contract.camera_height_m,
                                  duration_s=settings.response_s, rays=settings.rays, rng=rng)
        path_length_m[index] = field.path_length_m
        azimuth_rad[index] = field.first_azimuth_world_rad
        for receiver in range(len(graph.nodes)):
            pair = field.responses(receiver, yaws_rad, hrtf, contract.sample_rate_hz, rng)
            responses[index, receiver] = pair[:, :, :length] * RESPONSE_SCALE
    return {'path_length_m': path_length_m, 'azimuth_world_rad': azimuth_rad}
