# SPDX-License-Identifier: Apache-2.0
"""Say everything that a dataset lacks at once, and where to get it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Iterator
from typing import Mapping
from typing import Sequence

import numpy as np
from tqdm import tqdm

from sim_bridge.soundspaces.episode_files import read_episodes
from sim_bridge.soundspaces.episode_files import StoredEpisode
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import HEADINGS
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.layout import read_points
from sim_bridge.soundspaces.observations import SceneObservations
from sim_bridge.soundspaces.recordings import read_recording
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene import place_episode
from sim_bridge.soundspaces.scene_graph import SceneGraph

_HOST = 'http://dl.fbaipublicfiles.com/SoundSpaces'
METADATA = f'wget {_HOST}/metadata.tar.xz && tar xf metadata.tar.xz'
EPISODES = f'wget {_HOST}/datasets.tar.xz && tar xf datasets.tar.xz'
SOUNDS = f'wget {_HOST}/sounds.tar.xz && tar xf sounds.tar.xz'
RESPONSES = f'wget {_HOST}/binaural_rirs.tar && tar xf binaural_rirs.tar'
SCENE_RESPONSES = f'wget {_HOST}/binaural_rirs/{{name}}/{{scene}}.tar.gz and unpack it there'
OBSERVATIONS = ("python scripts/cache_observations.py of SoundSpaces, with the scenes' meshes and "
                'habitat-sim 0.1.7')
_SAME_M = 0.01


@dataclasses.dataclass(frozen=True)
class Flaw:
    """Something that is missing or wrong, and what to do about it."""

    what: str
    remedy: str


def find_flaws(layout: Layout, splits: Sequence[str] = ()) -> Iterator[Flaw]:
    """Yield what keeps the episodes of ``splits``, of all by default, from being run.

    Millions of episodes are read one by one: places and sounds are kept of them, nothing else.
    """
    if not layout.root.is_dir():
        yield Flaw(f'{layout.root}: is no folder', 'make it, and run the commands in it')
        return
    splits_of: dict[str, list[str]] = {} if splits else {each: [] for each in layout.scenes()}
    yield from _read_splits(layout, splits, splits_of)
    if not splits_of:
        yield Flaw(f'{layout.metadata}: holds no scenes', METADATA)
        yield from _missing({layout.root / 'binaural_rirs' / layout.name: RESPONSES,
                             layout.root / 'scene_observations' / layout.name: OBSERVATIONS})
    heard: set[tuple[str, str]] = set()
    for scene in tqdm(sorted(splits_of), 'scenes', leave=False, disable=None):
        yield from _scene_flaws(layout, scene, splits_of[scene], heard)
    yield from _sound_flaws(layout, heard)


def _read_splits(layout: Layout, splits: Sequence[str],
                 splits_of: dict[str, list[str]]) -> Iterator[Flaw]:
    """Add the names of the splits that each scene has episodes in."""
    found = splits or (sorted(path.name for path in layout.splits.iterdir() if path.is_dir())
                       if layout.splits.is_dir() else [])
    if not found:
        yield Flaw(f'{layout.splits}: holds no splits', EPISODES)
    for split in found:
        try:
            for scene in layout.scenes_with_episodes(split):
                splits_of.setdefault(scene, []).append(split)
        except DatasetError as error:
            yield Flaw(str(error), EPISODES)


def _scene_flaws(layout: Layout, scene: str, splits: Sequence[str],
                 heard: set[tuple[str, str]]) -> Iterator[Flaw]:
    graph, sources = None, set()
    try:
        graph = open_graph(layout, scene)
    except DatasetError as error:
        yield Flaw(str(error), METADATA)
        yield from _missing({layout.points(scene): METADATA,
                             layout.observations(scene): OBSERVATIONS,
                             layout.responses(scene): RESPONSES})
    else:
        yield from _point_flaws(layout, scene, graph)
        yield from _observation_flaws(layout, scene, graph)
    for split in splits:
        yield from _episode_flaws(layout, split, scene, graph, sources, heard)
    if graph is not None:
        yield from _response_flaws(layout, scene, graph, sources)


def _episode_flaws(layout: Layout, split: str, scene: str, graph: SceneGraph | None,
                   sources: set[int], heard: set[tuple[str, str]]) -> Iterator[Flaw]:
    """Add the nodes that sound and what is heard; of misplaced episodes the first is named."""
    first, misplaced = '', 0
    try:
        for episode in read_episodes(layout, split, scene):
            heard.update(filter(None, (episode.sound, episode.distractor)))
            try:
                if graph is not None:
                    sources.update(_sources(episode, graph, layout))
            except DatasetError as error:
                first = first or f'{split}, {scene}, episode {episode.identifier}: {error}'
                misplaced += 1
    except DatasetError as error:
        yield Flaw(str(error), EPISODES)
    if misplaced:
        more = f'; {misplaced - 1} more are misplaced' if misplaced > 1 else ''
        yield Flaw(f'{first}{more}', EPISODES)


def _sources(episode: StoredEpisode, graph: SceneGraph, layout: Layout) -> Iterator[int]:
    yield place_episode(episode, graph, seed=0, folder=layout.graph(episode.scene)).goal_node
    if episode.distractor_node is not None:
        yield graph.node_called(episode.distractor_node)


def _point_flaws(layout: Layout, scene: str, graph: SceneGraph) -> Iterator[Flaw]:
    path = layout.points(scene)
    try:
        _check_points(graph, read_points(path, layout.facts), path)
    except DatasetError as error:
        yield Flaw(str(error), METADATA)


def _check_points(graph: SceneGraph, points: np.ndarray, path: Path) -> None:
    wrong = [node for node, point in zip(graph.ids.tolist(), graph.points)
             if node >= len(points) or abs(points[node] - point).max() > _SAME_M]
    if wrong:
        raise DatasetError(f'{path}: is not of this graph, which has other places for '
                           f'{len(wrong)} nodes, {wrong[0]} for instance')


def _observation_flaws(layout: Layout, scene: str, graph: SceneGraph) -> Iterator[Flaw]:
    try:
        seen = SceneObservations(layout.observations(scene)).nodes()
    except DatasetError as error:
        yield Flaw(str(error), OBSERVATIONS)
        return
    unseen = sorted(set(graph.ids.tolist()) - seen)
    if unseen:
        yield Flaw(f'{layout.observations(scene)}: lacks views of {len(unseen)} of {len(graph)} '
                   f'nodes, {unseen[0]} for instance', OBSERVATIONS)


def _response_flaws(layout: Layout, scene: str, graph: SceneGraph,
                    sources: set[int]) -> Iterator[Flaw]:
    folder = layout.responses(scene)
    if not folder.is_dir():
        yield Flaw(f'{folder}: is missing', RESPONSES)
        return
    remedy = SCENE_RESPONSES.format(name=layout.name, scene=scene)
    ids = graph.ids.tolist()
    for heading in range(HEADINGS):
        place = layout.response(scene, heading, 0, 0).parent
        there = {path.name for path in place.iterdir()} if place.is_dir() else set()
        wanted = {f'{receiver}_{ids[source]}.wav' for source in sources for receiver in ids}
        if lacking := sorted(wanted - there):
            yield Flaw(f'{place}: lacks {len(lacking)} of {len(wanted)} responses, {lacking[0]} '
                       'for instance', remedy)


def _sound_flaws(layout: Layout, heard: set[tuple[str, str]]) -> Iterator[Flaw]:
    if not heard:
        yield from _missing({layout.root / 'sounds': SOUNDS})
    for folder, name in sorted(heard):
        try:
            read_recording(layout.sound(folder, name),
                           sample_rate_hz=layout.facts.contract.sample_rate_hz)
        except DatasetError as error:
            yield Flaw(str(error), SOUNDS)


def _missing(remedies: Mapping[Path, str]) -> Iterator[Flaw]:
    """Those files and folders that are not there, where nothing tells what is in them."""
    for path, remedy in remedies.items():
        if not path.exists():
            yield Flaw(f'{path}: is missing', remedy)
