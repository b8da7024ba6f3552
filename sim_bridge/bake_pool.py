# SPDX-License-Identifier: Apache-2.0
"""Bake many houses over several processes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Sequence

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import bake_house
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.cache import cache_directory
from sim_bridge.episodes import load_house
from sim_bridge.job_pool import all_cores
from sim_bridge.job_pool import JobPool
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.job_pool import run_jobs


@dataclasses.dataclass(frozen=True)
class BakeJob:
    """A house (a name or a floor-plan file) and how to bake it into ``directory``."""

    house: str
    contract: PolicyContract
    settings: BakeSettings
    directory: Path


@dataclasses.dataclass(frozen=True)
class Bake:
    """Where a house was baked, and into how many nodes."""

    path: Path
    nodes: int


def bake_houses(names: Sequence[str], contract: PolicyContract, *,
                settings: BakeSettings | Sequence[BakeSettings], workers: int | None = None,
                directory: Path | None = None, progress: bool = True) -> list[BakedHouse]:
    """Open the bakes of the named houses (or floor-plan files), making the missing ones.

    ``settings`` are those of all houses, or one for each.
    """
    pool = LocalProcesses(workers) if workers is not None else all_cores()
    made = make_bakes(names, contract, settings=settings, pool=pool, directory=directory,
                      progress=progress)
    return [BakedHouse.open(bake.path, name=name) for name, bake in zip(names, made)]


def make_bakes(names: Sequence[str], contract: PolicyContract, *,
               settings: BakeSettings | Sequence[BakeSettings], pool: JobPool,
               directory: Path | None = None, progress: bool = True) -> list[Bake]:
    """Bake the named houses (or floor-plan files) where that has not been done yet.

    ``settings`` are those of all houses, or one for each.

    Raises:
        ValueError: a floor plan cannot be used; nothing has been baked then.
    """
    for plan in (name for name in names if name.endswith('.json')):
        load_house(plan)
    each = [settings] * len(names) if isinstance(settings, BakeSettings) else settings
    target = directory or bake_directory()
    jobs = [BakeJob(name, contract, chosen, target)
            for name, chosen in zip(names, each, strict=True)]
    return run_jobs(bake, jobs, pool=pool, description='bake', progress=progress)


def bake_directory() -> Path:
    """Where bakes are kept between runs."""
    return cache_directory() / 'bakes'


def bake(job: BakeJob) -> Bake:
    """Make one bake, if it is missing."""
    house = open_bake(job)
    return Bake(house.path, len(house.nodes))


def open_bake(job: BakeJob) -> BakedHouse:
    """Open one bake, made first if it is missing."""
    house = dataclasses.replace(load_house(job.house), name=job.house)
    return bake_house(house, job.contract, settings=job.settings, directory=job.directory)
