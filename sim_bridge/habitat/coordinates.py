# SPDX-License-Identifier: Apache-2.0
"""Between habitat's coordinates (y up, -z ahead at yaw 0) and those of robots (REP-103).

Robot x is habitat -z, robot y is habitat -x, and yaw is the same angle: counter-clockwise seen
from above.
"""

from __future__ import annotations

import math
from typing import Sequence

import numpy as np

from sim_bridge.simulator import Pose2D
from sim_bridge.simulator import wrap_rad


def pose_of(position: Sequence[float], yaw_rad: float) -> Pose2D:
    """The pose on the floor of a habitat position, (3,) metres, and a yaw about +y."""
    wrapped = -math.pi < yaw_rad <= math.pi  # to wrap again would round
    return Pose2D(-float(position[2]), -float(position[0]),
                  float(yaw_rad) if wrapped else wrap_rad(float(yaw_rad)))


def position_of(pose: Pose2D, height_m: float = 0.0) -> np.ndarray:
    """The habitat position, (3,) float64 metres, of a pose on a floor of ``height_m``."""
    return np.array([-pose.y_m, height_m, -pose.x_m])


def yaw_of(rotation: Sequence[float]) -> float:
    """Yaw about +y of a quaternion x, y, z, w, as SoundSpaces' episodes give it.

    Raises:
        ValueError: not a rotation about the vertical axis.
    """
    x, y, z, w = (float(each) for each in rotation)
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not length > 0.5 or math.hypot(x, z) > 1e-3 * length:
        raise ValueError('start_rotation must be a quaternion x, y, z, w about the y axis, got '
                         f'{list(rotation)}')
    return wrap_rad(2 * math.atan2(y, w))
