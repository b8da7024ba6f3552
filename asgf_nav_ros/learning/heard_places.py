# SPDX-License-Identifier: Apache-2.0
"""Labelled windows from random places of baked houses, for learning to locate a sound."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import HEADINGS
from sim_bridge.batched_spectrogram import BatchedSpectrogram
from sim_bridge.grid_world import GridWorld
from sim_bridge.resident_world import ResidentWorld

_LATEST_STEP = 60


@dataclasses.dataclass(frozen=True)
class HeardBatch:
    """What is heard at ``B`` places, and where the source really is; egocentric, left positive.

    spectrogram : (B, bins, frames, channels) float32.
    direction : (B, 3) float32, cosine and sine of the azimuth at which the sound arrives first,
        log1p of its path in metres; zero where no path leads from the source.
    offset_m : (B, 2) float32, ahead and left, of the source itself.
    at_goal : (B,) bool, whether the source stands on this very node.
    first_spectrograms : (K, B, bins, frames, channels) float32, what was heard at the start,
        of the goal alone, where the contract has ``goal_windows`` K; else None.
    sounding : (B,) bool, whether the goal can be heard in this window.
    """

    spectrogram: torch.Tensor
    direction: torch.Tensor
    offset_m: torch.Tensor
    at_goal: torch.Tensor
    first_spectrograms: torch.Tensor | None = None
    sounding: torch.Tensor | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlaceSettings:
    """Which places are drawn: shares at the source and within ``near_m``; the rest anywhere.

    House, sound and troubles of a listener last for several windows: of each batch the share
    ``fresh`` gets new ones. Contracts with ``goal_windows`` hear so many windows first, at one
    place; then, but for the share ``at_start``, windows from any later step of an episode, with
    its second sound and its pauses.
    """

    at_goal: float = 0.15
    near: float = 0.25
    near_m: float = 2.0
    fresh: float = 0.15
    at_start: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.at_goal + self.near <= 1 or min(self.at_goal, self.near) < 0:
            raise ValueError('at_goal and near must be shares with a sum of at most 1, '
                             f'got {self.at_goal} and {self.near}')
        if not 0 < self.fresh <= 1:
            raise ValueError(f'fresh must be in (0, 1], got {self.fresh}')


class HeardPlaces:
    """An endless supply of batches of windows."""

    def __init__(self, episodes: EpisodeDraw, world: GridWorld | ResidentWorld, *,
                 settings: PlaceSettings, rng: np.random.Generator,
                 device: torch.device | str = 'cpu') -> None:
        """Listen with all agents of ``world``, which is on the device."""
        contract, size = world.contract, world.count
        self._world = world
        self._spectrogram = BatchedSpectrogram(contract, device=device)
        self._episodes, self._settings = episodes, settings
        self._rng, self._device = rng, device
        self._first = torch.zeros(contract.goal_windows, size, *contract.spectrogram_shape,
                                  device=device)
        self._begin(np.arange(size), progress=0.0)

    def draw(self, *, progress: float = 1.0) -> HeardBatch:
        """Listen at fresh places, with the troubles of ``progress`` in [0, 1]."""
        world = self._world
        fresh = max(1, round(self._settings.fresh * world.count))
        self._begin(self._rng.choice(world.count, fresh, replace=False), progress=progress)
        houses = [world.houses[house] for house in world.house]
        world.source[:] = self._sources(houses)
        world.node[:] = self._nodes(houses)
        world.heading[:] = self._rng.integers(HEADINGS, size=world.count)
        first = self._move_on() if len(self._first) else None
        spectrogram = self._spectrogram(world.hear(np.arange(world.count)))
        if first is not None:
            at_start = torch.from_numpy(world.steps == 0).to(self._device)
            first = torch.where(at_start[:, None, None, None], spectrogram, first)
        direction = torch.from_numpy(world.sound_direction()).to(self._device)
        offset_m = world.goal_offset_m()
        at_goal = torch.from_numpy((np.abs(offset_m) < 1e-3).all(1)).to(self._device)
        return HeardBatch(spectrogram, direction,
                          torch.from_numpy(offset_m).to(self._device), at_goal, first,
                          torch.from_numpy(world.audible()).to(self._device))

    def _begin(self, slots: np.ndarray, *, progress: float) -> None:
        """Give ``slots`` new houses, sounds and troubles, and let them hear the goal alone."""
        for slot in slots:
            self._world.place(int(slot), self._episodes.draw(progress=progress))
        for window in self._first if len(slots) else ():
            window[slots] = self._spectrogram(self._world.hear(slots))
            self._world.steps[slots] += 1

    def _sources(self, houses: Sequence[BakedHouse]) -> np.ndarray:
        """Draw places of the goals, other ones than those of second sounds."""
        count = np.array([len(house.source_nodes) for house in houses])
        taken = [self._world.distractor_source(slot) if len(self._first) else None
                 for slot in range(len(houses))]
        taken = np.array([count[slot] if source is None else source
                          for slot, source in enumerate(taken)])
        drawn = self._rng.integers(count - (taken < count))
        return drawn + (drawn >= taken)

    def _move_on(self) -> torch.Tensor:
        """Go to a random later step, or back to the start; return what is remembered there."""
        count = self._world.count
        at_start = self._rng.random(count) < self._settings.at_start
        self._world.steps[:] = np.where(
            at_start, 0, self._rng.integers(len(self._first), _LATEST_STEP, count))
        return self._first

    def _nodes(self, houses: Sequence[BakedHouse]) -> np.ndarray:
        goals = np.array([house.source_nodes[source]
                          for house, source in zip(houses, self._world.source)])
        nodes = self._rng.integers([len(house.nodes) for house in houses])
        kind = self._rng.random(len(houses)) - self._settings.at_goal
        for slot in np.flatnonzero((kind >= 0) & (kind < self._settings.near)):
            near = np.flatnonzero(
                houses[slot].distances_m[goals[slot]] <= self._settings.near_m)
            nodes[slot] = near[self._rng.integers(len(near))]
        return np.where(kind < 0, goals, nodes)
