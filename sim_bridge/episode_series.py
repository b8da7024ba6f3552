# SPDX-License-Identifier: Apache-2.0
"""A series of episodes from a seed: each in a house of its own, or all in one floor plan."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np

from sim_bridge.diff_drive import ROBOT_RADIUS_M
from sim_bridge.episodes import Episode
from sim_bridge.episodes import load_house
from sim_bridge.episodes import sample_episodes
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.sounds import Sound

HOUSES = 1000
SOURCES = 8
TRIES = 10


def draw_episode(index: int, *, seed: int, house: str, split: str, size: str,
                 sounds: Sequence[Sound], step_m: float) -> Episode:
    """Draw episode ``index`` of the series ``seed``, whatever the others were.

    Args:
        index: 0 for the first.
        seed: of the series.
        house: name or floor plan of all episodes; empty draws a generated one each time.
        split: of generated houses.
        size: of generated houses.
        sounds: to draw from.
        step_m: step of the navigation graph.

    Raises:
        ValueError: no way in the house is long enough.
    """
    rng = np.random.default_rng([seed, index])
    for tries_left in reversed(range(TRIES)):
        name = house or f'{size}/{split}/{rng.integers(HOUSES)}'
        graph = build_navigation_graph(load_house(name), step_m=step_m, radius_m=ROBOT_RADIUS_M)
        sources = rng.choice(len(graph), size=min(SOURCES, len(graph)), replace=False)
        try:
            [episode] = sample_episodes(
                graph, sources.tolist(), sounds, count=1, rng=rng, house=name)
        except ValueError:
            if not tries_left:
                raise
            continue
        return dataclasses.replace(episode, episode_id=f'{seed}-{index}')
    raise AssertionError('unreachable')
