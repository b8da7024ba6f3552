# SPDX-License-Identifier: Apache-2.0
"""Checks before habitat-sim gets to abort, or to simulate something else than was meant."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from sim_bridge.habitat.backend import WorldError

# AudioSensor::runSimulation of these releases adds the source at elements 1, 2 and 3 of a vector
# of three; 0.3.0 and the branch that SoundSpaces names are right.
_MISPLACE_SOURCES = ((0, 3, 1), (0, 3, 4))
_BUILD = 'build the branch RLRAudioPropagationUpdate with --headless --audio, as SoundSpaces does'
SCENE_MARGIN_M = 0.5
LARGEST_SNAP_M = 0.5  # vertically; goals of SoundSpaces lie 0.1 m above the floor
_FLOOR_TOLERANCE_M = 0.1  # of a head against the top of the scene


def check_build(habitat_sim: Any) -> None:
    """Refuse builds whose audio sensor aborts the process or misplaces the source.

    Raises:
        WorldError: says which, and what to build.
    """
    version = getattr(habitat_sim, '__version__', '')
    if not getattr(habitat_sim, 'audio_enabled', False):
        raise WorldError(f'habitat-sim {version} was built without audio, and its audio sensor '
                         f'would abort the process: {_BUILD}')
    numbers = tuple(int(part) for part in re.findall(r'\d+', version)[:3])
    if _MISPLACE_SOURCES[0] <= numbers <= _MISPLACE_SOURCES[1]:
        raise WorldError(f'habitat-sim {version} puts sound sources at wrong coordinates '
                         f'(AudioSensor::runSimulation): {_BUILD}')


def check_inside(place: np.ndarray, name: str, box: tuple[np.ndarray, np.ndarray]) -> None:
    """Refuse a place outside the scene, which is what a scene on its side looks like.

    Args:
        place: (3,) metres, y up.
        name: of the place, for the message.
        box: lowest and highest corner of the scene, (3,) each.

    Raises:
        WorldError: the place is more than ``SCENE_MARGIN_M`` outside.
    """
    low, high = box
    if (place < low - SCENE_MARGIN_M).any() or (place > high + SCENE_MARGIN_M).any():
        raise WorldError(
            f'{name} {_text(place)} is outside the scene, {_text(low)} to {_text(high)}: is its '
            'up axis y? A bare .glb is taken as z up; give --scene-dataset, or a '
            'stage_config.json with "up": [0, 1, 0]')


def check_on_floor(place: np.ndarray, snapped: np.ndarray, name: str) -> None:
    """Refuse a place that the navigation mesh does not have.

    Args:
        place: (3,) as asked for.
        snapped: (3,) nearest place of the mesh; NaN where there is none.

    Raises:
        WorldError: there is none within ``LARGEST_SNAP_M`` of height, or none at all.
    """
    if not np.isfinite(snapped).all() or abs(snapped[1] - place[1]) > LARGEST_SNAP_M:
        raise WorldError(f'{name} {_text(place)} is not on the navigation mesh, the nearest place '
                         f'is {_text(snapped)}')


def check_under_roof(place: np.ndarray, name: str, *, height_m: float, top_m: float) -> None:
    """Refuse a place on a roof: the robot's head would be above everything.

    Raises:
        WorldError: ``place`` (3,) and ``height_m`` reach over ``top_m``, the top of the scene.
    """
    if place[1] + height_m > top_m + _FLOOR_TOLERANCE_M:
        raise WorldError(f'{name} {_text(place)} lies on a roof: a robot of {height_m} m would '
                         f'reach over the top of the scene at {top_m:.2f} m')


def check_way(geodesic_m: float, start: np.ndarray, goal: np.ndarray) -> None:
    """Refuse a goal on another island of the mesh, a roof or a garden for example.

    Raises:
        WorldError: no way leads from ``start`` to ``goal``.
    """
    if not np.isfinite(geodesic_m):
        raise WorldError(f'no way leads from {_text(start)} to {_text(goal)}: they lie on '
                         'different islands of the navigation mesh, one of them a roof perhaps')


def _text(place: np.ndarray) -> str:
    return '(' + ', '.join(f'{each:.2f}' for each in place) + ')'
