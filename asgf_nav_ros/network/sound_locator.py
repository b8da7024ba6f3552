# SPDX-License-Identifier: Apache-2.0
"""What one window says about its source: the networks of Direction Follower and Gan et al."""

from __future__ import annotations

import torch
from torch import nn

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.encoders import AudioEncoder
from asgf_nav_ros.network.encoders import FEATURES
from asgf_nav_ros.network.encoders import kaiming_

DIRECTION_FOLLOWER, LOOK_LISTEN_ACT = 'direction_follower', 'look_listen_act'
OUTPUTS = {DIRECTION_FOLLOWER: ('direction', 'at_goal'), LOOK_LISTEN_ACT: ('offset', 'at_goal')}
INPUTS = ('spectrogram',)
_HIDDEN = 256
_HEAD_GAIN = 0.01


class SoundLocator(nn.Module):
    """An audio encoder as AV-Nav's and two linear layers.

    Raises:
        ValueError: the contract is of another system.
    """

    def __init__(self, contract: PolicyContract) -> None:
        super().__init__()
        if contract.system not in OUTPUTS:
            raise ValueError(f'system must be one of {list(OUTPUTS)}, got {contract.system!r}')
        self.contract = contract
        self.audio = AudioEncoder(contract.spectrogram_shape)
        self.trunk = nn.Sequential(nn.Linear(FEATURES, _HIDDEN), nn.ReLU())
        kaiming_(self.trunk)
        self.head = nn.Linear(_HIDDEN, 3)
        nn.init.orthogonal_(self.head.weight, gain=_HEAD_GAIN)
        nn.init.zeros_(self.head.bias)

    def forward(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Locate the source from (B, bins, frames, channels) float32.

        Returns:
            A vector (B, 2) and the logit (B,) of standing at the source. The vector is, for
            ``direction_follower``, the cosine and sine of the azimuth at which sound arrives;
            for ``look_listen_act`` the direction of the source itself times log1p of its
            distance in metres, see ``offset_m``. Azimuths are egocentric, left positive.
        """
        outputs = self.head(self.trunk(self.audio(spectrogram))).float()
        return outputs[:, :2], outputs[:, 2]


class DeployedLocator(nn.Module):
    """``SoundLocator`` with the outputs of the file, in the order of ``OUTPUTS``."""

    def __init__(self, locator: SoundLocator) -> None:
        super().__init__()
        self.locator = locator

    def forward(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return direction (B, 2) or offset (B, 2) in metres, and the probability at_goal (B,)."""
        vector, logit = self.locator(spectrogram)
        if self.locator.contract.system == LOOK_LISTEN_ACT:
            vector = offset_m(vector)
        return vector, torch.sigmoid(logit)


def offset_m(compressed: torch.Tensor) -> torch.Tensor:
    """Undo ``compressed_offset``: (B, 2) -> metres ahead and to the left, (B, 2)."""
    length = compressed.norm(dim=-1, keepdim=True)
    # ONNX has no expm1.
    return compressed * (length.clamp(max=5.0).exp() - 1) / length.clamp(min=1e-6)


def compressed_offset(offset: torch.Tensor) -> torch.Tensor:
    """Shorten offsets (B, 2) in metres to log1p of their length: near sources count as much."""
    length = offset.norm(dim=-1, keepdim=True)
    return offset * torch.log1p(length) / length.clamp(min=1e-6)
