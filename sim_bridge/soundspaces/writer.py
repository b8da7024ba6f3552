# SPDX-License-Identifier: Apache-2.0
"""Write baked houses as a dataset of SoundSpaces 1.0, for its code to read as it is.

Lattices are turned until heading 0 looks along -z, as SoundSpaces wants them: headings keep
their numbers, and views and responses stay what they are.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
import pickle
from typing import Any
from typing import Mapping
from typing import Sequence

import networkx
import numpy as np
from scipy.io import wavfile

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakedHouse
from sim_bridge.cache import write_atomically
from sim_bridge.episodes import Episode
from sim_bridge.house.plan import exact_cos_sin
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import HEADINGS
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.layout import read_points
from sim_bridge.soundspaces.layout import ROTATIONS_DEG
from sim_bridge.soundspaces.layout import safe

GOAL_RADIUS_M = 0.00001  # as in SoundSpaces' own episodes


def scene_name(house: str) -> str:
    """Name of the scene of a house: 'small/test/7' is 'small_test_7', a plan its file's name."""
    plain = Path(house).stem if house.endswith('.json') else house.replace('/', '_')
    return safe(plain)


def check_contract(contract: PolicyContract, layout: Layout) -> None:
    """Refuse a contract that SoundSpaces cannot be told of.

    Raises:
        DatasetError: it steps or turns otherwise, or its images are not square.
    """
    if abs(contract.forward_step_m - layout.facts.step_m) > 1e-6:
        raise DatasetError(f'{layout.name} has steps of {layout.facts.step_m} m, '
                           f'got forward_step_m={contract.forward_step_m}')
    if abs(HEADINGS * contract.turn_rad - 2 * np.pi) > 1e-6:
        raise DatasetError(f'SoundSpaces 1.0 turns by pi/2, got turn_rad={contract.turn_rad}')
    if contract.image_height != contract.image_width:
        raise DatasetError('SoundSpaces 1.0 has square images, got '
                           f'{contract.image_height} x {contract.image_width}')


def write_scene(house: BakedHouse, layout: Layout, *, sample_rate_hz: int) -> None:
    """Write points, graph, views and responses of one house; whole files or none."""
    scene = scene_name(house.name)
    _write_points(house, layout, scene)
    _write(layout.graph(scene), _graph_bytes(house, _points(layout, scene)))
    views = {(node, ROTATIONS_DEG[heading]): _view(house, node, heading)
             for node in range(len(house.nodes)) for heading in range(HEADINGS)}
    write_atomically(layout.observations(scene),
                     lambda stream: pickle.dump(views, stream, protocol=4))
    for heading in range(HEADINGS):
        for index, source in enumerate(house.source_nodes):
            for receiver in range(len(house.nodes)):
                _write_wav(layout.response(scene, heading, receiver, int(source)),
                           house.response(index, receiver, heading).T, sample_rate_hz)
    mesh = layout.facts.mesh.format(scene=scene)
    (layout.root / 'scene_datasets' / layout.name / scene / mesh).parent.mkdir(
        parents=True, exist_ok=True)


def write_sound(layout: Layout, name: str, clip: np.ndarray, *, sample_rate_hz: int) -> None:
    """Write one sound, (n,) float32, under its name."""
    _write_wav(layout.sound('1s_all', f'{sound_name(name)}.wav'), clip, sample_rate_hz)


def sound_name(name: str) -> str:
    """What SoundSpaces calls a sound: it has no folders."""
    return safe(name.replace('/', '_').replace(' ', '_'))


def write_episodes(layout: Layout, split: str, episodes: Sequence[Episode],
                   houses: Mapping[str, BakedHouse]) -> None:
    """Write the episodes of a split, a file for each house, beside an empty one of the split."""
    _write_json(layout.split(split), {'episodes': []})
    for name in houses:
        scene = scene_name(name)
        points = _points(layout, scene)
        found = [_episode(each, layout, scene, points) for each in episodes if each.house == name]
        _write_json(layout.content(split) / f'{scene}.json.gz', {'episodes': found})


def _episode(episode: Episode, layout: Layout, scene: str, points: np.ndarray) -> dict[str, Any]:
    half_rad = episode.start_heading * np.pi / 4
    cos, sin = exact_cos_sin(half_rad)
    goal = points[episode.goal_node].tolist()
    return {
        'episode_id': episode.episode_id,
        'scene_id': f'{scene}/{layout.facts.mesh.format(scene=scene)}',
        'start_position': points[episode.start_node].tolist(),
        'start_rotation': [0.0, float(sin), 0.0, float(cos)],
        'goals': [{'position': goal, 'radius': GOAL_RADIUS_M}],
        'info': {'geodesic_distance': episode.geodesic_m, 'num_action': episode.oracle_actions,
                 'sound': sound_name(episode.sound)}}


def _write_points(house: BakedHouse, layout: Layout, scene: str) -> None:
    """Mesh coordinates, z up: the floor lies where SoundSpaces' offset brings it to 0."""
    cos, sin = exact_cos_sin(np.pi / 2 - house.rotation_rad)
    east, north = (house.nodes @ np.array([[cos, sin], [-sin, cos]])).T
    lines = (f'{index}\t{x_m!r}\t{y_m!r}\t{layout.facts.height_m!r}\n'
             for index, (x_m, y_m) in enumerate(zip(east.tolist(), north.tolist())))
    _write(layout.points(scene), ''.join(lines).encode())


def _points(layout: Layout, scene: str) -> np.ndarray:
    return read_points(layout.points(scene), layout.facts)


def _graph_bytes(house: BakedHouse, points: np.ndarray) -> bytes:
    graph = networkx.Graph()
    for node, point in enumerate(points):
        graph.add_node(node, point=tuple(point))
    node, heading = np.nonzero(house.neighbors >= 0)
    graph.add_edges_from(zip(node.tolist(), house.neighbors[node, heading].tolist()))
    return pickle.dumps(graph, protocol=4)


def _view(house: BakedHouse, node: int, heading: int) -> dict[str, np.ndarray]:
    """As habitat-sim returns it: its sensors scale depth when the file is read."""
    color, depth_m = house.view(node, heading)
    return {'rgb': np.asarray(color), 'depth': depth_m}


def _write_json(path: Path, document: dict[str, Any]) -> None:
    _write(path, gzip.compress(json.dumps(document).encode(), mtime=0))


def _write_wav(path: Path, samples: np.ndarray, sample_rate_hz: int) -> None:
    buffer = io.BytesIO()
    wavfile.write(buffer, sample_rate_hz, np.ascontiguousarray(samples, np.float32))
    _write(path, buffer.getvalue())


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda stream: stream.write(content))
