# SPDX-License-Identifier: Apache-2.0
"""Random placements in baked houses: which house, from where, with which sound and troubles."""

from __future__ import annotations

import copy
from typing import Sequence

import numpy as np

from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.sound_bank import SoundBank
from asgf_nav_ros.learning.troubles import Troubles
from sim_bridge.bake import BakedHouse
from sim_bridge.conditions import Situation
from sim_bridge.grid_world import Placement
from sim_bridge.robot_noise import draw_robot_noise


class _Start(Situation):
    """A start whose level is measured by the world that an agent is placed into."""

    def received_rms(self) -> float:
        return 1.0


class EpisodeDraw:
    """Draws what an agent of a ``GridWorld`` is placed into.

    houses : may grow while episodes are drawn.
    clips : training sounds, each (window_samples,) float32, peak 1.
    large_share : of episodes in large houses; None draws all houses evenly.
    bank : sounds made beforehand, where episodes begin too often to make one for each.
    """

    def __init__(self, houses: Sequence[BakedHouse], clips: Sequence[np.ndarray], *,
                 sample_rate_hz: int, variation: SoundVariation, troubles: Troubles,
                 large_share: float | None, rng: np.random.Generator,
                 bank: SoundBank | None = None) -> None:
        if not clips:
            raise ValueError('learning needs at least one training sound, got none')
        self.houses, self._bank = houses, bank
        self._clips, self._rate_hz = list(clips), sample_rate_hz
        self._variation, self._troubles, self._rng = variation, troubles, rng
        self._large_share, self._weights = large_share, np.zeros(0)

    def drawing_from(self, rng: np.random.Generator) -> EpisodeDraw:
        """Return the same draw from another generator."""
        other = copy.copy(self)
        other._rng = rng
        return other

    def draw(self, *, progress: float = 1.0) -> Placement:
        """Draw house, source, start, sound, noise and, at ``progress`` in [0, 1], troubles."""
        rng = self._rng
        house = self._house(rng)
        baked, dry = self.houses[house], self._dry(rng)
        situation = _Start(
            house=baked, source=int(rng.integers(len(baked.source_nodes))),
            node=int(rng.integers(len(baked.nodes))), heading=int(rng.integers(4)), dry=dry,
            others=self._clips, sample_rate_hz=self._rate_hz, rng=rng,
            robot_noise=self._bank.robot_noise if self._bank else draw_robot_noise)
        return Placement(
            house=house, source=situation.source, node=situation.node,
            heading=situation.heading, dry=dry, rng=rng,
            noise_rms=self._variation.noise_rms(rng),
            disturbance=self._troubles.draw(situation, progress=progress), noise_over_goal=True)

    def _house(self, rng: np.random.Generator) -> int:
        if len(self._weights) != len(self.houses):
            self._weights = house_weights(self.houses, self._large_share)
        return int(rng.choice(len(self._weights), p=self._weights))

    def _dry(self, rng: np.random.Generator) -> np.ndarray:
        if self._bank:
            return self._bank.sound(rng)
        return self._variation.vary(self._clips[rng.integers(len(self._clips))], self._clips, rng,
                                    sample_rate_hz=self._rate_hz)


def house_weights(houses: Sequence[BakedHouse], large_share: float | None) -> np.ndarray:
    """How often each house is drawn: evenly, or large ones together ``large_share`` of times."""
    large = np.array([house.name.startswith('large/') for house in houses])
    if large_share is None or not 0 < large.sum() < len(houses):
        return np.full(len(houses), 1 / len(houses))
    return np.where(large, large_share / large.sum(), (1 - large_share) / (~large).sum())
