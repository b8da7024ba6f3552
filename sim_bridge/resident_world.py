# SPDX-License-Identifier: Apache-2.0
"""A grid world for hundreds of agents on a GPU: nothing is done agent by agent."""

from __future__ import annotations

from typing import Sequence

import numpy as np
import torch
from torch.nn import functional

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import DEPTH_UNIT_M
from sim_bridge.bake import HEADINGS
from sim_bridge.bake import RESPONSE_SCALE
from sim_bridge.batched_spectrogram import BatchedSpectrogram
from sim_bridge.disturbance import Disturbance
from sim_bridge.grid_world import Batch
from sim_bridge.grid_world import Placement
from sim_bridge.resident_houses import ResidentHouses

_SCHEDULE_STEPS = 500


class ResidentWorld:
    """Does what ``GridWorld`` does, for ``count`` agents in houses on a device.

    Everything random is drawn for all agents together, from ``rng`` and from a generator of the
    device: an episode is not the same whatever agents are beside it, as in ``GridWorld``.
    """

    def __init__(self, resident: ResidentHouses, contract: PolicyContract, *, count: int,
                 rng: np.random.Generator) -> None:
        if count <= 0:
            raise ValueError(f'count must be positive, got {count}')
        self._resident, self.contract, self.count, self._rng = resident, contract, count, rng
        self._device = device = resident.device
        self._generator = torch.Generator(device)
        self._generator.manual_seed(int(rng.integers(2 ** 62)))
        self._spectrogram = BatchedSpectrogram(contract, device=device)
        self.house, self.source, self.node, self.heading = np.zeros((4, count), np.int64)
        self.moved = np.ones(count, bool)
        self.steps = np.zeros(count, np.int64)
        self._samples = samples = contract.window_samples
        self._bins = torch.arange(samples // 2 + 1, device=device)
        turns = torch.arange(samples, device=device, dtype=torch.float64) / samples
        self._roots = torch.polar(torch.ones_like(turns), -2 * torch.pi * turns).to(
            torch.complex64)
        spectra = (count, 2, samples // 2 + 1)
        self._dry, self._distractor, self._noise = (
            torch.zeros(spectra, dtype=torch.complex64, device=device) for _ in range(3))
        self._placed: dict[int, Placement] = {}
        self._noise_rms = np.zeros(count, np.float32)
        self._has_noise, self._has_distractor = np.zeros((2, count), bool)
        self._distractor_source, self._distractor_from = np.zeros((2, count), np.int64)
        self._sounding = np.ones((count, _SCHEDULE_STEPS), bool)
        self._silent_from = np.full(count, np.inf)
        self._lost_audio, self._lost_frames, self._slip = np.zeros((3, count))

    @property
    def houses(self) -> list[BakedHouse]:
        """The houses there are by now."""
        return self._resident.houses

    def place(self, slot: int, placement: Placement) -> None:
        """Start a new episode in ``slot``; ``placement.rng`` is not used.

        Raises:
            ValueError: the dry sound is not one window of the contract.
        """
        if placement.dry.shape != (self._samples,):
            raise ValueError(f'dry must be ({self._samples},), got {placement.dry.shape}')
        disturbance = placement.disturbance
        self.house[slot], self.source[slot] = placement.house, placement.source
        self.node[slot], self.heading[slot] = placement.node, placement.heading
        self.moved[slot], self.steps[slot] = True, 0
        self._noise_rms[slot] = placement.noise_rms
        self._has_noise[slot] = disturbance.noise is not None
        self._has_distractor[slot] = disturbance.distractor is not None
        self._distractor_source[slot] = disturbance.distractor_source
        self._distractor_from[slot] = disturbance.distractor_from
        self._sounding[slot] = True if disturbance.sounding is None else np.resize(
            disturbance.sounding, _SCHEDULE_STEPS)
        self._silent_from[slot] = disturbance.silent_from
        self._lost_audio[slot] = disturbance.lost_audio
        self._lost_frames[slot] = disturbance.lost_frames
        self._slip[slot] = disturbance.slip
        self._placed[slot] = placement  # its sounds go to the device with those of others

    def observe(self) -> Batch:
        """See and hear from where all agents stand."""
        rgb, depth = self.views(self.house, self.node, self.heading)
        blank = self._rng.random(self.count) < self._lost_frames
        if blank.any():
            lost = self._rows(np.flatnonzero(blank))
            rgb[lost], depth[lost] = 0, 0.0
        return Batch(rgb, depth, self._spectrogram(self.hear(np.arange(self.count))), blank)

    def views(self, house: np.ndarray, node: np.ndarray,
              heading: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Gather colour (N, H, W, 3) uint8 and depth (N, H, W) float32 metres by index."""
        rows = self._resident.view_rows(house, node, heading)
        unsigned = self._resident.depth_mm[rows].to(torch.int32) & 0xffff
        return self._resident.rgb[rows], unsigned.float() * DEPTH_UNIT_M

    def hear(self, slots: np.ndarray) -> torch.Tensor:
        """Render one listening window (N, 2, window_samples) float32 for each of ``slots``."""
        self._take_up()
        slots = np.asarray(slots)
        chosen = self._rows(slots)
        # Whoever hears no second sound or noise is given silence: GPUs want one shape.
        active = self._has_distractor[slots] & (self.steps[slots] >= self._distractor_from[slots])
        other = np.where(active, self._distractor_source[slots], 0)
        wet = (self._heard(self._responses(slots, self.source[slots]) * self._dry[chosen],
                           self._sounds(slots))
               + self._heard(self._responses(slots, other) * self._distractor[chosen], active)
               + self._heard(self._noise[chosen], self._has_noise[slots]))
        # A clip loops with the window's own period, so a circular convolution is exact.
        audio = torch.fft.irfft(wet, n=self._samples)
        noise_rms = torch.from_numpy(self._noise_rms[slots]).to(self._device)
        audio += noise_rms[:, None, None] * torch.randn(
            audio.shape, generator=self._generator, device=self._device)
        return self._lose(audio, slots)

    def act(self, actions: np.ndarray) -> None:
        """Carry out one primitive action (N,) for every agent; a blocked step stays."""
        actions = np.asarray(actions)
        self.steps += 1
        turn = (actions == Action.TURN_LEFT).astype(np.int64) - (actions == Action.TURN_RIGHT)
        self.heading = (self.heading + turn) % HEADINGS
        ahead = self._resident.neighbors[self._nodes(), self.heading]
        forward = actions == Action.MOVE_FORWARD
        slips = self._rng.random(self.count) < self._slip
        goes = forward & (ahead >= 0) & ~slips
        self.moved = ~forward | goes
        self.node = np.where(goes, ahead, self.node)

    def audible(self) -> np.ndarray:
        """(N,) bool: whether each agent's goal sounds now, and a path leads from it."""
        reached = np.isfinite(self._resident.path_length_m[self._pairs()])
        return self._sounds(np.arange(self.count)) & reached

    def distractor_source(self, slot: int) -> int | None:
        """Where the second sound of the agent in ``slot`` stands, if there is one."""
        return int(self._distractor_source[slot]) if self._has_distractor[slot] else None

    def optimal(self) -> np.ndarray:
        """(N, 4) bool: which actions lie on a shortest way to the goal (STOP at the goal)."""
        return self._resident.optimal[self._pairs(), self.heading]

    def oracle_actions(self, slot: int) -> int:
        """Least number of actions from where the agent in ``slot`` stands, with the STOP."""
        pair = self._resident.pairs(self.house[slot], self.source[slot], self.node[slot])
        return int(self._resident.actions_to[pair, self.heading[slot]]) + 1

    def geodesic_m(self) -> np.ndarray:
        """(N,) float32 geodesic distance to the goal, metres."""
        return self._resident.distance_m[self._pairs()]

    def sound_direction(self) -> np.ndarray:
        """(N, 3) float32: cosine and sine of the egocentric azimuth, log1p of the path in m.

        Zero where no path leads from the source.
        """
        pair = self._pairs()
        path_m = self._resident.path_length_m[pair]
        reached = np.isfinite(path_m)
        azimuth = np.where(reached, self._resident.azimuth_world_rad[pair], 0.0) - (
            self._yaw_rad() + self._resident.yaw_error_rad[self._nodes(), self.heading])
        told = np.column_stack([np.cos(azimuth), np.sin(azimuth),
                                np.log1p(np.where(reached, path_m, 0.0))])
        return (told * reached[:, None]).astype(np.float32)

    def goal_offset_m(self) -> np.ndarray:
        """(N, 2) float32: the goal ahead and left of each agent as it means to face, metres."""
        east, north = (self._resident.goal_xy[self._pairs()]
                       - self._resident.xy[self._nodes()]).T
        yaw_rad = self._yaw_rad()
        return np.column_stack([np.cos(yaw_rad) * east + np.sin(yaw_rad) * north,
                                np.cos(yaw_rad) * north - np.sin(yaw_rad) * east]
                               ).astype(np.float32)

    def _yaw_rad(self) -> np.ndarray:
        return self._resident.rotation_rad[self.house] + self.heading * np.pi / 2

    def _nodes(self) -> np.ndarray:
        return self._resident.first_node[self.house] + self.node

    def _pairs(self) -> np.ndarray:
        return self._resident.pairs(self.house, self.source, self.node)

    def _sounds(self, slots: np.ndarray) -> np.ndarray:
        steps = self.steps[slots]
        return self._sounding[slots, steps % _SCHEDULE_STEPS] & (steps < self._silent_from[slots])

    def _rows(self, rows: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(rows).to(self._device)

    def _responses(self, slots: np.ndarray, sources: np.ndarray) -> torch.Tensor:
        """(N, 2, F) complex64, from each source to where the agents stand."""
        pair = self._resident.pairs(self.house[slots], sources, self.node[slots])
        rows = self._resident.response_rows(pair, self.heading[slots])
        return _transformed(self._resident.responses[rows].float() / RESPONSE_SCALE,
                            self._samples)

    def _heard(self, spectra: torch.Tensor, audible: np.ndarray) -> torch.Tensor:
        """Spectra (N, 2, F) of loops at random phases, silent where ``audible`` (N,) is false."""
        phase = self._rows(self._rng.integers(self._samples, size=len(audible)))
        turned = self._roots[(phase[:, None] * self._bins) % self._samples]
        return spectra * (turned * self._rows(audible)[:, None])[:, None]

    def _lose(self, audio: torch.Tensor, slots: np.ndarray) -> torch.Tensor:
        """Silence stretches of 20-100 % of windows whose chunks did not arrive."""
        lost = np.flatnonzero(self._rng.random(len(slots)) < self._lost_audio[slots])
        if len(lost):
            length = (self._samples * self._rng.uniform(0.2, 1.0, len(lost))).astype(np.int64)
            start = self._rng.integers(self._samples - length + 1)
            begin, end = self._rows(start)[:, None], self._rows(start + length)[:, None]
            sample = torch.arange(self._samples, device=self._device)
            audio[self._rows(lost)] *= ((sample < begin) | (sample >= end))[:, None].float()
        return audio

    def _take_up(self) -> None:
        """Bring the sounds of new episodes to the device, as the microphones take them up."""
        if not self._placed:
            return
        slots, placements = np.array(list(self._placed)), list(self._placed.values())
        self._placed = {}
        disturbances = [placement.disturbance for placement in placements]
        microphones = self._microphones(disturbances)
        dry = self._spectra([placement.dry for placement in placements])
        self._dry[self._rows(slots)] = dry * microphones
        for name, target in (('distractor', self._distractor), ('noise', self._noise)):
            sounds = [getattr(disturbance, name) for disturbance in disturbances]
            rows = np.array([row for row, sound in enumerate(sounds) if sound is not None], int)
            if len(rows):
                spectra = self._spectra([sounds[row] for row in rows])
                chosen = self._rows(rows)
                if name == 'noise':
                    relative = np.array([placements[row].noise_over_goal for row in rows])
                    spectra *= torch.where(self._rows(relative), self._goal_levels(
                        slots[rows], dry[chosen]), 1.0)[:, None, None]
                target[self._rows(slots[rows])] = spectra * microphones[chosen]

    def _spectra(self, sounds: Sequence[np.ndarray]) -> torch.Tensor:
        """Spectra (k, 1 or 2, F) of k sounds (n,) or (2, n)."""
        stacked = np.stack(sounds).astype(np.float32).reshape(len(sounds), -1, self._samples)
        return _transformed(torch.from_numpy(stacked).to(self._device), self._samples)

    def _goal_levels(self, slots: np.ndarray, dry: torch.Tensor) -> torch.Tensor:
        """RMS of sounds (k, 1, F) over both ears where the agents in ``slots`` stand, (k,)."""
        wet = self._responses(slots, self.source[slots]) * dry
        power = wet.abs().square()  # all but the first and the last stand for two
        total = 2 * power.sum(-1) - power[..., 0] - (self._samples % 2 == 0) * power[..., -1]
        return (total.mean(-1) / self._samples ** 2).sqrt()

    def _microphones(self, disturbances: Sequence[Disturbance]) -> torch.Tensor:
        """(k, 2, F) complex64, see ``Disturbance.microphones``."""
        gain, late, bandwidth_hz = torch.tensor(
            [(10 ** (each.ear_gain_db / 40), each.skew_samples, each.bandwidth_hz)
             for each in disturbances], dtype=torch.float64, device=self._device).T[..., None]
        turn = self._bins / self._samples  # cycles per sample
        passes = 1 / (1 + (turn * self.contract.sample_rate_hz / bandwidth_hz) ** 12).sqrt()
        delay = torch.polar(torch.ones_like(passes), -2 * torch.pi * turn * late)
        return torch.stack([(gain * passes).to(delay.dtype), delay * passes / gain], 1).to(
            torch.complex64)


def _transformed(signals: torch.Tensor, size: int) -> torch.Tensor:
    """Spectra (k, channels, F) of signals (k, channels, n), as if k were a power of two.

    A transform is planned for every number of signals that is asked for, which takes longer than
    to carry it out.
    """
    count = len(signals)
    padded = 1 << (count - 1).bit_length()
    signals = functional.pad(signals, (0, 0, 0, 0, 0, padded - count))
    return torch.fft.rfft(signals, n=size)[:count]
