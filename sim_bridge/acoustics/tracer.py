# SPDX-License-Identifier: Apache-2.0
"""Energy ray tracer: one pass per source fills energy histograms at all listeners.

Rays carry the energy of six bands through vertical walls (with doors and lintels), floor and
ceiling. At a surface a ray scatters (Lambert) with the probability of the surface's scattering
coefficient, else it mirrors. What a detector counts is energy times path inside over volume, in
units in which a free source gives 1 at 1 m. Straight rays and rays with one mirror reflection are
left out: ``arrivals`` renders them sharply.
"""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.acoustics.bands import AIR_ABSORPTION_DB_PER_M
from sim_bridge.acoustics.bands import BANDS
from sim_bridge.acoustics.bands import SPEED_OF_SOUND_MPS
from sim_bridge.acoustics.detectors import build_detectors
from sim_bridge.acoustics.detectors import CELL_M
from sim_bridge.acoustics.detectors import chord
from sim_bridge.acoustics.detectors import sees_center
from sim_bridge.acoustics.early import label_at
from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.acoustics.kernel import kernel

AZIMUTH_BINS = 12  # bin k is centred on k * 2 pi / 12 in the world
BIN_S = 0.005
_SPENT = 1e-7  # share of its energy below which a ray is dropped
_GOLDEN_RAD = math.pi * (3.0 - math.sqrt(5.0))


def trace(enclosure: Enclosure, source_xyz: np.ndarray, *, listeners: np.ndarray,
          height_m: float, duration_s: float, rays: int, rng: np.random.Generator) -> np.ndarray:
    """Trace ``rays`` rays from a source, (3,) metres, to ``listeners``, (n, 2) metres.

    Returns:
        (n, 12, t, 6) float32, energy of the late field by listener, azimuth in the world that it
        comes from, ``BIN_S`` since emission, and band; air absorption included.
    """
    bins = math.ceil(duration_s / BIN_S - 1e-9)
    energy = np.zeros((len(listeners), AZIMUTH_BINS, bins, BANDS), np.float32)
    detectors = build_detectors(listeners, enclosure.faces, height_m=height_m,
                                ceiling_m=enclosure.height_m)
    _trace(enclosure.faces, enclosure.reflectance, enclosure.scattering, enclosure.floor,
           enclosure.ceiling, enclosure.height_m, np.asarray(source_xyz, np.float64), detectors,
           rays, np.uint64(rng.integers(1, 2 ** 63)), energy)
    length_m = (np.arange(bins) + 0.5) * BIN_S * SPEED_OF_SOUND_MPS
    air = 10.0 ** (-length_m[:, None] * AIR_ABSORPTION_DB_PER_M / 10.0)
    energy *= (air / detectors.volume_m3[:, None, None, None]).astype(np.float32)
    return energy


@kernel
def _trace(faces, reflectance, scattering, floor, ceiling, height_m, source, detectors, rays,
           seed, energy):
    reach_m = energy.shape[2] * BIN_S * SPEED_OF_SOUND_MPS
    stamps = np.full(energy.shape[0], -1, np.int64)  # the last leg that a detector looked at
    state = np.empty(1, np.uint64)
    state[0] = seed
    turn_rad = 2.0 * math.pi * _uniform(state)
    position, direction, normal = np.empty(3), np.empty(3), np.empty(3)
    carried = np.empty(BANDS)
    leg = 0
    for ray in range(rays):
        height = 1.0 - (2.0 * ray + 1.0) / rays  # a sunflower on the sphere
        flat = math.sqrt(1.0 - height * height)
        direction[0] = flat * math.cos(turn_rad + ray * _GOLDEN_RAD)
        direction[1] = flat * math.sin(turn_rad + ray * _GOLDEN_RAD)
        direction[2] = height
        position[:] = source
        carried[:] = 4.0 * math.pi / rays
        gone_m, bounces, mirrored = 0.0, 0, True
        while gone_m < reach_m:
            leg_m, surface = _next_hit(faces, height_m, position, direction)
            if surface == _NOTHING:
                break
            if bounces > 1 or not mirrored:
                _count(faces, detectors, energy, stamps, leg, position, direction, leg_m, gone_m,
                       carried)
            leg += 1
            gone_m += leg_m
            position += leg_m * direction
            scatters = _reflect_energy(surface, faces, reflectance, scattering, floor, ceiling,
                                       position, normal, carried)
            if carried.max() < _SPENT * 4.0 * math.pi / rays:
                break
            bounces += 1
            if _uniform(state) < scatters:
                mirrored = False
                _lambert(direction, normal, state)
            else:
                direction -= 2.0 * (direction[0] * normal[0] + direction[1] * normal[1]
                                    + direction[2] * normal[2]) * normal


_NOTHING, _FLOOR, _CEILING = -3, -2, -1  # other surfaces are indices of faces


