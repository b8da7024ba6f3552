# SPDX-License-Identifier: Apache-2.0
"""Many agents on baked lattices at once: gathered views, one batched convolution and transform."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import DEPTH_UNIT_M
from sim_bridge.bake import HEADINGS
from sim_bridge.bake import RESPONSE_SCALE
from sim_bridge.batched_spectrogram import BatchedSpectrogram


@dataclasses.dataclass(frozen=True)
class Batch:
    """One observation of every agent.

    rgb : (N, H, W, 3) uint8; depth : (N, H, W) float32, metres;
    spectrogram : (N, bins, frames, channels) float32.
    """

    rgb: torch.Tensor
    depth: torch.Tensor
    spectrogram: torch.Tensor


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where one agent starts and what it hears.

    ``dry`` is one listening window of the source, (window_samples,) float32, heard in a loop;
    ``rng`` draws the phase of the loop at every step, and noise, if ``noise_rms`` is positive.
    """

    house: int
    source: int
    node: int
    heading: int
    dry: np.ndarray
    rng: np.random.Generator
    noise_rms: float = 0.0


class GridWorld:
    """``count`` independent agents on the lattices of ``houses``."""

    def __init__(self, houses: Sequence[BakedHouse], contract: PolicyContract, *, count: int,
                 device: torch.device | str = 'cpu') -> None:
        if not houses:
            raise ValueError('a grid world needs at least one house, got none')
        if count <= 0:
            raise ValueError(f'count must be positive, got {count}')
        self.houses = list(houses)
        self.contract = contract
        self.count = count
        self._device = torch.device(device)
        self._spectrogram = BatchedSpectrogram(contract, device=device)
        self.house, self.source, self.node, self.heading = np.zeros((4, count), np.int64)
        self._noise_rms = np.zeros(count, np.float32)
        self._rngs: list[np.random.Generator] = [np.random.default_rng(0)] * count
        self._dry = torch.zeros(count, contract.window_samples // 2 + 1,
                                dtype=torch.complex64, device=device)

    def place(self, slot: int, placement: Placement) -> None:
        """Start a new episode in ``slot``.

        Raises:
            ValueError: the dry sound is not one window of the contract.
        """
        if placement.dry.shape != (self.contract.window_samples,):
            raise ValueError(f'dry must be ({self.contract.window_samples},), '
                             f'got {placement.dry.shape}')
        self.house[slot], self.source[slot] = placement.house, placement.source
        self.node[slot], self.heading[slot] = placement.node, placement.heading
        self._noise_rms[slot], self._rngs[slot] = placement.noise_rms, placement.rng
        dry = torch.from_numpy(np.ascontiguousarray(placement.dry, np.float32))
        self._dry[slot] = torch.fft.rfft(dry.to(self._device))

    def observe(self, slots: Sequence[int] | np.ndarray | None = None) -> Batch:
        """See and hear from where the agents in ``slots`` (all by default) stand."""
        chosen = np.arange(self.count) if slots is None else np.asarray(slots)
        rgb, depth = self.views(self.house[chosen], self.node[chosen], self.heading[chosen])
        return Batch(rgb, depth, self._spectrogram(self.hear(chosen)))

    def views(self, house: np.ndarray, node: np.ndarray,
              heading: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Gather colour (N, H, W, 3) uint8 and depth (N, H, W) float32 metres by index."""
        height, width = self.contract.image_height, self.contract.image_width
        rgb = np.empty((len(house), height, width, 3), np.uint8)
        depth = np.empty((len(house), height, width), np.uint16)
        for row, (index, place, facing) in enumerate(zip(house, node, heading)):
            rgb[row] = self.houses[index].rgb[place, facing]
            depth[row] = self.houses[index].depth_mm[place, facing]
        depth_m = depth.astype(np.float32) * np.float32(DEPTH_UNIT_M)
        return (torch.from_numpy(rgb).to(self._device, non_blocking=True),
                torch.from_numpy(depth_m).to(self._device, non_blocking=True))

    def hear(self, slots: np.ndarray) -> torch.Tensor:
        """Render one listening window (N, 2, window_samples) float32 for each of ``slots``."""
        samples = self.contract.window_samples
        responses = torch.from_numpy(np.stack([
            self.houses[self.house[slot]].responses[
                self.source[slot], self.node[slot], self.heading[slot]] for slot in slots]))
        wet = torch.fft.rfft(responses.to(self._device).float() / RESPONSE_SCALE, n=samples)
        # The clip loops with the window's own period, so a circular convolution is exact.
        audio = torch.fft.irfft(wet * self._dry[slots][:, None], n=samples)
        for row, slot in enumerate(slots):
            audio[row] = torch.roll(audio[row], int(self._rngs[slot].integers(samples)), -1)
        return self._add_noise(audio, slots)

    def _add_noise(self, audio: torch.Tensor, slots: np.ndarray) -> torch.Tensor:
        for row, slot in enumerate(slots):
            if self._noise_rms[slot] > 0:
                noise = self._rngs[slot].standard_normal(audio.shape[1:], dtype=np.float32)
                audio[row] += torch.from_numpy(noise * self._noise_rms[slot]).to(self._device)
        return audio

    def act(self, actions: np.ndarray, slots: np.ndarray | None = None) -> None:
        """Carry out one primitive action (N,) for each of ``slots``; a blocked step stays."""
        chosen = np.arange(self.count) if slots is None else np.asarray(slots)
        for slot, action in zip(chosen, actions):
            if action == Action.MOVE_FORWARD:
                ahead = self.houses[self.house[slot]].neighbors[self.node[slot],
                                                                self.heading[slot]]
                self.node[slot] = ahead if ahead >= 0 else self.node[slot]
            elif action == Action.TURN_LEFT:
                self.heading[slot] = (self.heading[slot] + 1) % HEADINGS
            elif action == Action.TURN_RIGHT:
                self.heading[slot] = (self.heading[slot] - 1) % HEADINGS

    def optimal(self) -> np.ndarray:
        """(N, 4) bool: which actions lie on a shortest way to the goal (STOP at the goal)."""
        return np.stack([self.houses[h].optimal[s, n, k] for h, s, n, k in self._where()])

    def geodesic_m(self) -> np.ndarray:
        """(N,) float32 geodesic distance to the goal, metres."""
        return np.array([self.houses[h].distances_m[n, self.houses[h].source_nodes[s]]
                         for h, s, n, _ in self._where()], np.float32)

    def sound_direction(self) -> np.ndarray:
        """(N, 3) float32: cosine and sine of the egocentric azimuth, log1p of the path in m."""
        rows = []
        for h, s, n, k in self._where():
            azimuth = (self.houses[h].azimuth_world_rad[s, n]
                       - self.houses[h].rotation_rad - k * np.pi / 2)
            path_m = self.houses[h].path_length_m[s, n]
            rows.append((np.cos(azimuth), np.sin(azimuth), np.log1p(path_m)))
        return np.array(rows, np.float32)

    def _where(self) -> zip:
        return zip(self.house, self.source, self.node, self.heading)
