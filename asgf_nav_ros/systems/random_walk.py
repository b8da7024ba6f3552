# SPDX-License-Identifier: Apache-2.0
"""The random agent of the paper's Table I: every primitive action with equal probability."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.systems.navigator import Views


class RandomWalk:
    """Draws from each episode's own generator, so that a seed fixes its run."""

    model_sha256 = None

    def __init__(self, model: Path | None = None, *,
                 contract: PolicyContract | None = None) -> None:
        if model is not None:
            raise ValueError(f'the random system takes no model, got {model}')
        # It looks at nothing: small images, as the learned systems' houses are baked with.
        self.contract = contract or PolicyContract(
            system='random', image_height=64, image_width=64)
        self._rngs: dict[int, np.random.Generator] = {}

    def begin(self, slots: np.ndarray, rngs: list[np.random.Generator]) -> None:
        """Remember the generators of the episodes that begin in ``slots``."""
        self._rngs.update(zip(slots.tolist(), rngs))

    def decide(self, slots: np.ndarray, views: Views) -> np.ndarray:
        """Draw one action for each of ``slots``."""
        return np.array([self._rngs[slot].integers(4) for slot in slots.tolist()])