@kernel
def _next_hit(faces, height_m, position, direction):
    """Length of the leg up to the first surface, and which surface that is."""
    leg_m, surface = np.inf, _NOTHING
    if direction[2] < -1e-12:
        leg_m, surface = max(position[2], 0.0) / -direction[2], _FLOOR
    elif direction[2] > 1e-12:
        leg_m, surface = max(height_m - position[2], 0.0) / direction[2], _CEILING
    dx, dy = direction[0], direction[1]
    for index in range(faces.shape[0]):
        ux, uy = faces[index, 2], faces[index, 3]
        toward = dx * uy - dy * ux  # speed towards the face from its left side
        if toward <= 1e-12:
            continue
        rel_x, rel_y = position[0] - faces[index, 0], position[1] - faces[index, 1]
        away = rel_y * ux - rel_x * uy
        if away < -1e-9:
            continue
        at_m = max(away, 0.0) / toward
        if at_m < leg_m:
            along_m = (rel_x + at_m * dx) * ux + (rel_y + at_m * dy) * uy
            z = position[2] + at_m * direction[2]
            if (-1e-9 <= along_m <= faces[index, 4] + 1e-9
                    and faces[index, 5] <= z < faces[index, 6]):
                leg_m, surface = at_m, index
    return leg_m, surface


@kernel
def _reflect_energy(surface, faces, reflectance, scattering, floor, ceiling, position, normal,
                    carried):
    """Take the absorbed part off ``carried``, fill ``normal``, return the scattering."""
    normal[:] = 0.0
    if surface >= 0:
        normal[0], normal[1] = -faces[surface, 3], faces[surface, 2]
        carried *= reflectance[surface]
        return scattering[surface]
    level = floor if surface == _FLOOR else ceiling
    normal[2] = 1.0 if surface == _FLOOR else -1.0
    label = label_at(level, position[0], position[1])
    carried *= level.reflectance[label]
    return level.scattering[label]


@kernel
def _lambert(direction, normal, state):
    """Turn ``direction`` to a random one about ``normal``, by the cosine law."""
    cos_polar = math.sqrt(_uniform(state))
    sin_polar = math.sqrt(1.0 - cos_polar * cos_polar)
    around = 2.0 * math.pi * _uniform(state)
    a, b = sin_polar * math.cos(around), sin_polar * math.sin(around)
    if normal[2] != 0.0:
        direction[0], direction[1], direction[2] = a, b, cos_polar * normal[2]
    else:
        direction[0] = cos_polar * normal[0] - a * normal[1]
        direction[1] = cos_polar * normal[1] + a * normal[0]
        direction[2] = b


@kernel
def _count(faces, detectors, energy, stamps, leg, position, direction, leg_m, gone_m, carried):
    """Walk the cells under a leg and count it in the cylinders that it passes."""
    x, y = position[0] - detectors.origin[0], position[1] - detectors.origin[1]
    dx, dy = direction[0], direction[1]
    columns, rows = detectors.shape
    step_x, step_y = 1 if dx > 0 else -1, 1 if dy > 0 else -1
    column, row = int(math.floor(x / CELL_M)), int(math.floor(y / CELL_M))
    next_x = ((column + (dx > 0)) * CELL_M - x) / dx if dx != 0.0 else np.inf
    next_y = ((row + (dy > 0)) * CELL_M - y) / dy if dy != 0.0 else np.inf
    across_x = CELL_M / abs(dx) if dx != 0.0 else np.inf
    across_y = CELL_M / abs(dy) if dy != 0.0 else np.inf
    at_m = 0.0
    while at_m < leg_m:
        if 0 <= column < columns and 0 <= row < rows:
            cell = row * columns + column
            for slot in range(detectors.cell_starts[cell], detectors.cell_starts[cell + 1]):
                index = detectors.members[slot]
                if stamps[index] != leg:
                    stamps[index] = leg
                    _count_at(faces, detectors, energy, index, position, direction, leg_m, gone_m,
                              carried)
        if next_x < next_y:
            at_m, next_x, column = next_x, next_x + across_x, column + step_x
        else:
            at_m, next_y, row = next_y, next_y + across_y, row + step_y


@kernel
def _count_at(faces, detectors, energy, index, position, direction, leg_m, gone_m, carried):
    from_m, to_m = chord(detectors, index, position[0], position[1], position[2], direction[0],
                         direction[1], direction[2], leg_m)
    if to_m <= from_m:
        return
    middle_m = 0.5 * (from_m + to_m)
    time_bin = int((gone_m + middle_m) / (BIN_S * SPEED_OF_SOUND_MPS))
    if time_bin >= energy.shape[2] or not sees_center(
            detectors, faces, index, position[0] + middle_m * direction[0],
            position[1] + middle_m * direction[1]):
        return
    azimuth_rad = math.atan2(-direction[1], -direction[0])
    azimuth_bin = int(math.floor(azimuth_rad * AZIMUTH_BINS / (2.0 * math.pi) + 0.5))
    inside_m = to_m - from_m
    for band in range(BANDS):
        energy[index, azimuth_bin % AZIMUTH_BINS, time_bin, band] += carried[band] * inside_m


@kernel
def _uniform(state):
    """Next float in [0, 1) of SplitMix64 (Steele, Lea, Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)
