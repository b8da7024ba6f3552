# SPDX-License-Identifier: Apache-2.0
"""What the server asks of a world, in habitat's coordinates: metres, y up, -z ahead at yaw 0."""

from __future__ import annotations

import dataclasses
import math
from typing import Any
from typing import Mapping
from typing import NamedTuple
from typing import Protocol

import numpy as np

STOP, MOVE_FORWARD, TURN_LEFT, TURN_RIGHT = ACTIONS = (
    'STOP', 'MOVE_FORWARD', 'TURN_LEFT', 'TURN_RIGHT')
_LARGEST_COORDINATE_M = 1e4
_WHOLE = ('sample_rate_hz', 'image_height', 'image_width')


class WorldError(ValueError):
    """The world cannot do what was asked; it goes on."""


@dataclasses.dataclass(frozen=True)
class Robot:
    """The part of a policy's contract that a world must know; ears are at ``ear_height_m``."""

    sample_rate_hz: int
    image_height: int
    image_width: int
    hfov_rad: float
    depth_max_m: float
    camera_height_m: float
    forward_step_m: float
    turn_rad: float
    ear_height_m: float = 1.5  # that of SoundSpaces 2.0, for the source too
    radius_m: float = 0.1
    height_m: float = 1.5

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            whole = field.name in _WHOLE
            kinds = (int,) if whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise WorldError(f'{field.name} must be a {"whole " if whole else ""}number, '
                                 f'got {value!r:.40}')
            if not (value > 0 and math.isfinite(value)):
                raise WorldError(f'{field.name} must be positive and finite, got {value}')
        if max(self.image_height, self.image_width) > 1024 or self.sample_rate_hz > 192_000:
            raise WorldError(f'images must be at most 1024 pixels a side and sound 192 kHz, got '
                             f'{self.image_height} x {self.image_width}, {self.sample_rate_hz}')

    @classmethod
    def from_message(cls, fields: Any) -> Robot:
        """Read a mapping out of a message.

        Raises:
            WorldError: it lacks a field, has an unknown one, or a bad value.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(fields, Mapping) or set(fields) != known:
            raise WorldError(f'robot must be a mapping of {sorted(known)}, got {fields!r:.200}')
        return cls(**fields)


class State(NamedTuple):
    """Where the robot is: position (3,) float64 metres, yaw_rad counter-clockwise about +y."""

    position: np.ndarray
    yaw_rad: float


class Backend(Protocol):
    """One robot in one scene with one sounding source; ``open`` comes first, then ``begin``."""

    def describe(self) -> dict[str, str]:
        """Name and versions of what simulates."""

    def open(self, scene: str, robot: Robot) -> None:
        """Load a scene, kept while it and the robot stay the same."""

    def begin(self, start: State, goal: np.ndarray, seed: int) -> None:
        """Place the robot, and the source above the floor at ``goal``, (3,) metres."""

    def state(self) -> State:
        """Where the robot is."""

    def act(self, action: str) -> bool:
        """Carry out one of ``ACTIONS``; tell whether something was in the way."""

    def drive(self, forward_m: float, turn_rad: float) -> bool:
        """Follow an arc; tell whether something was in the way."""

    def look(self) -> tuple[np.ndarray, np.ndarray]:
        """RGB (H, W, 3) uint8, depth (H, W) float32 in metres."""

    def response(self) -> np.ndarray:
        """Impulse response from the source to the two ears, (2, n) float32."""

    def geodesic_m(self) -> float:
        """Length of the shortest way to the goal."""

    def oracle_action(self) -> str:
        """First action of a shortest way to the goal; STOP at it."""

    def close(self) -> None:
        """Free the scene."""


def point(value: Any, name: str) -> np.ndarray:
    """Read a place out of a message: (3,) float64, metres.

    Raises:
        WorldError: not three finite numbers of a sane size.
    """
    if not isinstance(value, list) or len(value) != 3:
        raise WorldError(f'{name} must be three numbers, got {value!r:.80}')
    place = np.array([number(each, name) for each in value])
    if np.abs(place).max() > _LARGEST_COORDINATE_M:
        raise WorldError(f'{name} must be within {_LARGEST_COORDINATE_M} m, got {value!r:.80}')
    return place


def number(value: Any, name: str) -> float:
    """Read a finite number out of a message, or raise WorldError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise WorldError(f'{name} must be a finite number, got {value!r:.40}')
    return float(value)
