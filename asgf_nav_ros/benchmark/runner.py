# SPDX-License-Identifier: Apache-2.0
"""Run a list of episodes with one navigator on the batched grid world."""

from __future__ import annotations

import dataclasses
from typing import Any
from typing import Mapping
from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark.metrics import EpisodeOutcome
from asgf_nav_ros.contract import Action
from asgf_nav_ros.systems.navigator import Navigator
from asgf_nav_ros.systems.navigator import Views
from sim_bridge.bake import BakedHouse
from sim_bridge.conditions import disturb
from sim_bridge.conditions import Situation
from sim_bridge.episodes import Episode
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

MAX_ACTIONS = 500
CLEAN = 'clean'
SAME_M = 0.01


@dataclasses.dataclass(frozen=True)
class Run:
    """One finished episode.

    trajectory : (node, heading) before each action, where there are nodes.
    decisions : the actions, where they were decided one by one.
    poses : the same in the house: x and y in metres, yaw in radians.
    source_xy : where the sound was, metres.
    facts : what else is known about it, for the result file.
    """

    episode: Episode
    outcome: EpisodeOutcome
    trajectory: tuple[tuple[int, int], ...] = ()
    decisions: tuple[int, ...] = ()
    poses: tuple[tuple[float, float, float], ...] = ()
    source_xy: tuple[float, float] | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class _Progress:
    """What one slot has done since its episode began."""

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.actions = 0
        self.path_length_m = 0.0
        self.trajectory: list[tuple[int, int]] = []
        self.decisions: list[int] = []


class EpisodeRunner:
    """Fills the slots of a grid world with episodes until all have ended.

    sounds : by name, one window each, (window_samples,) float32; distractors come from them too.
    condition, severity : what goes wrong, see ``sim_bridge.conditions``.
    """

    def __init__(self, houses: Sequence[BakedHouse], navigator: Navigator, *,
                 sounds: Mapping[str, np.ndarray], batch: int = 32,
                 max_actions: int = MAX_ACTIONS, condition: str = CLEAN,
                 severity: float = 0.0) -> None:
        self._navigator, self._sounds = navigator, sounds
        self._batch, self._max_actions = batch, max_actions
        self._condition, self._severity = condition, severity
        self.world = self._world(houses, max(batch, 2))
        self._house_index = {house.name: index for index, house in enumerate(houses)}
        self._running: dict[int, _Progress] = {}
        self.steps = 0

    def run(self, episodes: Sequence[Episode]) -> list[Run]:
        """Run every episode to its end; return them in their order."""
        waiting = list(reversed(episodes))
        runs: dict[str, Run] = {}
        while waiting or self._running:
            self._fill(waiting)
            runs.update((run.episode.episode_id, run) for run in self._step())
        return [runs[episode.episode_id] for episode in episodes]

    def _world(self, houses: Sequence[BakedHouse], count: int) -> GridWorld:
        return GridWorld(houses, self._navigator.contract, count=count)

    def _fill(self, waiting: list[Episode]) -> None:
        for slot in set(range(self._batch)) - set(self._running):
            if waiting:
                self._begin(slot, waiting.pop())

    def _begin(self, slot: int, episode: Episode) -> None:
        index = self._house_index[episode.house]
        source = _source(self.world.houses[index], episode)
        heard, chosen, disturbed = np.random.default_rng(episode.seed).spawn(3)
        self._place(slot, episode, Placement(
            house=index, source=source, node=episode.start_node, heading=episode.start_heading,
            dry=self._dry(episode), rng=heard), disturbed)
        self._navigator.begin(np.array([slot]), [chosen])
        self._running[slot] = _Progress(episode)

    def _dry(self, episode: Episode) -> np.ndarray:
        return self._sounds[episode.sound]

    def _place(self, slot: int, episode: Episode, placement: Placement,
               rng: np.random.Generator) -> None:
        situation = self._situation(episode, placement.house, placement.source, rng)
        self.world.place(slot, dataclasses.replace(
            placement, disturbance=disturb(self._condition, self._severity, situation)))

    def _situation(self, episode: Episode, house: int, source: int,
                   rng: np.random.Generator) -> Situation:
        others = [clip for name, clip in self._sounds.items() if name != episode.sound]
        return Situation(
            house=self.world.houses[house], source=source, node=episode.start_node,
            heading=episode.start_heading, dry=self._dry(episode), others=others,
            sample_rate_hz=self._navigator.contract.sample_rate_hz, rng=rng)

    def _step(self) -> list[Run]:
        slots = np.array(sorted(self._running))
        actions = self._navigator.decide(slots, self._views(slots))
        before = self.world.node[slots].copy()
        headings = self.world.heading[slots].copy()
        self.world.act(actions, slots)
        self.steps += len(slots)
        for slot, node, heading, action in zip(slots, before, headings, actions.tolist()):
            self._running[slot].decisions.append(action)
            self._record(self._running[slot], int(node), int(heading), self._way_m(slot, node))
        return [self._end(int(slot), action == Action.STOP) for slot, action in zip(slots, actions)
                if action == Action.STOP or self._running[slot].actions >= self._max_actions]

    def _views(self, slots: np.ndarray) -> Views:
        # A lone row is transformed in another order than several: it gets a neighbour, so that
        # an episode goes the same way in any company.
        seen = slots if len(slots) > 1 else np.array([slots[0], int(slots[0] == 0)])
        batch, count = self.world.observe(seen), len(slots)
        return Views(batch.rgb[:count].numpy(), batch.depth[:count].numpy(),
                     batch.spectrogram[:count].numpy(), self.world.moved[slots])

    def _way_m(self, slot: int, before: int) -> float:
        """Way that an agent has just gone from node ``before``."""
        return (self.world.node[slot] != before) * self._navigator.contract.forward_step_m

    def _record(self, running: _Progress, node: int, heading: int, way_m: float) -> None:
        running.trajectory.append((node, heading))
        running.actions += 1
        running.path_length_m += float(way_m)

    def _end(self, slot: int, stopped: bool) -> Run:
        running, house = self._running.pop(slot), self.world.houses[self.world.house[slot]]
        outcome = EpisodeOutcome(
            stopped=bool(stopped), actions=running.actions, path_m=running.path_length_m,
            geodesic_start_m=running.episode.geodesic_m,
            geodesic_end_m=float(self.world.geodesic_m()[slot]),
            oracle_actions=running.episode.oracle_actions)
        return Run(running.episode, outcome, tuple(running.trajectory), tuple(running.decisions),
                   poses=tuple(_pose(house, *place) for place in running.trajectory),
                   source_xy=_xy(house, running.episode.goal_node))


def _pose(house: BakedHouse, node: int, heading: int) -> tuple[float, float, float]:
    yaw_rad = house.rotation_rad + heading * np.pi / 2
    return *_xy(house, node), round(float(yaw_rad), 4)


def _xy(house: BakedHouse, node: int) -> tuple[float, float]:
    x_m, y_m = house.nodes[node]
    return round(float(x_m), 3), round(float(y_m), 3)


def _source(house: BakedHouse, episode: Episode) -> int:
    """Index of the goal among the sources of the house."""
    found = np.flatnonzero(np.asarray(house.source_nodes) == episode.goal_node)
    same = found.size and abs(house.distances_m[episode.start_node, episode.goal_node]
                              - episode.geodesic_m) < SAME_M
    if not same:
        raise ValueError(f'episode {episode.episode_id!r} was drawn on another lattice than that '
                         f'of the bake {house.path}')
    return int(found[0])
