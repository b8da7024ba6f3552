# SPDX-License-Identifier: Apache-2.0
"""All sharp arrivals at listeners: direct or diffracted paths and first reflections."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sim_bridge.acoustics.bands import air_gain
from sim_bridge.acoustics.bands import SPEED_OF_SOUND_MPS
from sim_bridge.acoustics.diffraction import CornerGraph
from sim_bridge.acoustics.diffraction import shortest_from
from sim_bridge.acoustics.direct import first_paths
from sim_bridge.acoustics.direct import PATHS
from sim_bridge.acoustics.early import REFLECTIONS
from sim_bridge.acoustics.early import reflections
from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.acoustics.kernel import kernel

MIN_DISTANCE_M = 0.3  # a listener is at least this far from the source's centre, for level
SLOTS = PATHS + REFLECTIONS


@dataclasses.dataclass(frozen=True, eq=False)
class Arrivals:
    """Arrivals at n listeners in ``SLOTS`` slots each; slot 0 is the shortest path.

    length_m : (n, a) float64, of the path; inf in unused slots.
    azimuth_world_rad : (n, a) float64, from the listener to where the sound comes from.
    elevation_rad : (n, a) float64.
    band_gain : (n, a, 6) float64, amplitude with distance and air; 1 at 1 m; 0 where unused.
    """

    length_m: np.ndarray
    azimuth_world_rad: np.ndarray
    elevation_rad: np.ndarray
    band_gain: np.ndarray

    @property
    def delay_s(self) -> np.ndarray:
        """(n, a) float64, time of flight; inf in unused slots."""
        return self.length_m / SPEED_OF_SOUND_MPS


class ArrivalFinder:
    """Finds the arrivals from one source at any listener, in well under a millisecond each."""

    def __init__(self, enclosure: Enclosure, corners: CornerGraph, *,
                 source_xyz: np.ndarray, height_m: float) -> None:
        """Walk ``corners`` at ``height_m``, that of the ears, once from a source, (3,) metres."""
        self._enclosure, self._corners = enclosure, corners
        self._source = np.array(source_xyz, np.float64)
        self._height_m = height_m
        self._shortest = shortest_from(corners.faces, corners.points, corners.length_m,
                                       self._source[0], self._source[1])

    def at(self, listeners: np.ndarray) -> Arrivals:
        """Find the arrivals at ``listeners``, (n, 2) metres."""
        listeners = np.ascontiguousarray(listeners, np.float64).reshape(-1, 2)
        enclosure, corners = self._enclosure, self._corners
        length_m, azimuth_rad, elevation_rad, gain = _arrivals(
            corners.faces, corners.points, corners.outward, *self._shortest, enclosure.walls,
            enclosure.floor, enclosure.ceiling, enclosure.height_m, self._source,
            listeners, self._height_m)
        used = np.isfinite(length_m)
        distance_m = np.maximum(np.where(used, length_m, 1.0), MIN_DISTANCE_M)
        gain *= air_gain(distance_m) * (used / distance_m)[..., None]
        return Arrivals(length_m, azimuth_rad, elevation_rad, gain)


@kernel
def _arrivals(ear_faces, points, outward, shortest_m, before, walls, floor, ceiling,
              ceiling_m, source, listeners, height_m):
    count = listeners.shape[0]
    length_m = np.full((count, SLOTS), np.inf)
    azimuth_rad, elevation_rad = np.zeros((count, SLOTS)), np.zeros((count, SLOTS))
    gain = np.zeros((count, SLOTS, 6))
    rise_m = source[2] - height_m
    listener = np.empty(3)
    listener[2] = height_m
    for n in range(count):
        listener[:2] = listeners[n]
        plan_m, azimuth_rad[n, :PATHS], loss_db = first_paths(
            ear_faces, points, outward, shortest_m, before, source[:2], listener[:2])
        for slot in range(PATHS):
            if plan_m[slot] < np.inf:
                length_m[n, slot] = math.hypot(plan_m[slot], rise_m)
                elevation_rad[n, slot] = math.atan2(rise_m, plan_m[slot])
                gain[n, slot] = 10.0 ** (-loss_db[slot] / 20.0)
        offset_m, reflected = reflections(walls, floor, ceiling, ceiling_m, source, listener)
        for index in range(REFLECTIONS):
            slot = PATHS + index
            if reflected[index].sum() > 0.0:
                plan = math.hypot(offset_m[index, 0], offset_m[index, 1])
                length_m[n, slot] = math.hypot(plan, offset_m[index, 2])
                azimuth_rad[n, slot] = math.atan2(offset_m[index, 1], offset_m[index, 0])
                elevation_rad[n, slot] = math.atan2(offset_m[index, 2], plan)
                gain[n, slot] = reflected[index]
    return length_m, azimuth_rad, elevation_rad, gain
