# SPDX-License-Identifier: Apache-2.0
"""Episodes from anywhere to anywhere: each on a lattice of its own, through the robot's pose.

A robot that makes ideal steps and quarter turns never leaves the lattice through its start, so
distances and fewest actions are exact for it, and metrics mean what they mean in the grid world.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from sim_bridge.episodes import Episode
from sim_bridge.episodes import SHORTEST_GEODESIC_M
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.navigation import HEADINGS
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.house.plan import House

TRIES = 32


def own_lattice(house: House, seed: int, *, step_m: float) -> NavigationGraph:
    """Lattice of random offset and rotation, from the seed of an episode."""
    rng = np.random.default_rng([seed, 0])
    return build_navigation_graph(house, step_m=step_m, offset_m=tuple(rng.uniform(0, step_m, 2)),
                                  rotation_rad=float(rng.uniform(0, np.pi / 2)))


def at_arbitrary_pose(episode: Episode, house: House,
                      graph: NavigationGraph) -> tuple[Episode, NavigationGraph]:
    """Move an episode to a lattice of its own, where start and goal become the nearest nodes.

    Seeds from the episode's own on are tried until both ends are reached within a step.

    Args:
        episode: drawn on ``graph``.
        house: of the episode.
        graph: its lattice until now.

    Returns:
        The episode, with the seed of its lattice, and the lattice.

    Raises:
        ValueError: no lattice reaches both ends.
    """
    best, least_m = None, np.inf
    for seed in range(episode.seed, episode.seed + TRIES):
        own = own_lattice(house, seed, step_m=graph.step_m)
        moved, missed_m = _moved(dataclasses.replace(episode, seed=seed), house, graph, own)
        if moved.geodesic_m >= SHORTEST_GEODESIC_M and missed_m < least_m:
            best, least_m = (moved, own), missed_m
        if least_m <= graph.step_m:
            break
    if best is None:
        raise ValueError(f'no lattice reaches both ends of episode {episode.episode_id!r}')
    return best


def _moved(episode: Episode, house: House, graph: NavigationGraph,
           own: NavigationGraph) -> tuple[Episode, float]:
    """The episode on its own lattice, and by how much that misses its ends."""
    ends = graph.nodes[[episode.start_node, episode.goal_node]]
    start, goal = (_nearest_in_room(own, house, xy) for xy in ends)
    heading = int(np.random.default_rng([episode.seed, 1]).integers(HEADINGS))
    moved = dataclasses.replace(
        episode, start_node=start, goal_node=goal, start_heading=heading,
        geodesic_m=round(float(own.distances_m()[start, goal]), 4),
        oracle_actions=int(own.actions_to(goal)[start, heading]) + 1)
    return moved, float(np.hypot(*(own.nodes[[start, goal]] - ends).T).max())


def _nearest_in_room(graph: NavigationGraph, house: House, xy: np.ndarray) -> int:
    """The nearest node in the same room, or the nearest one where the room has none."""
    away_m = np.hypot(*(graph.nodes - xy).T)
    same_room = house.rooms_at(graph.nodes) == house.room_at(xy)
    return int(np.where(same_room | ~same_room.any(), away_m, np.inf).argmin())
