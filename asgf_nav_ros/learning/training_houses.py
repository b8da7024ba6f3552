# SPDX-License-Identifier: Apache-2.0
"""Which houses a recipe trains in, and how each is baked: other heads, missed poses."""

from __future__ import annotations

import dataclasses

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import bake_houses


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingHouses:
    """Numbers of houses of each size, and the shares of them that are baked otherwise.

    Houses are counted from ``first_small`` and ``first_large``: a run that goes on from another
    run's weights can go on in other houses.

    ``spherical_heads`` is the share of houses heard with a spherical head of random radius,
    ``missed_poses`` of those where every node and heading is missed by random amounts of at most
    the given standard deviations.
    """

    small: int = 48
    large: int = 0
    first_small: int = 0
    first_large: int = 0
    large_sources: int = 2
    spherical_heads: float = 0.0
    head_radius_m: tuple[float, float] = (0.07, 0.10)
    missed_poses: float = 0.0
    pose_noise_m: float = 0.08
    pose_noise_rad: float = 0.1

    def __post_init__(self) -> None:
        if self.small + self.large < 1:
            raise ValueError('training needs at least one house, got none')
        if min(self.first_small, self.first_large) < 0:
            raise ValueError('houses are counted from 0, got first_small '
                             f'{self.first_small}, first_large {self.first_large}')
        object.__setattr__(self, 'head_radius_m', tuple(self.head_radius_m))

    def plan(self, bake: BakeSettings) -> list[tuple[str, BakeSettings]]:
        """Name every house and settle how it is baked; house k is always baked in one way.

        Large houses stand between small ones, so that any first part of them has both.
        """
        counts = (('small', self.first_small, self.small), ('large', self.first_large, self.large))
        ordered = sorted(((k + 0.5) / count, -place, size, first + k)
                         for place, (size, first, count) in enumerate(counts)
                         for k in range(count))
        names = [(size, index) for _, _, size, index in ordered]
        return [(f'{size}/train/{index}', self._settings(bake, size, index))
                for size, index in names]

    def bake(self, contract: PolicyContract, bake: BakeSettings, *,
             workers: int | None = None) -> list[BakedHouse]:
        """Open the houses, baking the missing ones."""
        names, settings = zip(*self.plan(bake))
        return bake_houses(names, contract, settings=settings, workers=workers)

    def _settings(self, bake: BakeSettings, size: str, index: int) -> BakeSettings:
        rng = np.random.default_rng([index, size == 'large'])
        spherical, missed = rng.random(2) < (self.spherical_heads, self.missed_poses)
        radius_m, share = rng.uniform(*self.head_radius_m), rng.uniform(0.3, 1.0)
        return dataclasses.replace(
            bake, sources=self.large_sources if size == 'large' else bake.sources,
            head_radius_m=round(float(spherical * radius_m), 4),
            pose_noise_m=round(float(missed * share * self.pose_noise_m), 4),
            pose_noise_rad=round(float(missed * share * self.pose_noise_rad), 4))
