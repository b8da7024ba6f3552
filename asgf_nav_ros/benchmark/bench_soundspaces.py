# SPDX-License-Identifier: Apache-2.0
"""How many steps a second a dataset of SoundSpaces makes, against scipy and librosa."""

from __future__ import annotations

from pathlib import Path
import pickle
import tempfile

import numpy as np
from scipy.io import wavfile
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
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import bake_houses
from sim_bridge.grid_world import Placement
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.layout import HEADINGS
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.layout import ROTATIONS_DEG
from sim_bridge.soundspaces.scene import Scene
from sim_bridge.soundspaces.world import Hearing
from sim_bridge.soundspaces.world import KEPT_SPECTROGRAMS
from sim_bridge.soundspaces.world import SoundSpacesWorld

WANTED_WARM, WANTED_COLD = 5.0, 2.0


def measure(rng: np.random.Generator, *, laps: int) -> list[Comparison]:
    """Compare one step of 32 agents: places heard before, and places never heard."""
    contract = PolicyContract()
    torch.set_num_threads(1)
    house = bake_houses([HOUSE], contract, settings=BakeSettings(sources=1), workers=1,
                        progress=False)[0]
    dry = rng.uniform(-0.5, 0.5, contract.window_samples).astype(np.float32)
    actions = draw_actions(rng)
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder), 'replica')
        writer.write_scene(house, layout, sample_rate_hz=contract.sample_rate_hz)
        scene, source = writer.scene_name(HOUSE), int(house.source_nodes[0])
        plain = PlainEnvironment(layout, scene, source, contract, dry)
        warm = _world(Scene(layout, scene, contract, [source]), contract, dry, rng)
        cold = _world(Scene(layout, scene, contract, [source], kept_bytes=0), contract, dry, rng,
                      kept=0)
        label = f'{AGENTS} agents'
        return [
            compare_steps('SoundSpaces data, warm', warm, plain, actions, laps=laps,
                          wanted=WANTED_WARM, label=label, warm_up_rounds=10),
            compare_steps('SoundSpaces data, cold', cold, plain, actions, laps=laps,
                          wanted=WANTED_COLD, label=label)]


def _world(scene: Scene, contract: PolicyContract, dry: np.ndarray, rng: np.random.Generator, *,
           kept: int = KEPT_SPECTROGRAMS) -> SoundSpacesWorld:
    """Agents all over the scene."""
    world = SoundSpacesWorld([scene], contract, count=AGENTS, kept=kept)
    for slot in range(AGENTS):
        world.begin(slot, Placement(
            house=0, source=0, node=int(rng.integers(len(scene.nodes))),
            heading=int(rng.integers(HEADINGS)), dry=dry, rng=rng), Hearing(dry))
    return world


class PlainEnvironment(SingleEnvironment):
    """One agent, everything computed anew at each step with scipy and librosa."""

    def __init__(self, layout: Layout, scene: str, source: int, contract: PolicyContract,
                 dry: np.ndarray) -> None:
        super().__init__(Scene(layout, scene, contract).graph.neighbors)
        with layout.observations(scene).open('rb') as stream:
            self._frames = pickle.load(stream)  # of a dataset that was written a moment ago
        self._layout, self._scene, self._source = layout, scene, source
        self._contract, self._dry = contract, dry

    def observe(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rgb, depth in metres and the spectrogram."""
        path = self._layout.response(self._scene, self._heading, self._node, self._source)
        _, response = wavfile.read(path)
        audio = np.stack([fftconvolve(self._dry, ear)[:self._contract.window_samples]
                          for ear in response.T])
        frame = self._frames[self._node, ROTATIONS_DEG[self._heading]]
        return frame['rgb'], frame['depth'], librosa_spectrogram(audio, self._contract)
