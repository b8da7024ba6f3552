# SPDX-License-Identifier: Apache-2.0
"""Which rooms a camera may see: its view, narrowed by every door that it passes through."""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.house.plan import House
from sim_bridge.house.plan_checks import rooms_of_door

NEAR_DOOR_M = 0.3  # so close to an opening its angles say nothing


class RoomVisibility:
    """Answers for one house; never leaves out a room that can be seen."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._doors: list[list[tuple[int, int]]] = [[] for _ in house.rooms]
        for index, door in enumerate(house.doors):
            joined = rooms_of_door(house, door)
            for room in joined:
                self._doors[room].extend((index, other) for other in joined if other != room)

    def visible(self, xy: np.ndarray, yaw_rad: float, half_angle_rad: float) -> list[int]:
        """Rooms within ``half_angle_rad`` (under pi) of the heading, in rising order."""
        room = self._house.room_at(xy)
        if room < 0:  # on a wall or outside
            return list(range(len(self._house.rooms)))
        spans = [self._span(door.start, door.end, xy, yaw_rad) for door in self._house.doors]
        seen: set[int] = set()
        self._look(room, -half_angle_rad, half_angle_rad, spans, frozenset([room]), seen)
        return sorted(seen)

    def _look(self, room: int, low: float, high: float, spans: list[tuple[float, float]],
              passed: frozenset[int], seen: set[int]) -> None:
        seen.add(room)
        for door, other in self._doors[room]:
            if other in passed:
                continue
            # The same opening may be in view on either side of the cut at +-pi.
            for turn in (-2 * math.pi, 0.0, 2 * math.pi):
                first, last = max(low, spans[door][0] + turn), min(high, spans[door][1] + turn)
                if first < last:
                    self._look(other, first, last, spans, passed | {other}, seen)

    @staticmethod
    def _span(start: np.ndarray, end: np.ndarray, xy: np.ndarray,
              yaw_rad: float) -> tuple[float, float]:
        """Bearing of an opening, counter-clockwise from the heading, as (low, high)."""
        ax, ay = float(start[0] - xy[0]), float(start[1] - xy[1])
        bx, by = float(end[0] - xy[0]), float(end[1] - xy[1])
        along_x, along_y = bx - ax, by - ay
        share = -(ax * along_x + ay * along_y) / (along_x * along_x + along_y * along_y)
        share = min(max(share, 0.0), 1.0)
        if math.hypot(ax + share * along_x, ay + share * along_y) < NEAR_DOOR_M:
            return -math.pi, math.pi
        first = (math.atan2(ay, ax) - yaw_rad + math.pi) % (2 * math.pi) - math.pi
        wide = (math.atan2(by, bx) - math.atan2(ay, ax) + math.pi) % (2 * math.pi) - math.pi
        return min(first, first + wide), max(first, first + wide)
