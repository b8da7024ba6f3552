# SPDX-License-Identifier: Apache-2.0
"""Episodes: which house, from where to where, and what sounds there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Sequence

import numpy as np

from sim_bridge.house.floor_plan import read_floor_plan
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.house.plan import House
from sim_bridge.sounds import Sound
from sim_bridge.sounds import SPLITS

SIZES = ('small', 'large')
HOUSES_PER_SPLIT = 1_000_000
SHORTEST_GEODESIC_M = 1.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episode:
    """One search for one sound.

    house : a name or path for ``load_house``.
    start_node, goal_node : indices of the navigation graph that the episode was drawn on.
    start_heading : 0..3, quarter turns from the graph's own rotation.
    sound : name of a sound of the catalogue.
    seed : of everything random within the episode.
    geodesic_m : length of the shortest way along the graph.
    oracle_actions : fewest primitive actions, the final STOP included (SNA counts it).
    """

    episode_id: str
    house: str
    start_node: int
    start_heading: int
    goal_node: int
    sound: str
    seed: int
    geodesic_m: float
    oracle_actions: int


def sample_episodes(
        graph: NavigationGraph, source_nodes: Sequence[int], sounds: Sequence[Sound], *,
        count: int, rng: np.random.Generator, house: str,
        min_oracle_actions: int = 4) -> list[Episode]:
    """Draw episodes from a graph, easy and hard ones, most of them several rooms long.

    The wanted distance is drawn first, between ``SHORTEST_GEODESIC_M`` and the longest way to
    that source with more weight on long ones, and then a start about that far away.

    Args:
        graph: navigation graph of the house.
        source_nodes: nodes where the source may stand.
        sounds: sounds to draw from.
        count: episodes wanted.
        rng: decides everything.
        house: name of the house, kept in the episodes.
        min_oracle_actions: the fewest actions, STOP included, that an episode may take.

    Raises:
        ValueError: no start of this graph is far enough from any source.
    """
    starts = {int(goal): _far_starts(graph, int(goal), min_oracle_actions)
              for goal in source_nodes}
    goals = [goal for goal, found in starts.items() if len(found)]
    if not goals or not sounds:
        raise ValueError(
            f'house {house!r} needs a sound and a start {SHORTEST_GEODESIC_M} m and '
            f'{min_oracle_actions} actions away from a source, got {len(sounds)} sounds and none')
    episodes = []
    for index in range(count):
        goal = goals[rng.integers(len(goals))]
        node, heading = _draw_start(graph, goal, starts[goal], rng)
        sound = sounds[rng.integers(len(sounds))]
        episodes.append(Episode(
            episode_id=f'{house}#{index}', house=house, start_node=node, start_heading=heading,
            goal_node=goal, sound=sound.name, seed=int(rng.integers(2**31)),
            geodesic_m=round(float(graph.distances_m()[node, goal]), 4),
            oracle_actions=int(graph.actions_to(goal)[node, heading]) + 1))
    return episodes


def episodes_to_json(episodes: Sequence[Episode]) -> str:
    """Serialise episodes, one a line."""
    lines = (json.dumps(dataclasses.asdict(episode), sort_keys=True) for episode in episodes)
    return '[\n' + ',\n'.join(lines) + '\n]\n'


def episodes_from_json(text: str) -> list[Episode]:
    """Read what ``episodes_to_json`` wrote.

    Raises:
        ValueError: not a JSON list of episodes.
    """
    try:
        return [Episode(**fields) for fields in json.loads(text)]
    except TypeError as error:
        raise ValueError(f'episodes must be a JSON list of episodes: {error}') from error


def episodes_sha256(episodes: Sequence[Episode]) -> str:
    """Fingerprint that pins a set of episodes, hexadecimal."""
    return hashlib.sha256(episodes_to_json(episodes).encode()).hexdigest()


def house_seed(split: str, index: int, size: str = 'small') -> int:
    """Generator seed of a house; the splits and sizes share none.

    Raises:
        ValueError: unknown split or size, or an index out of range.
    """
    if split not in SPLITS or size not in SIZES:
        raise ValueError(f'a house is SIZE/SPLIT/INDEX with sizes {SIZES} and splits {SPLITS}, '
                         f'got {size}/{split}/{index}')
    if not 0 <= index < HOUSES_PER_SPLIT:
        raise ValueError(f'house index must be in [0, {HOUSES_PER_SPLIT}), got {index}')
    block = SIZES.index(size) * len(SPLITS) + SPLITS.index(split)
    return block * HOUSES_PER_SPLIT + index


def load_house(name_or_path: str) -> House:
    """Generate the house of a name like 'small/test/7', or read a floor plan (.json).

    Raises:
        ValueError: neither a name nor a readable floor plan.
    """
    if name_or_path.endswith('.json'):
        return read_floor_plan(name_or_path)
    size, split, index = _house_name(name_or_path)
    seed = house_seed(split, index, size)
    return dataclasses.replace(generate_house(seed, size=size), name=name_or_path)


def _house_name(name: str) -> tuple[str, str, int]:
    parts = name.split('/')
    if len(parts) != 3 or not parts[2].isdecimal():
        raise ValueError("a house is a floor plan's .json file or a name like 'small/test/7', "
                         f'got {name!r}')
    return parts[0], parts[1], int(parts[2])


def _far_starts(graph: NavigationGraph, goal: int, min_oracle_actions: int) -> np.ndarray:
    """(node, heading) pairs that are far enough from ``goal``: (m, 2)."""
    far = graph.distances_m()[:, goal] >= SHORTEST_GEODESIC_M
    hard = graph.actions_to(goal) + 1 >= min_oracle_actions
    return np.argwhere(far[:, None] & hard)


def _draw_start(graph: NavigationGraph, goal: int, starts: np.ndarray,
                rng: np.random.Generator) -> tuple[int, int]:
    distances_m = graph.distances_m()[starts[:, 0], goal]
    nearest_m, farthest_m = distances_m.min(), distances_m.max()
    wanted_m = nearest_m + (farthest_m - nearest_m) * rng.beta(2, 1)
    misses_m = np.abs(distances_m - wanted_m)
    fitting = starts[misses_m <= misses_m.min() + 1e-6]
    node, heading = fitting[rng.integers(len(fitting))]
    return int(node), int(heading)
