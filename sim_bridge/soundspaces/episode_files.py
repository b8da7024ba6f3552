# SPDX-License-Identifier: Apache-2.0
"""Episodes of AudioGoal and semantic AudioGoal navigation, as their files have them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any
from typing import Iterator
from typing import Mapping

import numpy as np

from sim_bridge.soundspaces.json_stream import read_objects
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import HEADINGS
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.layout import safe
from sim_bridge.soundspaces.layout import scene_of

MOST_EPISODES = 500_000  # in one file
EVERLASTING = 500  # steps that a sound goes on if nothing else is said
_SOUNDS, _SEMANTIC_SOUNDS = '1s_all', 'semantic_splits'
_DISTRACTORS = '1s_all_distractor'


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredEpisode:
    """One episode, in the words of its file.

    start, goal : (x, y, z) metres of nodes. heading : quarter turns from -z, counter-clockwise.
    sound, distractor : folder and name under ``sounds``.
    duration : the last step at which the sound is heard.
    distractor_node : what the files call the node.
    """

    identifier: str
    scene: str
    start: tuple[float, float, float]
    heading: int
    goal: tuple[float, float, float]
    sound: tuple[str, str]
    actions: int
    duration: int = EVERLASTING
    distractor: tuple[str, str] | None = None
    distractor_node: int | None = None


def read_episodes(layout: Layout, split: str, scene: str) -> Iterator[StoredEpisode]:
    """Yield the episodes of one scene.

    Raises:
        DatasetError: the file is missing or damaged, or an episode is not as it should be; the
            message names both.
    """
    path = layout.content(split) / f'{safe(scene)}.json.gz'
    for fields in read_objects(path, 'episodes', most=MOST_EPISODES):
        try:
            episode = stored_episode(fields)
            if episode.scene != scene:
                raise DatasetError(f'its scene must be {scene!r}, got {episode.scene!r}')
        except (DatasetError, AttributeError, KeyError, OverflowError, TypeError,
                ValueError) as error:
            raise _named(error, path, fields) from None
        yield episode


def draw_episodes(layout: Layout, split: str, *, count: int,
                  rng: np.random.Generator) -> list[StoredEpisode]:
    """Up to ``count`` episodes of a split, in the order of its files, without holding more.

    Raises:
        DatasetError: see ``read_episodes``.
    """
    chosen: list[tuple[int, StoredEpisode]] = []
    number = 0
    for scene in layout.scenes_with_episodes(split):
        for episode in read_episodes(layout, split, scene):
            if number < count:
                chosen.append((number, episode))
            elif (slot := int(rng.integers(number + 1))) < count:
                chosen[slot] = (number, episode)
            number += 1
    return [episode for _, episode in sorted(chosen, key=lambda each: each[0])]


def stored_episode(fields: Mapping[str, Any]) -> StoredEpisode:
    """Read the fields of one episode, of either kind.

    Raises:
        DatasetError, KeyError, TypeError, ValueError: a field is missing or wrong.
    """
    if len(fields['goals']) != 1:
        raise DatasetError(f'it must have one goal, got {len(fields["goals"])}')
    semantic = 'sound_id' in fields
    folder = _SEMANTIC_SOUNDS if semantic else _SOUNDS
    sound = fields['sound_id'] if semantic else f'{fields["info"]["sound"]}.wav'
    distractor = fields.get('distractor_sound_id')
    return StoredEpisode(
        identifier=str(fields['episode_id']), scene=scene_of(fields['scene_id']),
        start=_position(fields['start_position']), heading=heading_of(fields['start_rotation']),
        goal=_position(fields['goals'][0]['position']), sound=_sound(folder, sound),
        actions=_positive(fields['info']['num_action']),
        duration=int(fields['duration']) if semantic else EVERLASTING,
        distractor=_sound(_DISTRACTORS, distractor) if distractor else None,
        distractor_node=int(fields['distractor_position_index']) if distractor else None)


def heading_of(rotation: Any) -> int:
    """Quarter turns of a quaternion (x, y, z, w), as the simulator takes its angle.

    Raises:
        DatasetError: it is no multiple of a quarter turn.
    """
    x, y, z, w = map(float, rotation)
    angle_deg = math.degrees(2 * math.atan2(math.hypot(x, y, z), w))
    if not math.isfinite(angle_deg) or round(angle_deg) % 90:
        raise DatasetError(f'rotations must be quarter turns, got {angle_deg:g} degrees')
    return round(angle_deg) // 90 % HEADINGS


def _position(value: Any) -> tuple[float, float, float]:
    x_m, y_m, z_m = map(float, value)
    if not all(map(math.isfinite, (x_m, y_m, z_m))):
        raise DatasetError(f'positions must be finite, got {value!r:.60}')
    return x_m, y_m, z_m


def _sound(folder: str, name: str) -> tuple[str, str]:
    for part in name.split('/'):
        safe(part)
    return folder, name


def _positive(value: Any) -> int:
    if int(value) < 1:
        raise DatasetError(f'num_action must be at least 1, got {value!r:.40}')
    return int(value)


def _named(error: Exception, path: Path, fields: Mapping[str, Any]) -> DatasetError:
    what = f'lacks {error}' if isinstance(error, KeyError) else str(error)
    return DatasetError(f'{path}: episode {fields.get("episode_id")!r:.40}: {what:.200}')
