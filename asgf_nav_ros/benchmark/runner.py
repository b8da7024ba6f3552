# SPDX-License-Identifier: Apache-2.0
"""Run a list of episodes with one navigator on the batched grid world."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np
from tqdm import tqdm

from asgf_nav_ros.benchmark.metrics import EpisodeOutcome
from asgf_nav_ros.contract import Action
from asgf_nav_ros.systems.navigator import Navigator
from asgf_nav_ros.systems.navigator import Views
from sim_bridge.bake import BakedHouse
from sim_bridge.episodes import Episode
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

MAX_ACTIONS = 500


@dataclasses.dataclass(frozen=True)
class Run:
    """One finished episode; ``trajectory`` holds (node, heading) before each action."""

    episode: Episode
    outcome: EpisodeOutcome
    trajectory: tuple[tuple[int, int], ...]


class _Progress:
    """What one slot has done since its episode began."""

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.actions = 0
        self.path_length_m = 0.0
        self.trajectory: list[tuple[int, int]] = []


class EpisodeRunner:
    """Fills the slots of a grid world with episodes until all have ended.

    sounds : by name, one window each, (window_samples,) float32.
    """

    def __init__(self, houses: Sequence[BakedHouse], navigator: Navigator, *,
                 sounds: dict[str, np.ndarray], batch: int = 32,
                 max_actions: int = MAX_ACTIONS) -> None:
        self._navigator, self._sounds = navigator, sounds
        self._batch, self._max_actions = batch, max_actions
        self.world = GridWorld(houses, navigator.contract, count=batch)
        self._house_index = {house.name: index for index, house in enumerate(houses)}
        self._running: dict[int, _Progress] = {}
        self.steps = 0

    def run(self, episodes: Sequence[Episode], *, progress: bool = True) -> list[Run]:
        """Run every episode to its end; return them in their order."""
        waiting = list(reversed(episodes))
        runs: dict[str, Run] = {}
        with tqdm(total=len(episodes), desc='episodes', disable=not progress) as bar:
            while waiting or self._running:
                self._fill(waiting)
                ended = self._step()
                runs.update((run.episode.episode_id, run) for run in ended)
                bar.update(len(ended))
        return [runs[episode.episode_id] for episode in episodes]

    def _fill(self, waiting: list[Episode]) -> None:
        for slot in set(range(self._batch)) - set(self._running):
            if waiting:
                self._begin(slot, waiting.pop())

    def _begin(self, slot: int, episode: Episode) -> None:
        house = self._house_index[episode.house]
        sources = np.asarray(self.world.houses[house].source_nodes)
        heard, chosen = np.random.default_rng(episode.seed).spawn(2)
        self.world.place(slot, Placement(
            house=house, source=int(np.flatnonzero(sources == episode.goal_node)[0]),
            node=episode.start_node, heading=episode.start_heading,
            dry=self._sounds[episode.sound], rng=heard))
        self._navigator.begin(np.array([slot]), [chosen])
        self._running[slot] = _Progress(episode)

    def _step(self) -> list[Run]:
        slots = np.array(sorted(self._running))
        batch = self.world.observe(slots)
        actions = self._navigator.decide(slots, Views(
            batch.rgb.numpy(), batch.depth.numpy(), batch.spectrogram.numpy()))
        before = self.world.node[slots].copy()
        headings = self.world.heading[slots].copy()
        self.world.act(actions, slots)
        self.steps += len(slots)
        moved = self.world.node[slots] != before
        for slot, node, heading, step in zip(slots, before, headings, moved):
            self._record(self._running[slot], int(node), int(heading), bool(step))
        return [self._end(int(slot), action == Action.STOP) for slot, action in zip(slots, actions)
                if action == Action.STOP or self._running[slot].actions >= self._max_actions]

    def _record(self, running: _Progress, node: int, heading: int, moved: bool) -> None:
        running.trajectory.append((node, heading))
        running.actions += 1
        running.path_length_m += moved * self._navigator.contract.forward_step_m

    def _end(self, slot: int, stopped: bool) -> Run:
        running = self._running.pop(slot)
        outcome = EpisodeOutcome(
            stopped=bool(stopped), actions=running.actions, path_m=running.path_length_m,
            geodesic_start_m=running.episode.geodesic_m,
            geodesic_end_m=float(self.world.geodesic_m()[slot]),
            oracle_actions=running.episode.oracle_actions)
        return Run(running.episode, outcome, tuple(running.trajectory))
