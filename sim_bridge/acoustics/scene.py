# SPDX-License-Identifier: Apache-2.0
"""The acoustics of one house."""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.acoustics.arrivals import ArrivalFinder
from sim_bridge.acoustics.arrivals import MIN_DISTANCE_M
from sim_bridge.acoustics.diffraction import CornerGraph
from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.acoustics.sound_field import SoundField
from sim_bridge.acoustics.tracer import trace
from sim_bridge.acoustics.visibility import is_clear
from sim_bridge.house.plan import House

_ASIDE_M = (0.1, 0.2)  # how far a source steps aside for a listener at its place
_TRIES = 32


class AcousticScene:
    """Sound in an enclosure; corners and what they see are worked out once per ear height."""

    def __init__(self, house: House | Enclosure) -> None:
        """Take a house, or an enclosure of plain arrays."""
        self.enclosure = house if isinstance(house, Enclosure) else Enclosure.from_house(house)
        self._corners: dict[float, CornerGraph] = {}

    def corners(self, height_m: float) -> CornerGraph:
        """Corners that sound bends around at one height."""
        if height_m not in self._corners:
            self._corners[height_m] = CornerGraph.from_faces(
                self.enclosure.walls.geometry, height_m)
        return self._corners[height_m]

    def arrival_finder(self, source_xyz: np.ndarray, *, height_m: float) -> ArrivalFinder:
        """Prepare the sharp arrivals from a source, (3,) metres, for ears at ``height_m``."""
        return ArrivalFinder(self.enclosure, self.corners(height_m),
                             source_xyz=source_xyz, height_m=height_m)

    def sound_field(self, source_xyz: np.ndarray, receivers: np.ndarray, *, height_m: float,
                    duration_s: float = 0.4, rays: int = 20000,
                    rng: np.random.Generator) -> SoundField:
        """Work out what listeners hear of one source.

        A listener at the very place of the source would hear both ears alike at every heading: a
        marker that no real robot has. If one is closer than 0.3 m, the source therefore steps
        0.1-0.2 m aside in a direction that ``rng`` draws, for all listeners, and level is that
        of 0.3 m at least. ``SoundField.source_xyz`` says where it stands.

        Args:
            source_xyz: (3,) metres.
            receivers: (n, 2) metres.
            height_m: of the ears.
            duration_s: of the responses.
            rays: of the tracer; 20 000 take under a second.

        Raises:
            ValueError: a position is not finite, the source is not between floor and ceiling,
                or ``duration_s`` or ``rays`` is not positive.
        """
        receivers = np.array(receivers, np.float64).reshape(-1, 2)
        source = np.array(source_xyz, np.float64).reshape(3)
        self._check(source, receivers, height_m)
        if not duration_s > 0 or not rays > 0:
            raise ValueError(f'duration_s and rays must be positive, got {duration_s} and {rays}')
        gap_m = np.hypot(*(receivers - source[:2]).T).min()
        if math.hypot(gap_m, source[2] - height_m) < MIN_DISTANCE_M:
            source = self._step_aside(source, height_m, rng)
        arrivals = self.arrival_finder(source, height_m=height_m).at(receivers)
        late_energy = trace(self.enclosure, source, listeners=receivers, height_m=height_m,
                            duration_s=duration_s, rays=rays, rng=rng)
        return SoundField(source, receivers, arrivals, late_energy, duration_s,
                          int(rng.integers(2 ** 63)))

    def _step_aside(self, source: np.ndarray, height_m: float,
                    rng: np.random.Generator) -> np.ndarray:
        faces = self.corners(height_m).faces
        for _ in range(_TRIES):
            angle_rad, step_m = rng.uniform(0, 2 * math.pi), rng.uniform(*_ASIDE_M)
            step = np.array([math.cos(angle_rad), math.sin(angle_rad)])
            beyond = source[:2] + (step_m + 0.05) * step  # keeps the source off the wall
            if is_clear(faces, source[0], source[1], beyond[0], beyond[1]):
                return np.array([*(source[:2] + step_m * step), source[2]])
        return source

    def _check(self, source: np.ndarray, receivers: np.ndarray, height_m: float) -> None:
        if not (np.isfinite(source).all() and np.isfinite(receivers).all() and len(receivers)):
            raise ValueError('source and receivers must be finite and at least one receiver')
        for name, value in (('source height', source[2]), ('height_m', height_m)):
            if not 0 < value < self.enclosure.height_m:
                raise ValueError(f'{name} must be in (0, {self.enclosure.height_m}) m, '
                                 f'got {value}')
