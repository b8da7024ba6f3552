# SPDX-License-Identifier: Apache-2.0
"""First-order mirror reflections off walls, floor and ceiling."""

from __future__ import annotations

import math

import numpy as np

from sim_bridge.acoustics.enclosure import CELL_M
from sim_bridge.acoustics.kernel import kernel
from sim_bridge.acoustics.visibility import coverage
from sim_bridge.acoustics.visibility import crossing
from sim_bridge.acoustics.visibility import open_share

REFLECTIONS = 12  # kept per listener, the strongest
_OFF_WALL_M = 1e-6
SOFTNESS_M = 0.2  # over which a reflection fades in and out at the edges of walls


@kernel
def reflections(walls, floor, ceiling, height_m, source, listener):
    """Mirror sources of one source and listener, (3,) each, metres.

    Each loses to absorption and scattering (amplitude sqrt((1 - absorption)(1 - scattering)));
    what scatters comes back through the ray tracer.

    Args:
        walls, floor, ceiling, height_m: of the ``Enclosure``.

    Returns:
        offset_m (12, 3) from the listener to the mirror source, and gain (12, 6) without the
        loss of distance and air, 0 where unused.
    """
    offset_m, gain = np.zeros((REFLECTIONS, 3)), np.zeros((REFLECTIONS, 6))
    image, hit = np.empty(3), np.empty(3)
    faces = walls.geometry
    for index in range(faces.shape[0]):
        open_to = _wall_opening(faces, index, source, listener, image, hit)
        if open_to > 0.0:
            _keep(offset_m, gain, image - listener, open_to,
                  walls.reflectance[index], walls.scattering[index])
    for above in (False, True):
        open_to = _level_opening(faces, above * height_m, source, listener, image, hit)
        if open_to > 0.0:
            surface = ceiling if above else floor
            label = label_at(surface, hit[0], hit[1])
            _keep(offset_m, gain, image - listener, open_to,
                  surface.reflectance[label], surface.scattering[label])
    return offset_m, gain


@kernel
def label_at(surface, x, y):
    """Row of the tables of a ``SurfaceMap`` at a point; the nearest one outside of it."""
    rows, columns = surface.labels.shape
    row = min(max(int((y - surface.origin[1]) / CELL_M), 0), rows - 1)
    column = min(max(int((x - surface.origin[0]) / CELL_M), 0), columns - 1)
    return surface.labels[row, column]


@kernel
def _wall_opening(faces, index, source, listener, image, hit):
    """Fill the mirror source and the point of reflection; the share that gets through."""
    face = faces[index]
    normal_x, normal_y = -face[3], face[2]
    source_m = (source[0] - face[0]) * normal_x + (source[1] - face[1]) * normal_y
    listener_m = (listener[0] - face[0]) * normal_x + (listener[1] - face[1]) * normal_y
    if source_m <= 1e-6 or listener_m <= 1e-6:
        return 0.0
    image[0] = source[0] - 2.0 * source_m * normal_x
    image[1] = source[1] - 2.0 * source_m * normal_y
    image[2] = source[2]
    share, along_m = crossing(face, image[0], image[1], listener[0], listener[1])
    if share < 0.0:
        return 0.0
    hit[:] = image + share * (listener - image)
    open_to = coverage(face, along_m, hit[2], SOFTNESS_M)
    hit[0] += _OFF_WALL_M * normal_x  # both legs end in front of the wall, not in it
    hit[1] += _OFF_WALL_M * normal_y
    if open_to > 0.0:
        open_to *= open_share(faces, source, hit, SOFTNESS_M)
    if open_to > 0.0:
        open_to *= open_share(faces, hit, listener, SOFTNESS_M)
    return open_to


@kernel
def _level_opening(faces, level_m, source, listener, image, hit):
    """As ``_wall_opening`` for the floor or the ceiling at ``level_m``."""
    image[:] = source
    image[2] = 2.0 * level_m - source[2]
    share = (level_m - image[2]) / (listener[2] - image[2])
    hit[:] = image + share * (listener - image)
    open_to = open_share(faces, source, hit, SOFTNESS_M)
    if open_to > 0.0:
        open_to *= open_share(faces, hit, listener, SOFTNESS_M)
    return open_to


@kernel
def _keep(offset_m, gain, offset, open_to, reflectance, scattering):
    """Put a reflection in place of the weakest one that is kept, if it is stronger."""
    energy = 0.0
    for band in range(6):
        energy += reflectance[band]
    energy *= open_to ** 2 * (1.0 - scattering) / np.sum(offset ** 2)
    weakest, weakest_energy = -1, energy
    for slot in range(REFLECTIONS):
        kept = np.sum(gain[slot] ** 2)
        if kept > 0.0:
            kept /= np.sum(offset_m[slot] ** 2)
        if kept < weakest_energy:
            weakest, weakest_energy = slot, kept
    if weakest >= 0:
        offset_m[weakest] = offset
        for band in range(6):
            gain[weakest, band] = open_to * math.sqrt(reflectance[band] * (1.0 - scattering))
