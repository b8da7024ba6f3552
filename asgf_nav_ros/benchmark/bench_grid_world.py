# SPDX-License-Identifier: Apache-2.0
"""How many steps a second the batched grid world makes, against one environment the usual way."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve
import torch

from asgf_nav_ros.benchmark.bench_steps import AGENTS
from asgf_nav_ros.benchmark.bench_steps import compare_steps
from asgf_nav_ros.benchmark.bench_steps import draw_actions
from asgf_nav_ros.benchmark.bench_steps import HOUSE
from asgf_nav_ros.benchmark.bench_steps import SingleEnvironment
from asgf_nav_ros.benchmark.bench_timing import Comparison
from asgf_nav_ros.benchmark.soundspaces_way import librosa_spectrogram
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.bake import DEPTH_UNIT_M
from sim_bridge.bake import HEADINGS
from sim_bridge.bake import RESPONSE_SCALE
from sim_bridge.bake_pool import bake_houses
from sim_bridge.grid_world import GridWorld
from sim_bridge.grid_world import Placement

WANTED = 3.0


def measure(rng: np.random.Generator, *, laps: int) -> list[Comparison]:
    """Compare one step of one agent, both worlds on the same baked house and sound."""
    contract = PolicyContract()
    torch.set_num_threads(1)
    house = bake_houses([HOUSE], contract, settings=BakeSettings(sources=1), workers=1,
                        progress=False)[0]
    dry = rng.uniform(-0.5, 0.5, contract.window_samples).astype(np.float32)
    batched = _batched(house, contract, dry, rng)
    single = BakedEnvironment(house, contract, dry)
    return [compare_steps('grid world', batched, single, draw_actions(rng), laps=laps,
                          wanted=WANTED, label=f'{AGENTS} agents batched in torch')]


def _batched(house: BakedHouse, contract: PolicyContract, dry: np.ndarray,
             rng: np.random.Generator) -> GridWorld:
    world = GridWorld([house], contract, count=AGENTS)
    for slot, generator in enumerate(rng.spawn(AGENTS)):
        world.place(slot, Placement(
            house=0, source=0, node=int(rng.integers(len(house.nodes))),
            heading=int(rng.integers(HEADINGS)), dry=dry, rng=generator))
    return world


class BakedEnvironment(SingleEnvironment):
    """One agent on a baked house; sound is convolved and transformed as SoundSpaces does."""

    def __init__(self, house: BakedHouse, contract: PolicyContract, dry: np.ndarray) -> None:
        super().__init__(house.neighbors)
        self._house, self._contract, self._dry = house, contract, dry

    def observe(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rgb, depth in metres and the spectrogram."""
        here = self._node, self._heading
        response = self._house.responses[0, here[0], here[1]].astype(np.float32) / RESPONSE_SCALE
        audio = np.stack([fftconvolve(self._dry, ear)[:self._contract.window_samples]
                          for ear in response])
        depth = self._house.depth_mm[here].astype(np.float32) * np.float32(DEPTH_UNIT_M)
        return np.array(self._house.rgb[here]), depth, librosa_spectrogram(audio, self._contract)
