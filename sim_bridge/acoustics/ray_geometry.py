# SPDX-License-Identifier: Apache-2.0
"""One leg of a ray: what it hits, how it leaves, and the random numbers for that."""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.acoustics.cell_grid import start_walk
from sim_bridge.acoustics.kernel import kernel

NOTHING, FLOOR, CEILING = -3, -2, -1  # other surfaces are indices of faces


@kernel
def next_hit(faces, cells, origin_x, origin_y, height_m, position, direction):
    """Length of the leg up to the first surface, and which surface that is.

    Faces, (m, 9), stop rays that come from their left side alone; ``cells`` and its origin are
    those of their ``CellGrid``.
    """
    x, y, z = position
    dx, dy, dz = direction
    leg_m, surface = np.inf, NOTHING
    if dz < -1e-12:
        leg_m, surface = max(z, 0.0) / -dz, FLOOR
    elif dz > 1e-12:
        leg_m, surface = max(height_m - z, 0.0) / dz, CEILING
    column, step_x, next_x, across_x = start_walk(origin_x, x, dx)
    row, step_y, next_y, across_y = start_walk(origin_y, y, dy)
    at_m = 0.0
    while at_m <= leg_m and 0 <= row < cells.shape[0] and 0 <= column < cells.shape[1]:
        for slot in range(cells.shape[2]):
            index = cells[row, column, slot]
            if index < 0:
                break
            ux, uy = faces[index, 2], faces[index, 3]
            toward = dx * uy - dy * ux  # speed towards the face from its left side
            if toward > 1e-12:
                rel_x, rel_y = x - faces[index, 0], y - faces[index, 1]
                hit_m = (rel_y * ux - rel_x * uy) / toward
                if 0.0 <= hit_m < leg_m:
                    along_m = (rel_x + hit_m * dx) * ux + (rel_y + hit_m * dy) * uy
                    hit_z = z + hit_m * dz
                    if (-1e-9 <= along_m <= faces[index, 4] + 1e-9
                            and faces[index, 5] <= hit_z < faces[index, 6]):
                        leg_m, surface = hit_m, index
        if next_x < next_y:
            at_m, next_x, column = next_x, next_x + across_x, column + step_x
        else:
            at_m, next_y, row = next_y, next_y + across_y, row + step_y
    return leg_m, surface


@kernel
def mirror(direction, normal):
    """The mirror image of a direction, three floats, at a surface."""
    twice = 2.0 * (direction[0] * normal[0] + direction[1] * normal[1] + direction[2] * normal[2])
    return (direction[0] - twice * normal[0], direction[1] - twice * normal[1],
            direction[2] - twice * normal[2])


@kernel
def scatter(normal, state):
    """A random direction about a horizontal or vertical ``normal``, by Lambert's cosine law."""
    cos_polar = math.sqrt(uniform(state))
    sin_polar = math.sqrt(1.0 - cos_polar * cos_polar)
    around = 2.0 * math.pi * uniform(state)
    a, b = sin_polar * math.cos(around), sin_polar * math.sin(around)
    if normal[2] != 0.0:
        return a, b, cos_polar * normal[2]
    return cos_polar * normal[0] - a * normal[1], cos_polar * normal[1] + a * normal[0], b


@kernel
def uniform(state):
    """Next float in [0, 1) of SplitMix64 (Steele, Lea, Flood 2014); ``state`` is (1,) uint64."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0 ** -53
