# SPDX-License-Identifier: Apache-2.0
"""Episodes of SoundSpaces, scene by scene, each scene in whatever process is free."""

from __future__ import annotations

import dataclasses
import itertools
import time
from typing import Mapping
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.benchmark.parallel import HouseRuns
from asgf_nav_ros.benchmark.parallel import System
from asgf_nav_ros.benchmark.runner import EpisodeRunner
from asgf_nav_ros.benchmark.runner import MAX_ACTIONS
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.systems.navigator import Navigator
from asgf_nav_ros.systems.random_walk import RandomWalk
from sim_bridge.episodes import Episode
from sim_bridge.grid_world import Placement
from sim_bridge.job_pool import JobPool
from sim_bridge.job_pool import run_jobs
from sim_bridge.soundspaces.episode_files import StoredEpisode
from sim_bridge.soundspaces.found_contract import found_contract
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.recordings import read_recording
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene import place_episode
from sim_bridge.soundspaces.scene import Scene
from sim_bridge.soundspaces.scene_graph import SceneGraph
from sim_bridge.soundspaces.world import Hearing
from sim_bridge.soundspaces.world import SceneLike
from sim_bridge.soundspaces.world import SoundSpacesWorld

# SoundSpaces counts a success below this distance, houses-v1 up to it.
SUCCESS_BELOW_M = 1.0
LARGEST_SUCCESS_M = float(np.nextafter(SUCCESS_BELOW_M, 0.0))


class SoundSpacesRunner(EpisodeRunner):
    """Runs episodes on ``SoundSpacesWorld``; ``hearing`` says what sounds, by episode_id."""

    def __init__(self, houses: Sequence[SceneLike], navigator: Navigator, *,
                 hearing: Mapping[str, Hearing], batch: int = 32,
                 max_actions: int = MAX_ACTIONS) -> None:
        self._hearing = hearing
        super().__init__(houses, navigator, sounds={}, batch=batch, max_actions=max_actions)

    def _world(self, houses: Sequence[SceneLike], count: int) -> SoundSpacesWorld:
        return SoundSpacesWorld(houses, self._navigator.contract, count=count)

    def _dry(self, episode: Episode) -> np.ndarray:
        return self._hearing[episode.episode_id].sound

    def _place(self, slot: int, episode: Episode, placement: Placement,
               rng: np.random.Generator) -> None:
        self.world.begin(slot, placement, self._hearing[episode.episode_id])

    def _way_m(self, slot: int, before: int) -> float:
        return self.world.houses[self.world.house[slot]].way_m(
            int(before), int(self.world.node[slot]))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneJob:
    """Episodes of one scene; ``seeds`` are of each of them."""

    system: System
    layout: Layout
    scene: str
    episodes: tuple[StoredEpisode, ...]
    seeds: tuple[int, ...]
    batch: int = 32


def evaluate_episodes(episodes: Sequence[StoredEpisode], *, system: System, layout: Layout,
                      seed: int, batch: int, pool: JobPool) -> tuple[list[Run], float]:
    """Run every episode, in order; neither ``batch`` nor ``pool`` changes a run.

    Returns:
        The runs, and the steps that one process makes in a second.

    Raises:
        DatasetError: a file is missing or wrong, or does not fit the system's contract.
    """
    seeds = np.random.default_rng(seed).integers(2**31, size=len(episodes)).tolist()
    by_scene = itertools.groupby(zip(episodes, seeds, strict=True), lambda each: each[0].scene)
    jobs = []
    for scene, found in by_scene:
        stored, drawn = zip(*found)
        jobs.append(SceneJob(system=system, layout=layout, scene=scene, episodes=stored,
                             seeds=drawn, batch=batch))
    done = run_jobs(evaluate_scene, jobs, pool=pool, description='episodes',
                    sizes=[len(job.episodes) for job in jobs])
    return ([run for each in done for run in each.runs],
            sum(each.steps for each in done) / sum(each.seconds for each in done))


def evaluate_scene(job: SceneJob) -> HouseRuns:
    """Run the episodes of one scene in this process, on one thread."""
    torch.set_num_threads(1)
    graph = open_graph(job.layout, job.scene)
    system = _navigator(job, graph)
    episodes = [place_episode(stored, graph, seed=seed, folder=job.layout.graph(job.scene))
                for stored, seed in zip(job.episodes, job.seeds)]
    sources = _sources(job.episodes, episodes, graph)
    scene = Scene(job.layout, job.scene, system.contract, sources, graph=graph)
    rate_hz = system.contract.sample_rate_hz
    hearing = {episode.episode_id: _hearing(stored, job.layout, rate_hz, sources, graph)
               for stored, episode in zip(job.episodes, episodes)}
    runner = SoundSpacesRunner([scene], system, hearing=hearing,
                               batch=min(job.batch, len(episodes)))
    began_s = time.perf_counter()
    runs = runner.run(episodes)
    return HouseRuns(runs, runner.steps, time.perf_counter() - began_s)


def _navigator(job: SceneJob, graph: SceneGraph) -> Navigator:
    system = job.system.build()
    if isinstance(system, RandomWalk):  # it suits any files
        contract = found_contract(job.layout, job.scene, int(graph.ids[0]))
        return RandomWalk(contract=dataclasses.replace(contract, system='random'))
    return system


def _sources(stored: Sequence[StoredEpisode], episodes: Sequence[Episode],
             graph: SceneGraph) -> list[int]:
    """Nodes that sound in the episodes."""
    distracting = {graph.node_called(each.distractor_node) for each in stored if each.distractor}
    return sorted({episode.goal_node for episode in episodes} | distracting)


def _hearing(stored: StoredEpisode, layout: Layout, rate_hz: int, sources: list[int],
             graph: SceneGraph) -> Hearing:
    sound = read_recording(layout.sound(*stored.sound), sample_rate_hz=rate_hz)
    if stored.distractor is None:
        return Hearing(sound, stored.duration)
    return Hearing(
        sound, stored.duration,
        distractor=read_recording(layout.sound(*stored.distractor), sample_rate_hz=rate_hz),
        distractor_source=sources.index(graph.node_called(stored.distractor_node)))
