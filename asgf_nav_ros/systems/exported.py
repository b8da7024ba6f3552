# SPDX-License-Identifier: Apache-2.0
"""A learned navigator as it is deployed: the exported ONNX file, decided in batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asgf_nav_ros.inference.onnx_policy import choose
from asgf_nav_ros.inference.onnx_policy import DEPLOYED_TEMPERATURE
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.systems.navigator import Views


class ExportedPolicy:
    """Keeps one recurrent state for every agent; draws from its episode's own generator."""

    def __init__(self, model: Path, *, system: str, threads: int = 1,
                 temperature: float = DEPLOYED_TEMPERATURE) -> None:
        self._policy = OnnxPolicy(model, threads=threads)
        self.contract = self._policy.contract
        self.contract.require(system=system)
        self.model_sha256 = self._policy.sha256
        self._temperature = temperature
        self._hidden: dict[int, np.ndarray] = {}
        self._rngs: dict[int, np.random.Generator] = {}

    def begin(self, slots: np.ndarray, rngs: list[np.random.Generator]) -> None:
        """Start the agents in ``slots`` with an empty memory."""
        for slot, rng in zip(slots.tolist(), rngs):
            self._hidden[slot] = np.zeros(self.contract.hidden_size, np.float32)
            self._rngs[slot] = rng

    def decide(self, slots: np.ndarray, views: Views) -> np.ndarray:
        """Choose an action for each of ``slots``."""
        hidden = np.stack([self._hidden[slot] for slot in slots.tolist()])
        out = self._policy.decide_batch(views.rgb, views.depth, views.spectrogram, hidden)
        self._hidden.update(zip(slots.tolist(), out['hidden_out']))
        return np.array([
            choose(probabilities, temperature=self._temperature, rng=self._rngs[slot])
            for slot, probabilities in zip(slots.tolist(), out['action_probabilities'])])
