# SPDX-License-Identifier: Apache-2.0
"""A map of where the goal may be, in the frame where the episode began.

Every window says how much likelier each place around the robot has become (``PLACES`` bins of
azimuth and straight distance); the map adds that up over the episode, whichever way the robot
walks and turns. So what was heard outlasts silence, and two windows that both take front for back
agree on one place. Odometry is taken from the motion features (``motion.reckoning``).
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from asgf_nav_ros.contract import BELIEF_CELL_M
from asgf_nav_ros.contract import BELIEF_FAR_COST
from asgf_nav_ros.contract import MOTION_POSITION
from asgf_nav_ros.contract import MOTION_POSITION_SCALE_M
from asgf_nav_ros.contract import MOTION_YAW
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.network.compass import seen_from_robot
from asgf_nav_ros.network.descriptor import AZIMUTH_BINS
from asgf_nav_ros.network.descriptor import descriptor_bins
from asgf_nav_ros.network.descriptor import DISTANCE_BINS
from asgf_nav_ros.network.descriptor import FARTHEST_M
from asgf_nav_ros.network.encoders import kaiming_
from asgf_nav_ros.network.goal_sound import MATCH_SIZE
from asgf_nav_ros.network.memory import carried_on

PLACES = AZIMUTH_BINS * DISTANCE_BINS
BELIEF_WIDTH = 96
_HERE_M = math.expm1(math.log1p(FARTHEST_M) / DISTANCE_BINS)  # radius of the innermost ring
_LEAST = -12.0  # nats under the likeliest cell: what a belief can be talked out of soon
_TRUST = 0.5  # at first: windows of one place err alike
_RAYS = 16
_RINGS_M = {1: (0.5, 1.0, 1.5, 2.25, 3.25), 3: (4.5, 6.5), 7: (9.5, 14.0, 20.0)}  # by blur, cells
_RARE = 1e-5  # a belief (per cell) that is not told from none


class BeliefMap(nn.Module):
    """Adds up evidence and reads it off around the robot; keeps no state of its own.

    The state of one episode is ``size`` float32 numbers, zero at its start: the log of how
    likely each cell is over the likeliest one.
    """

    def __init__(self, contract: PolicyContract) -> None:
        super().__init__()
        self._cells = contract.belief_cells
        self.size = contract.belief_size
        axis = (torch.arange(self._cells) - self._cells // 2) * BELIEF_CELL_M
        ahead, left = torch.meshgrid(axis, axis, indexing='ij')
        places = torch.stack([ahead, left], -1).flatten(0, 1)  # (size, 2) m
        self.register_buffer('places', places, persistent=False)
        self.register_buffer('prior', -BELIEF_FAR_COST * places.norm(dim=-1), persistent=False)
        for blur, rings_m in _RINGS_M.items():
            self.register_buffer(f'around_{blur}', _around(rings_m), persistent=False)
        queries = 1 + _RAYS * sum(len(rings_m) for rings_m in _RINGS_M.values())
        self.trust = nn.Parameter(torch.tensor(_TRUST))
        self.describe = nn.Linear(queries + 4, BELIEF_WIDTH)
        kaiming_(self.describe)
        if contract.goal_windows:
            self.relevance = nn.Linear(MATCH_SIZE, 1)
            nn.init.zeros_(self.relevance.weight)
            with torch.no_grad():  # windows that sound otherwise than the goal count less
                self.relevance.weight[0, :2] = 10.0
            nn.init.constant_(self.relevance.bias, -15.0)

    def evidence(self, places: torch.Tensor, motion: torch.Tensor,
                 match: torch.Tensor | None = None) -> torch.Tensor:
        """Spread what one window says over the map, (B, size) float32, nats.

        places : (B, PLACES) log likelihood ratios, azimuth outermost; motion : (B,
        MOTION_FEATURES); match : (B, MATCH_SIZE), for contracts with ``goal_windows``.
        """
        ahead, left = (MOTION_POSITION_SCALE_M * seen_from_robot(
            self.places / MOTION_POSITION_SCALE_M, motion.unsqueeze(1))).unbind(-1)  # (B, size)
        turn = torch.atan2(left, ahead) / (2 * math.pi)
        share = torch.log1p((ahead.square() + left.square()).sqrt()) / math.log1p(FARTHEST_M)
        table = places.float().unflatten(-1, (AZIMUTH_BINS, DISTANCE_BINS)).transpose(1, 2)
        table = torch.cat([table[..., -1:], table, table[..., :1]], -1).unsqueeze(1)
        # Columns are azimuths from -1 to AZIMUTH_BINS, rows are rings, both by bin centres.
        column = (turn - torch.floor(turn)) * AZIMUTH_BINS + 1
        row = (share * DISTANCE_BINS - 0.5).clamp(0, DISTANCE_BINS - 1)
        grid = torch.stack([_normalised(column, AZIMUTH_BINS + 2),
                            _normalised(row, DISTANCE_BINS)], -1).unsqueeze(1)
        spread = functional.grid_sample(table, grid, align_corners=True).flatten(1)
        return spread if match is None else spread * torch.sigmoid(self.relevance(match))

    def remember(self, evidence: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Return the state (N, size) after a window with ``evidence`` (N, size)."""
        total = state + self.trust * evidence
        return (total - total.amax(-1, keepdim=True)).clamp_min(_LEAST)

    def unroll(self, evidence: torch.Tensor, state: torch.Tensor,
               starts: torch.Tensor) -> torch.Tensor:
        """Every state (T, N, size) of a stretch of evidence (T, N, size).

        state : (N, size), before the first step; starts : (T, N) bool, where episodes begin.
        """
        return carried_on(self.remember, evidence, state, starts)

    def look(self, state: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        """What the map says around the robot, (B, BELIEF_WIDTH) float32 and at least 0.

        state : (B, size); motion : (B, MOTION_FEATURES).
        """
        position, yaw = _pose(motion)
        belief = torch.softmax(state + self.prior, -1)
        plane = belief.view(-1, 1, self._cells, self._cells)
        read = []
        for blur in _RINGS_M:
            summed = plane if blur == 1 else blur ** 2 * functional.avg_pool2d(
                plane, blur, stride=1, padding=blur // 2)
            read.append(self._read(summed, getattr(self, f'around_{blur}'), position, yaw))
        density = torch.log10(torch.cat(read, -1) + _RARE) + 5
        mean = belief @ self.places
        spread = (belief @ self.places.square().sum(-1, keepdim=True)
                  - mean.square().sum(-1, keepdim=True)).clamp_min(1e-6).sqrt()
        offset = seen_from_robot(mean / MOTION_POSITION_SCALE_M, motion)
        return torch.relu(self.describe(torch.cat(
            [density, offset, spread / 10, belief.amax(-1, keepdim=True)], -1)))

    def _read(self, plane: torch.Tensor, around: torch.Tensor, position: torch.Tensor,
              yaw: torch.Tensor) -> torch.Tensor:
        """Values (B, Q) of a plane (B, 1, cells, cells) at places (Q, 2) around the robot."""
        ahead, left = around.unbind(-1)
        cosine, sine = yaw.unsqueeze(1).unbind(-1)
        east = cosine * ahead - sine * left + position[:, :1]
        north = sine * ahead + cosine * left + position[:, 1:]
        grid = torch.stack([_normalised(north / BELIEF_CELL_M + self._cells // 2, self._cells),
                            _normalised(east / BELIEF_CELL_M + self._cells // 2, self._cells)], -1)
        return functional.grid_sample(plane, grid.unsqueeze(1), align_corners=True).flatten(1)


def place_targets(offset_m: torch.Tensor) -> torch.Tensor:
    """Where a source is, as shares of the bins, (..., PLACES) float32 with sum 1.

    offset_m : (..., 2), ahead and left. A source in the innermost ring has no azimuth.
    """
    distance_m = offset_m.norm(dim=-1)
    azimuth, ring = descriptor_bins(
        torch.cat([offset_m, torch.log1p(distance_m).unsqueeze(-1)], -1))
    azimuths = functional.one_hot(azimuth, AZIMUTH_BINS).float()
    azimuths[distance_m < _HERE_M] = 1 / AZIMUTH_BINS
    rings = functional.one_hot(ring, DISTANCE_BINS).float()
    return (azimuths.unsqueeze(-1) * rings.unsqueeze(-2)).flatten(-2)


def _around(rings_m: tuple[float, ...]) -> torch.Tensor:
    """Places (Q, 2) on rings around the robot, metres ahead and left; the nearest come first."""
    angle = 2 * math.pi / _RAYS * torch.arange(_RAYS)
    circle = torch.stack([angle.cos(), angle.sin()], -1)
    here = [torch.zeros(1, 2)] if rings_m[0] < BELIEF_CELL_M else []
    return torch.cat(here + [radius_m * circle for radius_m in rings_m])


def _normalised(index: torch.Tensor, count: int) -> torch.Tensor:
    """Index into ``count`` samples as ``grid_sample`` wants it, -1 to 1."""
    return 2 * index / (count - 1) - 1


def _pose(motion: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Position (B, 2) in metres, cosine and sine of the yaw (B, 2)."""
    return motion[:, MOTION_POSITION] * MOTION_POSITION_SCALE_M, motion[:, MOTION_YAW]
