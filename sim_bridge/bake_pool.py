# SPDX-License-Identifier: Apache-2.0
"""Bake many houses over several processes."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import multiprocessing
import os
from pathlib import Path
from typing import Sequence

from tqdm import tqdm

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import bake_house
from sim_bridge.bake import BakedHouse
from sim_bridge.bake import BakeSettings
from sim_bridge.cache import cache_directory
from sim_bridge.episodes import load_house
from sim_bridge.house.plan import House


def bake_houses(names: Sequence[str], contract: PolicyContract, *, settings: BakeSettings,
                workers: int | None = None, directory: Path | None = None,
                progress: bool = True) -> list[BakedHouse]:
    """Open the bakes of the named houses (or floor-plan files), making the missing ones."""
    target = directory or cache_directory() / 'bakes'
    workers = workers or os.cpu_count() or 1
    if workers < 1:
        raise ValueError(f'workers must be positive, got {workers}')
    houses = [dataclasses.replace(load_house(name), name=name) for name in names]
    jobs = [(house, contract, settings, target) for house in houses]
    if len(jobs) == 1 or workers == 1:
        return list(tqdm(map(_bake, jobs), total=len(jobs), desc='bake', disable=not progress))
    # Processes are spawned: a forked OpenGL context or thread pool does not survive.
    context = multiprocessing.get_context('spawn')
    with concurrent.futures.ProcessPoolExecutor(
            workers, mp_context=context, initializer=_keep_to_one_core) as pool:
        baked = pool.map(_bake, jobs)
        return list(tqdm(baked, total=len(jobs), desc='bake', disable=not progress))


def _keep_to_one_core() -> None:
    os.environ['LP_NUM_THREADS'] = '0'  # Mesa's software renderer starts a thread per core


def _bake(job: tuple[House, PolicyContract, BakeSettings, Path]) -> BakedHouse:
    house, contract, settings, directory = job
    return bake_house(house, contract, settings=settings, directory=directory)
