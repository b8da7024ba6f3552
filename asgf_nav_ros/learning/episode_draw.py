# SPDX-License-Identifier: Apache-2.0
"""Random placements in baked houses: which house, from where, with which sound and troubles."""

from __future__ import annotations

import copy
from typing import Sequence

import numpy as np

from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.troubles import Troubles
from sim_bridge.bake import BakedHouse
from sim_bridge.conditions import Situation
from sim_bridge.grid_world import Placement


class EpisodeDraw:
    """Draws what an agent of a ``GridWorld`` is placed into.

    clips : training sounds, each (window_samples,) float32, peak 1.
    large_share : of episodes in large houses; None draws all houses evenly.
    """

    def __init__(self, houses: Sequence[BakedHouse], clips: Sequence[np.ndarray], *,
                 sample_rate_hz: int, variation: SoundVariation, troubles: Troubles,
                 large_share: float | None, rng: np.random.Generator) -> None:
        if not clips:
            raise ValueError('learning needs at least one training sound, got none')
        self.houses = list(houses)
        self._clips, self._rate_hz = list(clips), sample_rate_hz
        self._variation, self._troubles, self._rng = variation, troubles, rng
        self._weights = house_weights(self.houses, large_share)

    def drawing_from(self, rng: np.random.Generator) -> EpisodeDraw:
        """Return the same draw from another generator."""
        other = copy.copy(self)
        other._rng = rng
        return other

    def draw(self, *, progress: float = 1.0) -> Placement:
        """Draw house, source, start, sound, noise and, at ``progress`` in [0, 1], troubles."""
        rng = self._rng
        house = int(rng.choice(len(self.houses), p=self._weights))
        baked = self.houses[house]
        dry = self._variation.vary(self._clips[rng.integers(len(self._clips))], self._clips, rng,
                                   sample_rate_hz=self._rate_hz)
        situation = Situation(
            house=baked, source=int(rng.integers(len(baked.source_nodes))),
            node=int(rng.integers(len(baked.nodes))), heading=int(rng.integers(4)), dry=dry,
            others=self._clips, sample_rate_hz=self._rate_hz, rng=rng)
        return Placement(
            house=house, source=situation.source, node=situation.node,
            heading=situation.heading, dry=dry, rng=rng,
            noise_rms=self._variation.noise_rms(rng),
            disturbance=self._troubles.draw(situation, progress=progress))


def house_weights(houses: Sequence[BakedHouse], large_share: float | None) -> np.ndarray:
    """How often each house is drawn: evenly, or large ones together ``large_share`` of times."""
    large = np.array([house.name.startswith('large/') for house in houses])
    if large_share is None or not 0 < large.sum() < len(houses):
        return np.full(len(houses), 1 / len(houses))
    return np.where(large, large_share / large.sum(), (1 - large_share) / (~large).sum())
