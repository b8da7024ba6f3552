# SPDX-License-Identifier: Apache-2.0
"""What navigators share that locate the sound and plan on a lattice, one search an agent."""

from __future__ import annotations

import abc
from typing import Generic
from typing import TypeVar

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.mapping.lattice import Lattice
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.systems.heard_source import Locator
from asgf_nav_ros.systems.navigator import Views

Search = TypeVar('Search')


class LocatingNavigator(abc.ABC, Generic[Search]):
    """Locates all agents' sounds at once, then lets each agent's search decide."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self.contract, self.model_sha256 = locator.contract, locator.sha256
        self._mapper = EgoMapper(self.contract)
        self._searches: dict[int, Search] = {}

    def begin(self, slots: np.ndarray, rngs: list[np.random.Generator]) -> None:
        """Start the agents in ``slots`` with an empty map."""
        for slot, rng in zip(slots.tolist(), rngs):
            self._searches[slot] = self._search(Lattice(self.contract, self._mapper), rng)

    def decide(self, slots: np.ndarray, views: Views) -> np.ndarray:
        """Choose an action for each of ``slots``."""
        heard = self._locator(views.spectrogram)
        rows = zip(slots.tolist(), views.depth, views.moved, heard.vector, heard.at_goal)
        return np.array([self._decide(self._searches[slot], depth, bool(moved), *source)
                         for slot, depth, moved, *source in rows], np.int64)

    @abc.abstractmethod
    def _search(self, lattice: Lattice, rng: np.random.Generator) -> Search:
        """Start one agent's search."""

    @abc.abstractmethod
    def _decide(self, search: Search, depth: np.ndarray, moved: bool, vector: np.ndarray,
                at_goal: float) -> Action:
        """Choose one agent's action from its depth (H, W) and the ``HeardSource`` row."""
