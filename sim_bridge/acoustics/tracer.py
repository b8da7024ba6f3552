# SPDX-License-Identifier: Apache-2.0
"""Energy ray tracer: one pass per source fills energy histograms at all listeners.

Rays carry the energy of six bands between walls (with doors and lintels), furniture, floor and
ceiling. At a surface a ray scatters (Lambert) with the probability of the surface's scattering
coefficient, else it mirrors. What a detector counts is energy times path inside over volume, in
units in which a free source gives 1 at 1 m. Straight rays and rays with one mirror reflection off
the shell of the house are left out: ``arrivals`` renders them sharply.
"""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.acoustics.bands import AIR_ABSORPTION_DB_PER_M
from sim_bridge.acoustics.bands import BANDS
from sim_bridge.acoustics.bands import SPEED_OF_SOUND_MPS
from sim_bridge.acoustics.cell_grid import build_cell_grid
from sim_bridge.acoustics.cell_grid import start_walk
from sim_bridge.acoustics.detectors import build_detectors
from sim_bridge.acoustics.detectors import chord
from sim_bridge.acoustics.early import label_at
from sim_bridge.acoustics.enclosure import Enclosure
from sim_bridge.acoustics.kernel import kernel
from sim_bridge.acoustics.ray_geometry import FLOOR
from sim_bridge.acoustics.ray_geometry import mirror
from sim_bridge.acoustics.ray_geometry import next_hit
from sim_bridge.acoustics.ray_geometry import NOTHING
from sim_bridge.acoustics.ray_geometry import scatter
from sim_bridge.acoustics.ray_geometry import uniform
from sim_bridge.acoustics.visibility import is_clear

AZIMUTH_BINS = 12  # bin k is centred on k * 2 pi / 12 in the world
BIN_S = 0.005
_FAINT = 0.02  # share of its energy below which one ray in four goes on for all (roulette)
_SURVIVAL = 0.25
_OFF_WALL_M = 1e-7  # a reflected ray starts here: the other face of a wall is in the same plane
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
    detectors = build_detectors(listeners, enclosure.walls.geometry, height_m=height_m,
                                ceiling_m=enclosure.height_m)
    faces = enclosure.with_furniture()
    ends = faces.geometry[:, :2] + faces.geometry[:, 2:4] * faces.geometry[:, 4:5]
    grid = build_cell_grid(np.minimum(faces.geometry[:, :2], ends),
                           np.maximum(faces.geometry[:, :2], ends))
    _trace(faces, len(enclosure.walls.geometry), grid, enclosure.floor, enclosure.ceiling,
           enclosure.height_m, np.asarray(source_xyz, np.float64), detectors, rays,
           np.uint64(rng.integers(1, 2 ** 63)), energy)
    length_m = (np.arange(bins) + 0.5) * BIN_S * SPEED_OF_SOUND_MPS
    air = 10.0 ** (-length_m[:, None] * AIR_ABSORPTION_DB_PER_M / 10.0)
    energy *= (air / detectors.volume_m3[:, None, None, None]).astype(np.float32)
    return energy


@kernel
def _trace(faces, walls, grid, floor, ceiling, height_m, source, detectors, rays, seed, energy):
    """``faces`` are the ``walls`` walls, then furniture."""
    stamps = np.full(energy.shape[0], -1, np.int64)  # the last leg that a detector looked at
    state = np.empty(1, np.uint64)
    state[0] = seed
    turn_rad = 2.0 * math.pi * uniform(state)
    carried = np.empty(BANDS)
    leg = 0
    for ray in range(rays):
        height = 1.0 - (2.0 * ray + 1.0) / rays  # a sunflower on the sphere
        flat = math.sqrt(1.0 - height * height)
        around_rad = turn_rad + ray * _GOLDEN_RAD
        direction = flat * math.cos(around_rad), flat * math.sin(around_rad), height
        carried[:] = 4.0 * math.pi / rays
        leg = _follow(faces, walls, grid, floor, ceiling, height_m, source, direction, carried,
                      detectors, stamps, leg, state, energy)


