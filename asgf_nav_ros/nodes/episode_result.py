# SPDX-License-Identifier: Apache-2.0
"""What ``episode_result`` says: one simulated episode in raw numbers."""

from __future__ import annotations

import time
from typing import Any

from asgf_nav_ros.contract import Action
from sim_bridge.episodes import Episode
from sim_bridge.simulator import Pose2D


class EpisodeRecord:
    """Counts while an episode runs; metrics such as SPL follow from its numbers."""

    def __init__(self, episode: Episode, *, start_s: float, reset_time_s: float) -> None:
        """Begin at ``start_s`` of the simulation's clock."""
        self.episode = episode
        self.start_s, self._reset_time_s = start_s, reset_time_s
        self._wall_start_s = time.perf_counter()
        self._touching = False
        self.actions: list[Action] = []
        self.poses: list[tuple[float, float, float]] = []
        self.collisions = 0
        self.slips = 0

    def acted(self, action: Action, pose: Pose2D) -> None:
        """Take an action that begins at ``pose``."""
        self.actions.append(action)
        self.poses.append((round(pose.x_m, 3), round(pose.y_m, 3), round(pose.yaw_rad, 4)))

    def moved(self, touched: bool) -> None:
        """Take whether the robot touches something now; each new contact is a collision."""
        self.collisions += touched and not self._touching
        self._touching = touched

    @property
    def stopped(self) -> bool:
        """Whether the policy has said STOP."""
        return bool(self.actions) and self.actions[-1] == Action.STOP

    def result(self, *, now_s: float, distance_to_goal_m: float, success_radius_m: float,
               travelled_m: float, end: str) -> dict[str, Any]:
        """The fields of the document, at the end of the episode.

        Args:
            now_s: time of the simulation's clock.
            distance_to_goal_m: geodesic distance that is left.
            success_radius_m: a STOP within this counts.
            travelled_m: length of the path.
            end: what ended it: 'stop', 'max_actions' or 'time_limit'.
        """
        episode, sim_time_s = self.episode, now_s - self.start_s
        wall_time_s = time.perf_counter() - self._wall_start_s
        return {
            'episode': episode.episode_id, 'house': episode.house, 'sound': episode.sound,
            'seed': episode.seed, 'end': end, 'stopped': self.stopped,
            'success': self.stopped and distance_to_goal_m <= success_radius_m,
            'actions': len(self.actions), 'oracle_actions': episode.oracle_actions,
            'path_length_m': travelled_m, 'geodesic_m': episode.geodesic_m,
            'distance_to_goal_m': distance_to_goal_m, 'success_radius_m': success_radius_m,
            'collisions': self.collisions,
            'action_names': [action.name for action in self.actions], 'poses': self.poses,
            'start_s': self.start_s, 'sim_time_s': sim_time_s, 'wall_time_s': wall_time_s,
            'realtime_factor': sim_time_s / wall_time_s, 'reset_time_s': self._reset_time_s,
            'slips': self.slips}


def summary(result: dict[str, Any]) -> str:
    """One line for people."""
    outcome = 'found the sound' if result['success'] else f'ended by {result["end"]}'
    return (f'episode {result["episode"]}: {outcome} after {result["actions"]} actions '
            f'(oracle {result["oracle_actions"]}), {result["distance_to_goal_m"]:.1f} m from it, '
            f'{result["realtime_factor"]:.1f} x real time')
