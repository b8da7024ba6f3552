# SPDX-License-Identifier: Apache-2.0
"""AV-WaN: a recurrent network sets waypoints on what was seen and heard, a planner walks there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.choice import choose
from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from asgf_nav_ros.mapping.occupancy import EgoMapper
from asgf_nav_ros.systems.navigator import Views
from asgf_nav_ros.systems.onnx_network import OnnxNetwork
from asgf_nav_ros.systems.waypoint_search import WaypointSearch

INPUTS = ('spectrogram', 'geometric', 'acoustic', 'open', 'hidden')
OUTPUTS = ('probabilities', 'hidden_out')


class AvWan:
    """Decides on a waypoint where the last one is done with, and walks on otherwise."""

    def __init__(self, model: Path, *, threads: int = 1,
                 temperature: float = DEPLOYED_TEMPERATURE) -> None:
        self._network = OnnxNetwork(model, system='av_wan', inputs=INPUTS, outputs=OUTPUTS,
                                    threads=threads)
        self.contract: PolicyContract = self._network.contract
        self.model_sha256 = self._network.sha256
        self._temperature = temperature
        self._mapper = EgoMapper(self.contract)
        self._searches: dict[int, WaypointSearch] = {}
        self._hidden: dict[int, np.ndarray] = {}
        self._rngs: dict[int, np.random.Generator] = {}

    def begin(self, slots: np.ndarray, rngs: list[np.random.Generator]) -> None:
        """Start the agents in ``slots`` with empty maps and memories."""
        for slot, rng in zip(slots.tolist(), rngs):
            self._searches[slot] = WaypointSearch(self.contract, self._mapper)
            self._hidden[slot] = np.zeros(self.contract.hidden_size, np.float32)
            self._rngs[slot] = rng

    def decide(self, slots: np.ndarray, views: Views) -> np.ndarray:
        """Choose an action for each of ``slots``."""
        for slot, depth, spectrogram, moved in zip(
                slots.tolist(), views.depth, views.spectrogram, views.moved):
            self._searches[slot].observe(depth, spectrogram, moved=bool(moved))
        self._set_waypoints(slots, views.spectrogram)
        return np.array([self._searches[slot].act(self._rngs[slot]) for slot in slots.tolist()],
                        np.int64)

    def _set_waypoints(self, slots: np.ndarray, spectrogram: np.ndarray) -> None:
        waiting = [row for row, slot in enumerate(slots.tolist())
                   if self._searches[slot].wants_waypoint]
        if not waiting:
            return
        chosen = slots[waiting].tolist()
        maps = [self._searches[slot].maps() for slot in chosen]
        out = self._network(
            spectrogram=spectrogram[waiting], hidden=np.stack([self._hidden[s] for s in chosen]),
            geometric=np.stack([each.geometric for each in maps]).astype(np.float32),
            acoustic=np.stack([each.acoustic for each in maps]),
            open=np.stack([each.open for each in maps]).astype(np.float32))
        self._hidden.update(zip(chosen, out['hidden_out']))
        for slot, probabilities in zip(chosen, out['probabilities']):
            self._searches[slot].set_waypoint(choose(
                probabilities, temperature=self._temperature, rng=self._rngs[slot]))
