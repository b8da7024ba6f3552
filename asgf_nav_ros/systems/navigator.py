# SPDX-License-Identifier: Apache-2.0
"""The interface of every navigator that is measured."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from asgf_nav_ros.contract import PolicyContract


@dataclasses.dataclass(frozen=True)
class Views:
    """What ``N`` agents observe: rgb (N, H, W, 3) uint8, depth (N, H, W) float32 metres,

    spectrogram (N, bins, frames, channels) float32, and moved (N,) bool: whether the last step
    forward went ahead; true at the start and after turns.
    """

    rgb: np.ndarray
    depth: np.ndarray
    spectrogram: np.ndarray
    moved: np.ndarray


class Navigator(Protocol):
    """Decides for many agents at once, each in an episode of its own."""

    contract: PolicyContract
    model_sha256: str | None

    def begin(self, slots: np.ndarray, rngs: list[np.random.Generator]) -> None:
        """Forget what the agents in ``slots`` remembered; ``rngs`` are their episodes' own."""

    def decide(self, slots: np.ndarray, views: Views) -> np.ndarray:
        """Choose one action (N,) int64 for each of ``slots`` (N,)."""
