# SPDX-License-Identifier: Apache-2.0
"""The benchmark houses-v1: its houses, its episodes, and the hashes that pin them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Mapping
from typing import Sequence

import numpy as np
import yaml

from asgf_nav_ros.benchmark.ways import Difficulty
from asgf_nav_ros.benchmark.ways import Ways
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.share import share_directory
from sim_bridge.bake import BakeSettings
from sim_bridge.bake import lay_lattice
from sim_bridge.episodes import Episode
from sim_bridge.episodes import episodes_sha256
from sim_bridge.episodes import load_house
from sim_bridge.sounds import Sound

NAME = 'houses-v1'
PROTOCOLS = ('heard', 'unheard', 'one_sound')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What config/benchmarks/houses-v1.yaml says.

    houses : how many of each split, for either size.
    bake : how they are baked.
    episodes, seed : of the pinned sets.
    sha256 : fingerprint of each pinned set, by 'SIZE/SPLIT/SOUNDS'.
    odometry_noise : of runs through the whole graph, ``OdometryNoise``'s fields.
    """

    houses: Mapping[str, int]
    bake: BakeSettings
    episodes: int
    seed: int
    sha256: Mapping[str, str]
    odometry_noise: Mapping[str, float]

    @classmethod
    def read(cls, path: Path | None = None) -> Benchmark:
        """Read the file of the benchmark, the shipped one by default.

        Raises:
            ValueError: the file is no such mapping.
        """
        path = path or share_directory('config') / 'benchmarks' / f'{NAME}.yaml'
        document = yaml.safe_load(path.read_text(encoding='utf-8'))
        try:
            return cls(**{**document, 'bake': BakeSettings(**document['bake'])})
        except (KeyError, TypeError) as error:
            raise ValueError(f'{path}: {error}') from error

    def house_names(self, size: str, split: str, count: int | None = None) -> list[str]:
        """Names of the houses of a split, or of the first ``count``."""
        return [f'{size}/{split}/{index}' for index in range(count or self.houses[split])]

    def pinned_sha256(self, size: str, split: str, sounds: str, *, episodes: int,
                      seed: int) -> str | None:
        """Fingerprint that a set must have, None for one that is not pinned."""
        if (episodes, seed) != (self.episodes, self.seed):
            return None
        return self.sha256.get(f'{size}/{split}/{sounds}')


@dataclasses.dataclass(frozen=True)
class DrawnEpisode:
    """An episode and how hard it is."""

    episode: Episode
    difficulty: Difficulty


def draw_episodes(houses: Sequence[str], sounds: Sequence[Sound], contract: PolicyContract, *,
                  settings: BakeSettings, count: int, seed: int) -> list[DrawnEpisode]:
    """Spread ``count`` episodes evenly over houses, and in each over difficulty.

    The ways are the same whatever ``sounds`` are, and whatever is seen and heard on them.

    Args:
        houses: names or floor plans; each brings its lattice and sources.
        sounds: to draw from.
        contract: of the lattice's step.
        settings: of the lattice and its sources.
        count: episodes wanted.
        seed: decides everything.
    """
    shares = [count // len(houses) + (index < count % len(houses))
              for index in range(len(houses))]
    drawn = [each for index, (house, share) in enumerate(zip(houses, shares)) if share
             for each in _draw_in_house(house, sounds, contract, settings, share, [seed, index])]
    return [dataclasses.replace(each, episode=dataclasses.replace(
        each.episode, episode_id=f'{number:05d}')) for number, each in enumerate(drawn)]


def sha256(drawn: Sequence[DrawnEpisode]) -> str:
    """Fingerprint of a set of episodes."""
    return episodes_sha256([each.episode for each in drawn])


def _draw_in_house(name: str, sounds: Sequence[Sound], contract: PolicyContract,
                   settings: BakeSettings, count: int, seed: list[int]) -> list[DrawnEpisode]:
    house = load_house(name)
    ways = Ways.of(house, *lay_lattice(house, contract, settings))
    ways_rng, sounds_rng = np.random.default_rng(seed).spawn(2)
    episodes = []
    for source, node, heading in ways.draw(count, ways_rng):
        episode = Episode(
            episode_id='', house=name, start_node=node, start_heading=heading,
            goal_node=int(ways.source_nodes[source]),
            sound=sounds[sounds_rng.integers(len(sounds))].name,
            seed=int(ways_rng.integers(2**31)),
            geodesic_m=round(float(ways.geodesic_m[source, node]), 4),
            oracle_actions=int(ways.actions[source, node, heading]))
        episodes.append(DrawnEpisode(episode, ways.difficulty(episode)))
    return episodes
