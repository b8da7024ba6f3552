# SPDX-License-Identifier: Apache-2.0
"""Episodes between places of habitat's world instead of nodes of a lattice."""

from __future__ import annotations

import dataclasses
import math
from typing import Any
from typing import Mapping

from sim_bridge.habitat.coordinates import yaw_of

GOAL_LIFT_M = 0.1  # SoundSpaces raises the goals of continuous episodes by it


@dataclasses.dataclass(frozen=True, kw_only=True)
class HabitatEpisode:
    """One search for one sound.

    scene : path or name of the scene, as habitat's own process sees it.
    position, goal : metres, y up; the source sounds at the height of the ears above ``goal``.
    yaw_rad : counter-clockwise about +y, 0 looks along -z.
    sound : name that the world's source of sounds knows.
    seed : of everything random within the episode.
    geodesic_m : length of the shortest way.
    oracle_actions : fewest primitive actions; 0 where nobody knows.
    """

    episode_id: str
    scene: str
    position: tuple[float, float, float]
    yaw_rad: float
    goal: tuple[float, float, float]
    sound: str
    seed: int
    geodesic_m: float
    oracle_actions: int = 0

    @classmethod
    def from_soundspaces(cls, fields: Mapping[str, Any], *, scenes: str,
                         seed: int) -> HabitatEpisode:
        """Read one of the ``episodes`` of a SoundSpaces 1.0 file, for continuous motion.

        ``info.num_action`` counts steps on the lattice and means nothing here.

        Args:
            fields: the JSON of the episode.
            scenes: folder of the dataset's scenes.
            seed: of the episode.

        Raises:
            ValueError: something is missing, no finite number, or leads out of ``scenes``.
        """
        try:
            goal = _place(fields['goals'][0]['position'])
            scene = str(fields['scene_id'])
            episode = cls(
                episode_id=str(fields['episode_id']), scene=f'{scenes}/{scene}',
                position=_place(fields['start_position']),
                yaw_rad=yaw_of(fields['start_rotation']),
                goal=(goal[0], goal[1] + GOAL_LIFT_M, goal[2]), sound=str(fields['info']['sound']),
                seed=seed, geodesic_m=float(fields['info']['geodesic_distance']))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError('an episode needs episode_id, scene_id, start_position, '
                             'start_rotation, goals and info with sound and geodesic_distance, '
                             f'got {fields!r:.200}: {error}') from error
        if scene.startswith('/') or '..' in scene.split('/'):
            raise ValueError(f'scene_id must stay within the folder of scenes, got {scene!r:.100}')
        return episode


def _place(values: Any) -> tuple[float, float, float]:
    x, y, z = (float(each) for each in values)
    if not all(map(math.isfinite, (x, y, z))):
        raise ValueError(f'a place must be three finite numbers, got {values!r:.80}')
    return x, y, z