@kernel
def _follow(faces, walls, grid, floor, ceiling, height_m, source, direction, carried, detectors,
            stamps, leg, state, energy):
    """Follow one ray until it is late or faint; return the number of its last leg."""
    # The kernels below take plain arrays: reading arrays out of tuples costs reference counts.
    geometry, reflectance, scattering = faces
    cells, origin_x, origin_y = grid
    reach_m = energy.shape[2] * BIN_S * SPEED_OF_SOUND_MPS
    faint = _FAINT * carried[0]
    position = source[0], source[1], source[2]
    gone_m, bounces, sharp = 0.0, 0, True
    while gone_m < reach_m:
        leg_m, surface = next_hit(geometry, cells, origin_x, origin_y, height_m, position,
                                  direction)
        if surface == NOTHING:
            break
        if bounces > 1 or not sharp:
            leg += 1
            _count(geometry, detectors, energy, stamps, leg, position, direction, leg_m, gone_m,
                   carried)
        gone_m += leg_m
        bounces += 1
        position = (position[0] + leg_m * direction[0], position[1] + leg_m * direction[1],
                    position[2] + leg_m * direction[2])
        if surface >= 0:
            normal = -geometry[surface, 3], geometry[surface, 2], 0.0
            scatters = _absorb(carried, reflectance, scattering, surface)
        else:
            level = floor if surface == FLOOR else ceiling
            normal = 0.0, 0.0, 1.0 if surface == FLOOR else -1.0
            scatters = _absorb(carried, level.reflectance, level.scattering,
                               label_at(level, position[0], position[1]))
        if carried.max() < faint:
            if uniform(state) > _SURVIVAL:
                break
            carried /= _SURVIVAL
        position = (position[0] + _OFF_WALL_M * normal[0], position[1] + _OFF_WALL_M * normal[1],
                    position[2] + _OFF_WALL_M * normal[2])
        if uniform(state) < scatters:
            sharp = False
            direction = scatter(normal, state)
        else:
            sharp = sharp and surface < walls
            direction = mirror(direction, normal)
    return leg


@kernel
def _absorb(carried, reflectance, scattering, row):
    """Take the surface's share off ``carried``; return its scattering."""
    for band in range(BANDS):
        carried[band] *= reflectance[row, band]
    return scattering[row]


@kernel
def _count(faces, detectors, energy, stamps, leg, position, direction, leg_m, gone_m, carried):
    """Walk the cells under a leg and count it in the cylinders that it passes."""
    centers, low_m, high_m, _, wall_starts, wall_list, grid = detectors
    cells, origin_x, origin_y = grid
    turn = math.atan2(-direction[1], -direction[0]) / (2.0 * math.pi)
    azimuth_bin = int(math.floor(turn * AZIMUTH_BINS + 0.5)) % AZIMUTH_BINS
    column, step_x, next_x, across_x = start_walk(origin_x, position[0], direction[0])
    row, step_y, next_y, across_y = start_walk(origin_y, position[1], direction[1])
    at_m = 0.0
    while at_m < leg_m:
        if 0 <= row < cells.shape[0] and 0 <= column < cells.shape[1]:
            for slot in range(cells.shape[2]):
                index = cells[row, column, slot]
                if index < 0:
                    break
                if stamps[index] == leg:
                    continue
                stamps[index] = leg
                x, y = centers[index, 0], centers[index, 1]
                from_m, to_m = chord(x, y, low_m, high_m, position, direction, leg_m)
                middle_m = 0.5 * (from_m + to_m)
                time_bin = int((gone_m + middle_m) / (BIN_S * SPEED_OF_SOUND_MPS))
                if to_m > from_m and time_bin < energy.shape[2] and _sees(
                        faces, wall_starts, wall_list, index, x, y,
                        position[0] + middle_m * direction[0],
                        position[1] + middle_m * direction[1]):
                    for band in range(BANDS):
                        energy[index, azimuth_bin, time_bin, band] += (
                            carried[band] * (to_m - from_m))
        if next_x < next_y:
            at_m, next_x, column = next_x, next_x + across_x, column + step_x
        else:
            at_m, next_y, row = next_y, next_y + across_y, row + step_y


@kernel
def _sees(faces, wall_starts, wall_list, index, center_x, center_y, x, y):
    """Tell whether a point in a cylinder is on the same side of all walls as its centre."""
    for slot in range(wall_starts[index], wall_starts[index + 1]):
        wall = wall_list[slot]
        if not is_clear(faces[wall:wall + 1], x, y, center_x, center_y):
            return False
    return True
