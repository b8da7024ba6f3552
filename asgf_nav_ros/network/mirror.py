# SPDX-License-Identifier: Apache-2.0
"""Left and right exchanged in what a policy sees, hears, is told and decides."""

from __future__ import annotations

import dataclasses

import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import MOTION_LAST
from asgf_nav_ros.contract import MOTION_POSITION
from asgf_nav_ros.contract import MOTION_YAW
from asgf_nav_ros.contract import PolicyContract

_OTHER = {Action.TURN_LEFT.name: Action.TURN_RIGHT.name,
          Action.TURN_RIGHT.name: Action.TURN_LEFT.name, 'left': 'right', 'right': 'left'}
_ODD_PLANES = ('ild', 'ipd_sin')  # change their sign


def mirrored_contract(contract: PolicyContract) -> PolicyContract:
    """The contract of a policy that decides with and without a mirror, with a memory for each."""
    return dataclasses.replace(contract, mirrored=True, hidden_size=2 * contract.hidden_size)


def own_contract(contract: PolicyContract) -> PolicyContract:
    """The contract of the agent inside a policy that may be mirrored."""
    return dataclasses.replace(contract, mirrored=False, hidden_size=contract.own_size)


class Mirror:
    """Exchanges left and right, for the shapes of one contract.

    Raises:
        ValueError: the contract has one turn without the other.
    """

    def __init__(self, contract: PolicyContract) -> None:
        self._planes = _exchanged(contract.audio_channels)
        self._plane_signs = [-1.0 if name in _ODD_PLANES else 1.0
                             for name in contract.audio_channels]
        self._actions = _exchanged(contract.actions)
        last = _exchanged([action.name for action in Action if action != Action.STOP])
        self._motion = list(range(MOTION_FEATURES))
        self._motion[MOTION_LAST] = last
        self._motion_signs = [1.0] * MOTION_FEATURES
        for vector in (MOTION_POSITION, MOTION_YAW):  # ahead and left, cosine and sine
            self._motion_signs[vector.stop - 1] = -1.0

    def images(self, images: torch.Tensor) -> torch.Tensor:
        """(N, H, W) or (N, H, W, 3)."""
        return images.flip(2)

    def spectrogram(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """(N, bins, frames, channels)."""
        return spectrogram[..., self._planes] * spectrogram.new_tensor(self._plane_signs)

    def motion(self, motion: torch.Tensor) -> torch.Tensor:
        """(N, MOTION_FEATURES), see ``motion.reckoning``."""
        return motion[:, self._motion] * motion.new_tensor(self._motion_signs)

    def actions(self, of_actions: torch.Tensor) -> torch.Tensor:
        """(N, actions), probabilities for example."""
        return of_actions[:, self._actions]

    def direction(self, direction: torch.Tensor) -> torch.Tensor:
        """(N, 3): cosine and sine of an azimuth, and a third value."""
        return direction * direction.new_tensor([1.0, -1.0, 1.0])


def _exchanged(names: list[str] | tuple[str, ...]) -> list[int]:
    """Where each of ``names`` finds its counterpart."""
    missing = [name for name in names if _OTHER.get(name, name) not in names]
    if missing:
        raise ValueError(f'{missing[0]} has no counterpart in a mirror among {list(names)}')
    return [list(names).index(_OTHER.get(name, name)) for name in names]
