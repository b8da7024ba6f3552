# SPDX-License-Identifier: Apache-2.0
"""Where the robot was in an episode, in the plan of its house where that is known."""

from __future__ import annotations

import dataclasses
import math
from typing import Any
from typing import Sequence

import numpy as np

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.replay.recording_index import RecordingIndex

MAX_POINTS = 1500  # of one path
AFTER_S = 4.0  # an action that is still driven after the last decision


@dataclasses.dataclass(frozen=True)
class _Frame:
    """Where odometry began, in the plan."""

    x_m: float = 0.0
    y_m: float = 0.0
    yaw_rad: float = 0.0

    def place(self, pose: Pose) -> list[float]:
        """Return x, y and yaw in the plan, metres and radians."""
        cos, sin = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        return [round(self.x_m + cos * pose.x_m - sin * pose.y_m, 3),
                round(self.y_m + sin * pose.x_m + cos * pose.y_m, 3),
                round(self.yaw_rad + pose.yaw_rad, 4)]


class EpisodeMap:
    """Poses of one episode; with a simulator's result, house and source too."""

    def __init__(self, index: RecordingIndex, episode: str, stamps_s: Sequence[float], *,
                 window_s: float, until_s: float) -> None:
        """Cover the decisions at ``stamps_s`` and what was driven then, before ``until_s``."""
        result = next((result for result in index.results
                       if episode and result.get('episode') == episode), {})
        start_s, end_s = stamps_s[0] - window_s, min(stamps_s[-1] + AFTER_S, until_s)
        self._times_s = np.array([stamp_s for stamp_s, _ in index.poses])
        self._poses = [pose for _, pose in index.poses]
        span = np.searchsorted(self._times_s, [start_s, end_s]) if self._poses else (0, 0)
        self._span = slice(int(span[0]), int(span[1]))
        self._result = result
        start = _numbers(result.get('start_pose'), 3)
        self._frame = _Frame(*start) if start else _Frame()

    def pose_at(self, stamp_s: float) -> list[float] | None:
        """Return the newest pose from not after ``stamp_s``."""
        number = int(np.searchsorted(self._times_s, stamp_s, side='right'))
        pose = self._poses[number - 1] if number else None
        return self._frame.place(pose) if pose is not None and pose.finite else None

    def document(self) -> dict[str, Any]:
        """Return path, and where they are known rooms, walls and the source."""
        poses = [pose for pose in self._poses[self._span] if pose.finite]
        thinned = poses[::max(1, len(poses) // MAX_POINTS)]
        source = _numbers(self._result.get('source_xyz'), 3)
        placed = bool(_numbers(self._result.get('start_pose'), 3))
        return {'path': [self._frame.place(pose)[:2] for pose in thinned],
                'source': source[:2] if source and placed else None,
                **(_house(self._result.get('house')) if placed else {})}

    def caption(self) -> str:
        """Return what is known about how the episode ended."""
        result = self._result
        if not isinstance(result.get('success'), bool):
            return ''
        sound = str(result.get('sound', 'sound')).replace('_', ' ')
        return f'{sound}: {"found" if result["success"] else "not found"}'


def _house(name: Any) -> dict[str, Any]:
    """Return the plan of a generated house, where the simulator is installed."""
    if not isinstance(name, str):
        return {}
    try:
        from sim_bridge.episodes import load_house
        house = load_house(name)
    except (ImportError, OSError, ValueError):  # a recording may outlive its floor plan
        return {}
    return {
        'rooms': [np.asarray(room.polygon).round(3).tolist() for room in house.rooms],
        'furniture': [np.asarray(piece.footprint).round(3).tolist()
                      for piece in house.furniture],
        'walls': [[*map(float, wall.start), *map(float, wall.end)] for wall in house.walls()
                  if wall.bottom_m == 0]}


def _numbers(values: Any, count: int) -> list[float] | None:
    usable = isinstance(values, list) and len(values) >= count and all(
        isinstance(value, (int, float)) and math.isfinite(value) for value in values[:count])
    return [float(value) for value in values[:count]] if usable else None
