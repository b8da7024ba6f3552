# SPDX-License-Identifier: Apache-2.0
"""Contracts of the experiments that SoundSpaces published, by name."""

from __future__ import annotations

import math
from typing import Mapping

from asgf_nav_ros.contract import PolicyContract

# Everything else (128 x 128 images over 90 degrees, depth to 10 m, camera at 1.25 m, a second of
# stereo, 512/400/160 samples, 4 x 4 pooling, two ears, the order of actions) is the same in all
# three and the default of ``PolicyContract``.
PUBLISHED: Mapping[str, PolicyContract] = {
    'replica': PolicyContract(sample_rate_hz=44100, forward_step_m=0.5, system='av_nav'),
    'matterport3d': PolicyContract(sample_rate_hz=16000, forward_step_m=1.0, system='av_nav'),
    'soundspaces2': PolicyContract(sample_rate_hz=16000, forward_step_m=0.25,
                                   turn_rad=math.radians(10.0), system='av_nav'),
}


def published_contract(name: str) -> PolicyContract:
    """Return the contract of that name.

    Raises:
        ValueError: there is none; the message lists those that there are.
    """
    if name not in PUBLISHED:
        raise ValueError(f'contract must be one of {list(PUBLISHED)}, got {name!r}')
    return PUBLISHED[name]
