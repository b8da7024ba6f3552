# SPDX-License-Identifier: Apache-2.0
"""Rooms with known acoustics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.acoustics.enclosure import surface_map
from sim_bridge.acoustics.enclosure import vertical_faces
from sim_bridge.acoustics.hrtf import Hrtf


def extruded(polygon: np.ndarray, *, height_m: float = 2.5, absorption: float = 0.2,
             scattering: float = 0.3) -> Enclosure:
    """One material everywhere between the walls of a counter-clockwise polygon."""
    polygon = np.asarray(polygon, np.float64)
    count = len(polygon)
    level = surface_map([polygon], [(np.full(6, absorption), scattering)])
    walls = vertical_faces(np.hstack([polygon, np.roll(polygon, -1, axis=0)]),
                           np.full((count, 6), absorption), np.full(count, scattering),
                           height_m=height_m)
    return Enclosure(walls, level, level, height_m)


def rectangle(width_m: float, depth_m: float) -> np.ndarray:
    return np.array([[0, 0], [width_m, 0], [width_m, depth_m], [0, depth_m]])


@pytest.fixture(scope='session')
def extrude() -> Callable[..., Enclosure]:
    return extruded


@pytest.fixture(scope='session')
def shoebox() -> Callable[..., Enclosure]:
    """shoebox(width_m, depth_m, height_m=, absorption=, scattering=)"""
    return lambda width_m, depth_m, **surface: extruded(rectangle(width_m, depth_m), **surface)


@pytest.fixture(scope='session')
def two_rooms() -> Enclosure:
    """Two rooms of 4 m x 3 m with a wall of no thickness, and a door from y = 1 to y = 2."""
    segments = [[0, 0, 8, 0], [8, 0, 8, 3], [8, 3, 0, 3], [0, 3, 0, 0]]
    for y0, y1 in ((0, 1), (2, 3)):
        segments += [[4, y0, 4, y1], [4, y1, 4, y0]]
    segments += [[4, 1, 4, 2], [4, 2, 4, 1]]  # the lintel
    bottoms_m = [0.0] * 8 + [2.0] * 2
    level = surface_map([rectangle(8, 3)], [(np.full(6, 0.2), 0.3)])
    walls = vertical_faces(segments, np.full((10, 6), 0.2), np.full(10, 0.3), height_m=2.5,
                           bottoms_m=bottoms_m)
    return Enclosure(walls, level, level, 2.5)


@pytest.fixture(scope='session')
def kemar() -> Hrtf:
    return Hrtf.load()


@pytest.fixture(scope='session')
def reverberation_time_s() -> Callable[[np.ndarray, float], float]:
    """T20: from the slope between -5 and -25 dB of the energy that is still to come."""
    def fit(energy: np.ndarray, bin_s: float) -> float:
        left = np.cumsum(energy[::-1])[::-1]
        level_db = 10 * np.log10(left / left[0] + 1e-12)
        inside = np.flatnonzero((level_db < -5) & (level_db > -25))
        return -60.0 / np.polyfit(inside * bin_s, level_db[inside], 1)[0]
    return fit
