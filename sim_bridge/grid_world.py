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
from sim_bridge.disturbance import Disturbance
from sim_bridge.disturbance import UNDISTURBED


@dataclasses.dataclass(frozen=True)
class Batch:
    """One observation of every agent.

    rgb : (N, H, W, 3) uint8; depth : (N, H, W) float32, metres;
    spectrogram : (N, bins, frames, channels) float32.
    blank : (N,) bool, where the image was lost.
    """

    rgb: torch.Tensor
    depth: torch.Tensor
    spectrogram: torch.Tensor
    blank: np.ndarray


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where one agent starts and what it hears.

    ``dry`` is one listening window of the source, (window_samples,) float32, heard in a loop;
    ``rng`` draws the phase of the loop at every step, noise, if ``noise_rms`` is positive, and
    whatever is random about ``disturbance``. The disturbance's noise is multiplied by the level at
    which the goal is heard at the start if it is ``noise_over_goal``.
    """

    house: int
    source: int
    node: int
    heading: int
    dry: np.ndarray
    rng: np.random.Generator
    noise_rms: float = 0.0
    disturbance: Disturbance = UNDISTURBED
    noise_over_goal: bool = False


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
        self.moved = np.ones(count, bool)  # whether the last step forward went ahead
        self.steps = np.zeros(count, np.int64)  # since each agent was placed
        self._noise_rms = np.zeros(count, np.float32)
        self._rngs: list[np.random.Generator] = [np.random.default_rng(0)] * count
        self._disturbances = [UNDISTURBED] * count
        spectra = (count, 2, contract.window_samples // 2 + 1)
        # Dry sounds as the microphones would take them up.
        self._dry = torch.zeros(spectra, dtype=torch.complex64, device=device)
        self._distractor = torch.zeros(spectra, dtype=torch.complex64, device=device)
        self._noise: dict[int, torch.Tensor] = {}

    def place(self, slot: int, placement: Placement) -> None:
        """Start a new episode in ``slot``.

        Raises:
            ValueError: the dry sound is not one window of the contract.
        """
        if placement.dry.shape != (self.contract.window_samples,):
            raise ValueError(f'dry must be ({self.contract.window_samples},), '
                             f'got {placement.dry.shape}')
        disturbance = placement.disturbance
        self.house[slot], self.source[slot] = placement.house, placement.source
        self.node[slot], self.heading[slot] = placement.node, placement.heading
        self.moved[slot], self.steps[slot] = True, 0
        self._noise_rms[slot], self._rngs[slot] = placement.noise_rms, placement.rng
        self._disturbances[slot] = disturbance
        samples = self.contract.window_samples
        microphones = None
        if disturbance is not UNDISTURBED:
            microphones = disturbance.microphones(samples, self.contract.sample_rate_hz)
        self._dry[slot] = self._taken_up(placement.dry, microphones)
        if disturbance.distractor is not None:
            self._distractor[slot] = self._taken_up(disturbance.distractor, microphones)
        self._noise.pop(slot, None)
        if disturbance.noise is not None:
            level = self._goal_level(slot, placement.dry) if placement.noise_over_goal else 1.0
            self._noise[slot] = level * torch.fft.irfft(
                self._taken_up(disturbance.noise, microphones), n=samples)

    def _goal_level(self, slot: int, dry: np.ndarray) -> float:
        """RMS of the goal's sound over both ears where the agent in ``slot`` stands."""
        where = np.array([slot])
        wet = self._responses(where, self.source[where])[0] * self._taken_up(dry, None)
        return float(torch.fft.irfft(wet, n=self.contract.window_samples).square().mean().sqrt())

    def _taken_up(self, sound: np.ndarray, microphones: np.ndarray | None) -> torch.Tensor:
        """Spectrum (2, F) or (F,) of a sound (n,) or (2, n) behind the microphones."""
        sound = torch.from_numpy(np.ascontiguousarray(sound, np.float32)).to(self._device)
        spectrum = torch.fft.rfft(sound)
        if microphones is None:
            return spectrum
        return spectrum * torch.from_numpy(microphones).to(self._device)

    def observe(self, slots: Sequence[int] | np.ndarray | None = None) -> Batch:
        """See and hear from where the agents in ``slots`` (all by default) stand."""
        chosen = np.arange(self.count) if slots is None else np.asarray(slots)
        rgb, depth = self.views(self.house[chosen], self.node[chosen], self.heading[chosen])
        blank = np.array([self._happens(slot, self._disturbances[slot].lost_frames)
                          for slot in chosen])
        if blank.any():
            rgb[blank], depth[blank] = 0, 0.0
        return Batch(rgb, depth, self._spectrogram(self.hear(chosen)), blank)

    def _happens(self, slot: int, probability: float) -> bool:
        return probability > 0 and self._rngs[slot].random() < probability

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
        wet = self._responses(slots, self.source[slots]) * self._dry[slots]
        for row, slot in enumerate(slots):
            if not self._disturbances[slot].sounds_at(self.steps[slot]):
                wet[row] = 0.0
        # A clip loops with the window's own period, so a circular convolution is exact.
        audio = self._rolled(torch.fft.irfft(wet, n=samples), slots)
        self._add_distractors(audio, slots)
        for row, slot in enumerate(slots):
            if slot in self._noise:
                audio[row] += torch.roll(self._noise[slot], self._phase(slot), -1)
        return self._lose(self._add_noise(audio, slots), slots)

    def _responses(self, slots: np.ndarray, sources: np.ndarray) -> torch.Tensor:
        """(N, 2, F) complex64, from each source to where the agents stand."""
        responses = torch.from_numpy(np.stack([
            self.houses[self.house[slot]].responses[source, self.node[slot], self.heading[slot]]
            for slot, source in zip(slots, sources)]))
        return torch.fft.rfft(responses.to(self._device).float() / RESPONSE_SCALE,
                              n=self.contract.window_samples)

    def _phase(self, slot: int) -> int:
        return int(self._rngs[slot].integers(self.contract.window_samples))

    def _rolled(self, audio: torch.Tensor, slots: np.ndarray) -> torch.Tensor:
        for row, slot in enumerate(slots):
            audio[row] = torch.roll(audio[row], self._phase(slot), -1)
        return audio

    def _add_distractors(self, audio: torch.Tensor, slots: np.ndarray) -> None:
        rows = [row for row, slot in enumerate(slots)
                if self._disturbances[slot].distractor is not None
                and self.steps[slot] >= self._disturbances[slot].distractor_from]
        if rows:
            chosen = slots[rows]
            sources = np.array([self._disturbances[slot].distractor_source for slot in chosen])
            wet = self._responses(chosen, sources) * self._distractor[chosen]
            audio[rows] += self._rolled(
                torch.fft.irfft(wet, n=self.contract.window_samples), chosen)

    def _add_noise(self, audio: torch.Tensor, slots: np.ndarray) -> torch.Tensor:
        for row, slot in enumerate(slots):
            if self._noise_rms[slot] > 0:
                noise = self._rngs[slot].standard_normal(audio.shape[1:], dtype=np.float32)
                audio[row] += torch.from_numpy(noise * self._noise_rms[slot]).to(self._device)
        return audio

    def _lose(self, audio: torch.Tensor, slots: np.ndarray) -> torch.Tensor:
        """Silence stretches of 20-100 % of windows whose chunks did not arrive."""
        for row, slot in enumerate(slots):
            if self._happens(slot, self._disturbances[slot].lost_audio):
                samples = audio.shape[-1]
                length = int(samples * self._rngs[slot].uniform(0.2, 1.0))
                start = int(self._rngs[slot].integers(samples - length + 1))
                audio[row, :, start:start + length] = 0.0
        return audio

    def act(self, actions: np.ndarray, slots: np.ndarray | None = None) -> None:
        """Carry out one primitive action (N,) for each of ``slots``; a blocked step stays."""
        chosen = np.arange(self.count) if slots is None else np.asarray(slots)
        self.steps[chosen] += 1
        self.moved[chosen] = True
        for slot, action in zip(chosen, actions):
            if action == Action.MOVE_FORWARD:
                self._step_forward(slot)
            elif action == Action.TURN_LEFT:
                self.heading[slot] = (self.heading[slot] + 1) % HEADINGS
            elif action == Action.TURN_RIGHT:
                self.heading[slot] = (self.heading[slot] - 1) % HEADINGS

    def _step_forward(self, slot: int) -> None:
        ahead = self.houses[self.house[slot]].neighbors[self.node[slot], self.heading[slot]]
        if ahead < 0 or self._happens(slot, self._disturbances[slot].slip):
            self.moved[slot] = False
        else:
            self.node[slot] = ahead

    def audible(self) -> np.ndarray:
        """(N,) bool: whether each agent's goal sounds now, and a path leads from it."""
        return np.array([
            disturbance.sounds_at(step) and bool(np.isfinite(self.houses[h].path_length_m[s, n]))
            for disturbance, step, (h, s, n, _) in zip(
                self._disturbances, self.steps, self._where())])

    def distractor_source(self, slot: int) -> int | None:
        """Where the second sound of the agent in ``slot`` stands, if there is one."""
        disturbance = self._disturbances[slot]
        return None if disturbance.distractor is None else disturbance.distractor_source

    def optimal(self) -> np.ndarray:
        """(N, 4) bool: which actions lie on a shortest way to the goal (STOP at the goal)."""
        return np.stack([self.houses[h].optimal[s, n, k] for h, s, n, k in self._where()])

    def oracle_actions(self, slot: int) -> int:
        """Least number of actions from where the agent in ``slot`` stands, with the STOP."""
        house, source = self.houses[self.house[slot]], self.source[slot]
        return int(house.actions_to[source, self.node[slot], self.heading[slot]]) + 1

    def geodesic_m(self) -> np.ndarray:
        """(N,) float32 geodesic distance to the goal, metres."""
        return np.array([self.houses[h].distances_m[n, self.houses[h].source_nodes[s]]
                         for h, s, n, _ in self._where()], np.float32)

    def sound_direction(self) -> np.ndarray:
        """(N, 3) float32: cosine and sine of the egocentric azimuth, log1p of the path in m.

        Zero where no path leads from the source.
        """
        rows = []
        for h, s, n, k in self._where():
            azimuth = (self.houses[h].azimuth_world_rad[s, n] - self.houses[h].rotation_rad
                       - k * np.pi / 2 - self.houses[h].yaw_error_rad[n, k])
            path_m = self.houses[h].path_length_m[s, n]
            rows.append((np.cos(azimuth), np.sin(azimuth), np.log1p(path_m))
                        if np.isfinite(path_m) else (0.0, 0.0, 0.0))
        return np.array(rows, np.float32)

    def goal_offset_m(self) -> np.ndarray:
        """(N, 2) float32: the goal ahead and left of each agent as it means to face, metres."""
        rows = []
        for h, s, n, k in self._where():
            house = self.houses[h]
            yaw_rad = house.rotation_rad + k * np.pi / 2
            east, north = house.nodes[house.source_nodes[s]] - house.nodes[n]
            rows.append((np.cos(yaw_rad) * east + np.sin(yaw_rad) * north,
                         np.cos(yaw_rad) * north - np.sin(yaw_rad) * east))
        return np.array(rows, np.float32)

    def _where(self) -> zip:
        return zip(self.house, self.source, self.node, self.heading)
