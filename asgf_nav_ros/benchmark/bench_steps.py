# SPDX-License-Identifier: Apache-2.0
"""Steps of many agents at once against as many steps of one environment, the usual way."""

from __future__ import annotations

import abc
from typing import Protocol

import numpy as np

from asgf_nav_ros.benchmark.bench_timing import compare
from asgf_nav_ros.benchmark.bench_timing import Comparison
from asgf_nav_ros.contract import Action
from sim_bridge.bake import HEADINGS

AGENTS = 32
HOUSE = 'small/val/0'
_ROUNDS = 64  # of actions, then they come again


class BatchedWorld(Protocol):
    """What all agents are in at once."""

    def observe(self) -> object:
        """See and hear from where all agents stand."""

    def act(self, actions: np.ndarray) -> None:
        """Carry out one action (AGENTS,) each."""


class SingleEnvironment(abc.ABC):
    """One agent on a lattice."""

    def __init__(self, neighbors: np.ndarray) -> None:
        """Args: neighbors is (nodes, 4), -1 where there is no edge."""
        self._neighbors = neighbors
        self._node, self._heading = 0, 0

    @abc.abstractmethod
    def observe(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rgb, depth in metres and the spectrogram."""

    def act(self, action: int) -> None:
        """Carry out one primitive action; a blocked step stays."""
        if action == Action.MOVE_FORWARD:
            ahead = int(self._neighbors[self._node, self._heading])
            self._node = ahead if ahead >= 0 else self._node
        elif action in (Action.TURN_LEFT, Action.TURN_RIGHT):
            turn = 1 if action == Action.TURN_LEFT else -1
            self._heading = (self._heading + turn) % HEADINGS


def draw_actions(rng: np.random.Generator) -> np.ndarray:
    """Actions without STOP, (rounds, AGENTS)."""
    return rng.integers(1, len(Action), size=(_ROUNDS, AGENTS))


def compare_steps(name: str, batched: BatchedWorld, single: SingleEnvironment,
                  actions: np.ndarray, *, laps: int, wanted: float, label: str,
                  warm_up_rounds: int = 0) -> Comparison:
    """Time one step of all agents against ``AGENTS`` steps of the single environment."""
    turns = iter(range(10**9))

    def ours() -> None:
        batched.observe()
        batched.act(actions[next(turns) % len(actions)])

    def theirs() -> None:
        for action in actions[next(turns) % len(actions)]:
            single.observe()
            single.act(int(action))

    for _ in range(warm_up_rounds * len(actions)):
        ours()
    return compare(f'{name}, {AGENTS} steps', laps=laps, wanted=wanted, ours=(label, ours),
                   theirs=('one environment, scipy + librosa', theirs))
