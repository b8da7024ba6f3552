# SPDX-License-Identifier: Apache-2.0
"""Houses that are baked while a policy already learns in the first ones."""

from __future__ import annotations

import contextlib
import threading

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.training_houses import TrainingHouses
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import bake
from sim_bridge.bake_pool import bake_directory
from sim_bridge.bake_pool import BakeJob
from sim_bridge.job_pool import JobPool
from sim_bridge.resident_houses import ResidentHouses


class HouseFeed:
    """Bakes in a pool of processes and adds each house to ``resident`` as it gets ready.

    It ends when all houses are there, when there is no room for one more, or on ``close``.
    """

    def __init__(self, houses: TrainingHouses, contract: PolicyContract, settings: BakeSettings,
                 resident: ResidentHouses, *, pool: JobPool) -> None:
        self._resident, self._pool = resident, pool
        self._jobs = [BakeJob(name, contract, chosen, bake_directory())
                      for name, chosen in houses.plan(settings)]
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._closed = False
        threading.Thread(target=self._run, name='houses', daemon=True).start()

    def wait_for(self, count: int) -> None:
        """Wait until so many houses are there, or all there will ever be.

        Raises:
            RuntimeError: a bake failed, or not one house is there.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._resident.houses) >= count)
        self.check()
        if not self._resident.houses:
            raise RuntimeError('there must be room for one house at least, got none')

    def check(self) -> None:
        """Raise what a bake failed with: RuntimeError."""
        if self._error is not None:
            raise RuntimeError(f'baking failed: {self._error}') from self._error

    def close(self) -> None:
        """Let no more houses in."""
        self._closed = True

    def __enter__(self) -> HouseFeed:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self.close()
        if kind is None:
            self.check()

    def _run(self) -> None:
        try:
            with contextlib.closing(self._pool.completed(bake, self._jobs)) as made:
                for index, result in made:
                    house = BakedHouse.open(result.path, name=self._jobs[index].house)
                    if self._closed or not self._resident.add(house):
                        break
                    with self._changed:
                        self._changed.notify_all()
        except Exception as error:
            self._error = error
        with self._changed:
            self._closed = True
            self._changed.notify_all()
