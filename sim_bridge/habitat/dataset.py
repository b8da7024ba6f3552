# SPDX-License-Identifier: Apache-2.0
"""SoundSpaces' episodes and sounds, for continuous motion through habitat's scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import numpy as np

from sim_bridge.habitat.episode import HabitatEpisode
from sim_bridge.soundspaces.episode_files import MOST_EPISODES
from sim_bridge.soundspaces.json_stream import read_objects
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.recordings import read_recording

_SOUNDS = '1s_all'


def draw_continuous_episodes(layout: Layout, split: str, *, scenes: Path, count: int,
                             seed: int) -> list[HabitatEpisode]:
    """Up to ``count`` episodes of a split, in the order of its files, without holding more.

    Args:
        layout: where ``datasets`` and ``sounds`` lie.
        split: e.g. 'test_telephone'.
        scenes: folder of habitat's scenes, as its own process sees it.
        count: episodes wanted.
        seed: draws them, and is joined into their own seeds.

    Raises:
        DatasetError: a file is missing or damaged, or an episode is not as it should be.
    """
    rng = np.random.default_rng([seed, 0])
    chosen: list[HabitatEpisode | None] = []
    order: list[int] = []
    for number, episode in enumerate(_episodes(layout, split, scenes, seed)):
        if number < count:
            chosen.append(episode)
            order.append(number)
        elif (slot := int(rng.integers(number + 1))) < count:
            chosen[slot], order[slot] = episode, number
    return [chosen[slot] for slot in np.argsort(order)]


def read_dry_sound(layout: Layout, name: str, *, sample_rate_hz: int) -> np.ndarray:
    """The recording that an episode names, (n,) float32, at its own level.

    Raises:
        DatasetError: missing, unreadable, or not at least a second of sound.
    """
    return read_recording(layout.sound(_SOUNDS, f'{name}.wav'), sample_rate_hz=sample_rate_hz)


def _episodes(layout: Layout, split: str, scenes: Path, seed: int) -> Iterator[HabitatEpisode]:
    number = 0
    for scene in layout.scenes_with_episodes(split):
        path = layout.content(split) / f'{scene}.json.gz'
        for fields in read_objects(path, 'episodes', most=MOST_EPISODES):
            own_seed = int(np.random.default_rng([seed, 1, number]).integers(2 ** 31))
            try:
                yield HabitatEpisode.from_soundspaces(fields, scenes=str(scenes), seed=own_seed)
            except ValueError as error:
                raise DatasetError(f'{path}: {error}') from None
            number += 1
