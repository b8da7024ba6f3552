# SPDX-License-Identifier: Apache-2.0
"""Baked houses held in the memory of one device, one after another in a few large arrays."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import HEADINGS

_UPLOAD_ROWS = 512  # of a pool at a time: a mapped file is read in pieces


@dataclasses.dataclass(frozen=True, kw_only=True)
class Room:
    """How much fits: nodes of all houses together, and pairs of a source and a node."""

    nodes: int
    pairs: int

    @classmethod
    def of(cls, houses: Sequence[BakedHouse]) -> Room:
        """Room for these houses and no more."""
        return cls(nodes=sum(len(house.nodes) for house in houses),
                   pairs=sum(len(house.nodes) * len(house.source_nodes) for house in houses))

    @classmethod
    def in_bytes(cls, size: float, contract: PolicyContract, *, response_samples: int,
                 sources: float) -> Room:
        """Room in ``size`` bytes, for houses of ``sources`` places of the sound on average."""
        view = contract.image_height * contract.image_width * (3 + 2)
        node = HEADINGS * (view + sources * 2 * 2 * response_samples)
        nodes = int(size / node)
        return cls(nodes=nodes, pairs=int(nodes * sources))


class ResidentHouses:
    """Views and responses of many houses on a device, everything else in the main memory.

    Houses are added while others are in use, by any one thread: ``houses`` grows as the last
    thing. Each member of ``houses`` reads its large arrays from the device.
    """

    def __init__(self, contract: PolicyContract, *, room: Room, response_samples: int,
                 device: torch.device | str = 'cpu') -> None:
        if room.nodes < 1 or room.pairs < 1:
            raise ValueError(f'there must be room for at least one node, got {room}')
        self.contract, self.device, self._room = contract, torch.device(device), room
        self._response_samples = response_samples
        size, views, pairs = (contract.image_height, contract.image_width), room.nodes, room.pairs
        self.rgb = torch.empty(views * HEADINGS, *size, 3, dtype=torch.uint8, device=device)
        self.depth_mm = torch.empty(views * HEADINGS, *size, dtype=torch.int16, device=device)
        self.responses = torch.empty(pairs * HEADINGS, 2, response_samples, dtype=torch.float16,
                                     device=device)
        self.xy = np.empty((views, 2))
        self.neighbors = np.empty((views, HEADINGS), np.int32)
        self.yaw_error_rad = np.empty((views, HEADINGS), np.float32)
        self.goal_xy = np.empty((pairs, 2))
        self.optimal = np.empty((pairs, HEADINGS, 4), bool)
        self.actions_to = np.empty((pairs, HEADINGS), np.int16)
        self.path_length_m = np.empty(pairs, np.float32)
        self.azimuth_world_rad = np.empty(pairs, np.float32)
        self.distance_m = np.empty(pairs, np.float32)
        self.houses: list[BakedHouse] = []
        self.first_node, self.first_pair, self.nodes = np.zeros((3, 0), np.int64)
        self.rotation_rad = np.zeros(0)

    @classmethod
    def holding(cls, houses: Sequence[BakedHouse], contract: PolicyContract, *,
                device: torch.device | str = 'cpu') -> ResidentHouses:
        """Load all of some houses."""
        if not houses:
            raise ValueError('a grid world needs at least one house, got none')
        resident = cls(contract, room=Room.of(houses), device=device,
                       response_samples=houses[0].responses.shape[-1])
        for house in houses:
            resident.add(house)
        return resident

    def add(self, house: BakedHouse) -> bool:
        """Load one more house; return whether there was room for it.

        Raises:
            ValueError: the house was baked with responses of another length.
        """
        samples = house.responses.shape[-1]
        if samples != self._response_samples:
            raise ValueError(f'{house.name}: responses must have {self._response_samples} '
                             f'samples, got {samples}')
        count, sources = len(house.nodes), len(house.source_nodes)
        node = int(self.first_node[-1] + self.nodes[-1]) if self.houses else 0
        pair = self._pairs_used()
        if node + count > self._room.nodes or pair + count * sources > self._room.pairs:
            return False
        rows = slice(node, node + count)
        _upload(self.rgb, node * HEADINGS, house.rgb.reshape(-1, *house.rgb.shape[2:]))
        _upload(self.depth_mm, node * HEADINGS,
                house.depth_mm.view(np.int16).reshape(-1, *house.depth_mm.shape[2:]))
        _upload(self.responses, pair * HEADINGS, house.responses.reshape(-1, 2, samples))
        self.xy[rows], self.neighbors[rows] = house.nodes, house.neighbors
        self.yaw_error_rad[rows] = house.yaw_error_rad
        rows = slice(pair, pair + count * sources)
        self.goal_xy[rows] = np.repeat(house.nodes[house.source_nodes], count, axis=0)
        self.optimal[rows] = house.optimal.reshape(-1, HEADINGS, 4)
        self.actions_to[rows] = house.actions_to.reshape(-1, HEADINGS)
        self.path_length_m[rows] = house.path_length_m.ravel()
        self.azimuth_world_rad[rows] = house.azimuth_world_rad.ravel()
        self.distance_m[rows] = house.distances_m[:, house.source_nodes].T.ravel()
        self.first_node = np.append(self.first_node, node)
        self.first_pair = np.append(self.first_pair, pair)
        self.nodes = np.append(self.nodes, count)
        self.rotation_rad = np.append(self.rotation_rad, house.rotation_rad)
        self.houses.append(dataclasses.replace(
            house, rgb=_Rows(self.rgb, node * HEADINGS, house.rgb.shape),
            depth_mm=_Rows(self.depth_mm, node * HEADINGS, house.depth_mm.shape, np.uint16),
            responses=_Rows(self.responses, pair * HEADINGS, house.responses.shape)))
        return True

    def view_rows(self, house: np.ndarray, node: np.ndarray, heading: np.ndarray) -> torch.Tensor:
        """Rows of ``rgb`` and ``depth_mm``, (N,) int64 on the device."""
        return self._on_device((self.first_node[house] + node) * HEADINGS + heading)

    def response_rows(self, pair: np.ndarray, heading: np.ndarray) -> torch.Tensor:
        """Rows of ``responses``, (N,) int64 on the device."""
        return self._on_device(pair * HEADINGS + heading)

    def pairs(self, house: np.ndarray, source: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Rows of the tables of sources and nodes, (N,) int64."""
        return self.first_pair[house] + source * self.nodes[house] + node

    def _on_device(self, rows: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(rows).to(self.device)

    def _pairs_used(self) -> int:
        if not self.houses:
            return 0
        last = self.houses[-1]
        return int(self.first_pair[-1]) + len(last.nodes) * len(last.source_nodes)


class _Rows:
    """A large array of one house, read from the device by index."""

    def __init__(self, pool: torch.Tensor, first: int, shape: tuple[int, ...],
                 dtype: type | None = None) -> None:
        self._pool, self._first, self.shape, self._dtype = pool, first, shape, dtype

    def __getitem__(self, index: tuple[int, ...]) -> np.ndarray:
        row = np.ravel_multi_index(index, self.shape[:len(index)])
        values = self._pool[self._first + int(row)].cpu().numpy()
        return values if self._dtype is None else values.view(self._dtype)


def _upload(pool: torch.Tensor, first: int, rows: np.ndarray) -> None:
    for start in range(0, len(rows), _UPLOAD_ROWS):
        part = torch.from_numpy(np.array(rows[start:start + _UPLOAD_ROWS]))
        pool[first + start:first + start + len(part)].copy_(part)
