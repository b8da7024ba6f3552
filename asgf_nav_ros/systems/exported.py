# SPDX-License-Identifier: Apache-2.0
"""A learned navigator as it is deployed: the exported ONNX file, decided in batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from asgf_nav_ros.inference.exploration import Exploration
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.motion.reckoning import Reckoning
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
        self._actions: dict[int, int] = {}  # the last one of every agent that has decided
        self._exploration: dict[int, Exploration] = {}
        self._reckoning = Reckoning(0, self.contract)

    def begin(self, slots: np.ndarray, rngs: list[np.random.Generator]) -> None:
        """Start the agents in ``slots`` with an empty memory."""
        self._reckoning.resize(max(slots) + 1)
        self._reckoning.begin(slots)
        for slot, rng in zip(slots.tolist(), rngs):
            self._hidden[slot] = np.zeros(self.contract.hidden_size, np.float32)
            self._rngs[slot] = rng
            self._exploration[slot] = Exploration(self.contract)
            self._actions.pop(slot, None)

    def decide(self, slots: np.ndarray, views: Views) -> np.ndarray:
        """Choose an action for each of ``slots``."""
        motion = self._motion(slots, views.moved) if self.contract.odometry else None
        hidden = np.stack([self._hidden[slot] for slot in slots.tolist()])
        out = self._policy.decide_batch(views.rgb, views.depth, views.spectrogram, hidden, motion)
        self._hidden.update(zip(slots.tolist(), out['hidden_out']))
        motions = [None] * len(slots) if motion is None else motion
        actions = np.array([
            self._exploration[slot].choose(probabilities, own, depth, heard, rng=self._rngs[slot],
                                           temperature=self._temperature, memory=memory,
                                           spectrogram=spectrogram)
            for slot, probabilities, own, depth, heard, memory, spectrogram in zip(
                slots.tolist(), out['action_probabilities'], motions, views.depth,
                out['sound_direction'], out['hidden_out'], views.spectrogram)])
        self._actions.update(zip(slots.tolist(), actions.tolist()))
        return actions

    def _motion(self, slots: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """Reckon with what became of the last actions; (N, MOTION_FEATURES) float32."""
        acted = np.array([slot in self._actions for slot in slots.tolist()])
        last = np.array([self._actions[slot] for slot in slots[acted].tolist()], np.int64)
        self._reckoning.record(slots[acted], last, moved[acted])
        return self._reckoning.features(slots)
