# SPDX-License-Identifier: Apache-2.0
"""Scenes of SoundSpaces to learn in: the episodes of a split, drawn one by one."""

from __future__ import annotations

import copy

import numpy as np
from tqdm import tqdm

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.grid_world import Placement
from sim_bridge.soundspaces.episode_files import EVERLASTING
from sim_bridge.soundspaces.episode_files import read_episodes
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.recordings import read_recording
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene import place_episode
from sim_bridge.soundspaces.scene import Scene
from sim_bridge.soundspaces.world import SoundSpacesWorld

KEPT_BYTES = 2**30  # of responses, of all scenes together


class TrainingScenes:
    """The scenes, and where the episodes begin and end in them, as five numbers each."""

    def __init__(self, layout: Layout, split: str, contract: PolicyContract) -> None:
        """Read all episodes of the split, and open its scenes.

        Raises:
            DatasetError: a file is missing or wrong, or does not fit the contract, or an episode
                has something that AudioGoal training does not know.
        """
        self._contract = contract
        self._sounds: dict[str, np.ndarray] = {}
        names = layout.scenes_with_episodes(split)
        self.scenes: list[Scene] = []
        places = []
        for house, name in enumerate(tqdm(names, 'scenes', leave=False)):
            rows, source_nodes, graph = self._read(layout, split, name)
            self.scenes.append(Scene(layout, name, contract, source_nodes, graph=graph,
                                     kept_bytes=KEPT_BYTES // len(names)))
            places.append(np.column_stack([np.full(len(rows), house), rows]))
        self._places = np.concatenate(places).astype(np.int32)
        self._clips = list(self._sounds.values())

    def _read(self, layout: Layout, split: str, name: str) -> tuple:
        """Episodes as (source, node, heading, sound), (m, 4), with source nodes and graph."""
        graph, rows = open_graph(layout, name), []
        for stored in read_episodes(layout, split, name):
            if stored.distractor or stored.duration != EVERLASTING:
                raise DatasetError(f'{split}: training knows sounds that go on, without a second '
                                   f'one; episode {stored.identifier!r:.40} is another')
            episode = place_episode(stored, graph, seed=0, folder=layout.graph(name))
            rows.append((episode.goal_node, episode.start_node, episode.start_heading,
                         self._sound(layout, stored.sound)))
        if not rows:
            raise DatasetError(f'{layout.content(split)}: {name} holds no episodes')
        table = np.array(rows)
        source_nodes, table[:, 0] = np.unique(table[:, 0], return_inverse=True)
        return table, source_nodes, graph

    def _sound(self, layout: Layout, sound: tuple[str, str]) -> int:
        name = '/'.join(sound)
        if name not in self._sounds:
            self._sounds[name] = read_recording(
                layout.sound(*sound), sample_rate_hz=self._contract.sample_rate_hz)
        return list(self._sounds).index(name)

    def world(self, *, count: int, device: str) -> SoundSpacesWorld:
        """Agents in the scenes."""
        return SoundSpacesWorld(self.scenes, self._contract, count=count, device=device)

    def episodes(self, rng: np.random.Generator) -> SceneDraw:
        """Draw from the episodes, each as likely as any other."""
        return SceneDraw(self._places, self._clips, rng)


class SceneDraw:
    """Draws what an agent is placed into, as ``EpisodeDraw`` does in baked houses.

    places : (m, 5) int32, scene, source, node, heading and sound. clips : the sounds.
    """

    def __init__(self, places: np.ndarray, clips: list[np.ndarray],
                 rng: np.random.Generator) -> None:
        self._places, self._clips, self._rng = places, clips, rng

    def drawing_from(self, rng: np.random.Generator) -> SceneDraw:
        """Return the same draw from another generator."""
        other = copy.copy(self)
        other._rng = rng
        return other

    def draw(self, *, progress: float = 1.0) -> Placement:
        """Draw one episode; nothing gets harder with ``progress``."""
        house, source, node, heading, sound = self._places[
            self._rng.integers(len(self._places))].tolist()
        return Placement(house=house, source=source, node=node, heading=heading,
                         dry=self._clips[sound], rng=self._rng)
