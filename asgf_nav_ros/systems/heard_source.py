# SPDX-License-Identifier: Apache-2.0
"""The exported sound locators: what one window says about its source."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.systems.onnx_network import OnnxNetwork


@dataclasses.dataclass(frozen=True)
class HeardSource:
    """What ``N`` agents hear.

    vector : (N, 2) float32, ahead and left: a direction, or an offset in metres.
    at_goal : (N,) float32, probability of standing at the source.
    """

    vector: np.ndarray
    at_goal: np.ndarray


class Locator(Protocol):
    """Hears where a source is."""

    contract: PolicyContract
    sha256: str | None

    def __call__(self, spectrogram: np.ndarray) -> HeardSource:
        """Locate the source in each of (N, bins, frames, channels) float32."""


class ExportedLocator:
    """A locator in an ONNX file; ``vector`` names its first output."""

    def __init__(self, model: Path, *, system: str, vector: str, threads: int = 1) -> None:
        self._network = OnnxNetwork(model, system=system, inputs=('spectrogram',),
                                    outputs=(vector, 'at_goal'), threads=threads)
        self._vector = vector
        self.contract, self.sha256 = self._network.contract, self._network.sha256

    def __call__(self, spectrogram: np.ndarray) -> HeardSource:
        """Locate the source in each of (N, bins, frames, channels) float32."""
        heard = self._network(spectrogram=spectrogram)
        return HeardSource(heard[self._vector], heard['at_goal'])
