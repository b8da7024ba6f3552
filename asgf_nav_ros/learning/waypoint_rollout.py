# SPDX-License-Identifier: Apache-2.0
"""Collect waypoint decisions of AV-WaN in a batched grid world under a teacher's eye."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.precision import mixed_precision
from asgf_nav_ros.learning.sampling import draw_choices
from asgf_nav_ros.learning.teacher import Teacher
from asgf_nav_ros.learning.waypoint_oracle import optimal_waypoints
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.network.av_wan import AvWanNetwork
from asgf_nav_ros.network.av_wan import GEOMETRIC_SHAPE
from asgf_nav_ros.network.av_wan import WaypointViews
from asgf_nav_ros.systems.waypoint_search import STOP_WAYPOINT
from asgf_nav_ros.systems.waypoint_search import WaypointSearch
from sim_bridge.grid_world import GridWorld


@dataclasses.dataclass
class WaypointSegment:
    """``T`` decisions of one agent.

    spectrogram : (T, bins, frames, channels) float16; geometric : (T, 2500) uint8, packed bits;
    acoustic : (T, 20, 20) float32; open : (T, 81) bool; hidden : (512,) float32, the memory
    before the first decision; starts : (T,) bool; right : (T, 81) bool, what the teacher would
    choose; direction : (T, 3) float32, as ``GridWorld.sound_direction``.
    """

    spectrogram: np.ndarray
    geometric: np.ndarray
    acoustic: np.ndarray
    open: np.ndarray
    hidden: np.ndarray
    starts: np.ndarray
    right: np.ndarray
    direction: np.ndarray


class WaypointRollout:
    """Keeps every agent of ``world`` in an episode; agents decide when their waypoint is done."""

    def __init__(self, world: GridWorld, episodes: EpisodeDraw, *, teacher: Teacher,
                 rng: np.random.Generator, max_steps: int, bfloat16: bool = True) -> None:
        self._world, self._episodes, self._teacher, self._rng = world, episodes, teacher, rng
        self._max_steps, self._bfloat16 = max_steps, bfloat16
        self._mapper = EgoMapper(world.contract)
        self._searches = [WaypointSearch(world.contract, self._mapper)] * world.count
        self._hidden = np.zeros((world.count, world.contract.hidden_size), np.float32)
        self._starts = np.ones(world.count, bool)
        self._guided = np.zeros(world.count, bool)
        self._steps = np.zeros(world.count, np.int64)
        self._rows: list[list[dict[str, np.ndarray]]] = [[] for _ in range(world.count)]
        self._outcomes: collections.deque[bool] = collections.deque(maxlen=400)
        self.steps = 0
        for slot in range(world.count):
            self._begin(slot, progress=0.0)

    def collect(self, network: AvWanNetwork, decisions: int, *,
                progress: float) -> list[WaypointSegment]:
        """Let the agents act until they have made as many segments as there are agents."""
        segments: list[WaypointSegment] = []
        while len(segments) < self._world.count:
            self._step(network, progress)
            for slot, rows in enumerate(self._rows):
                if len(rows) == decisions:
                    segments.append(_segment(rows))
                    self._rows[slot] = []
        return segments

    def outcomes(self) -> dict[str, float]:
        """Share of the last unguided episodes that the student itself stopped at the goal."""
        return {'student_success': float(np.mean(self._outcomes)) if self._outcomes else 0.0}

    def _step(self, network: AvWanNetwork, progress: float) -> None:
        world, batch = self._world, self._world.observe()
        depth, spectrogram = batch.depth.cpu().numpy(), batch.spectrogram.cpu().numpy()
        for slot, search in enumerate(self._searches):
            search.observe(depth[slot], spectrogram[slot], moved=bool(world.moved[slot]))
        student_stopped = self._decide(network, spectrogram)
        actions = np.array([search.act(self._rng) for search in self._searches])
        world.act(actions)
        self._steps += 1
        self.steps += world.count
        ended = (actions == Action.STOP) | (self._steps >= self._max_steps)
        for slot in np.flatnonzero(ended):
            if not self._guided[slot]:
                self._outcomes.append(slot in student_stopped and actions[slot] == Action.STOP)
            self._begin(int(slot), progress=progress)

    @torch.no_grad()
    def _decide(self, network: AvWanNetwork, spectrogram: np.ndarray) -> set[int]:
        """Set the waypoints that are wanted; return whom the student itself stops at the goal."""
        slots = np.array([slot for slot, search in enumerate(self._searches)
                          if search.wants_waypoint], np.int64)
        if not len(slots):
            return set()
        maps = [self._searches[slot].maps() for slot in slots]
        geometric, acoustic, is_open = (np.stack(each) for each in zip(*maps))
        right = self._right(slots, is_open)
        rows = {'spectrogram': spectrogram[slots].astype(np.float16),
                'geometric': np.packbits(geometric.reshape(len(slots), -1), axis=1),
                'acoustic': acoustic, 'open': is_open, 'hidden': self._hidden[slots],
                'starts': self._starts[slots], 'right': right,
                'direction': self._world.sound_direction()[slots]}
        for row, slot in enumerate(slots):
            self._rows[slot].append({name: values[row] for name, values in rows.items()})
        student = self._student(network, slots, WaypointViews(*(
            torch.from_numpy(np.asarray(each, np.float32))
            for each in (spectrogram[slots], geometric, acoustic, is_open))))
        self._starts[slots] = False
        chosen = self._teacher.choose(student, right, self._guided[slots], self._rng,
                                      stop=STOP_WAYPOINT)
        for slot, index in zip(slots, chosen):
            self._searches[slot].set_waypoint(int(index))
        return set(slots[(student == STOP_WAYPOINT) & right[:, STOP_WAYPOINT]].tolist())

    def _student(self, network: AvWanNetwork, slots: np.ndarray,
                 views: WaypointViews) -> np.ndarray:
        device = next(network.parameters()).device
        with mixed_precision(device, enabled=self._bfloat16):
            logits, hidden = network(
                WaypointViews(*(each.to(device) for each in views)),
                torch.from_numpy(self._hidden[slots]).to(device))
        self._hidden[slots] = hidden.float().cpu().numpy()
        return draw_choices(logits, self._rng)

    def _right(self, slots: np.ndarray, is_open: np.ndarray) -> np.ndarray:
        world = self._world
        return np.stack([
            optimal_waypoints(world.houses[world.house[slot]], int(world.source[slot]),
                              int(world.node[slot]), int(world.heading[slot]), allowed)
            for slot, allowed in zip(slots, is_open)])

    def _begin(self, slot: int, *, progress: float) -> None:
        self._world.place(slot, self._episodes.draw(progress=progress))
        self._searches[slot] = WaypointSearch(self._world.contract, self._mapper)
        self._hidden[slot], self._starts[slot], self._steps[slot] = 0.0, True, 0
        self._guided[slot] = self._teacher.guides(progress, self._rng)


def _segment(rows: list[dict[str, np.ndarray]]) -> WaypointSegment:
    stacked = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return WaypointSegment(**stacked | {'hidden': rows[0]['hidden']})


def unpacked(geometric: np.ndarray) -> np.ndarray:
    """(..., 2500) uint8 of packed bits -> (..., 100, 100, 2) uint8."""
    return np.unpackbits(geometric, axis=-1).reshape(*geometric.shape[:-1], *GEOMETRIC_SHAPE)
