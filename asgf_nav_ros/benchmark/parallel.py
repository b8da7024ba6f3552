# SPDX-License-Identifier: Apache-2.0
"""Evaluate house by house, each in whatever process is free: a worker holds one house open."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from pathlib import Path
import time
from typing import Sequence

import numpy as np
import torch

from asgf_nav_ros.benchmark.runner import CLEAN
from asgf_nav_ros.benchmark.runner import EpisodeRunner
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.systems.navigator import Navigator
from asgf_nav_ros.systems.registry import navigator
from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import BakeJob
from sim_bridge.bake_pool import open_bake
from sim_bridge.episodes import Episode
from sim_bridge.job_pool import JobPool
from sim_bridge.job_pool import run_jobs
from sim_bridge.sounds import load_sound
from sim_bridge.sounds import Sound


@dataclasses.dataclass(frozen=True, kw_only=True)
class System:
    """A navigator by its ingredients, which any process can build it from."""

    name: str
    model: Path | None
    temperature: float

    def build(self) -> Navigator:
        """Build the navigator, or return the one that this process built last.

        Raises:
            ValueError: see ``systems.registry.navigator``.
        """
        shipped = share_directory('models')
        files = [self.model] if self.model else sorted(shipped.glob('*.onnx'))
        times = tuple(file.stat().st_mtime_ns for file in files if file.exists())
        return _build(self, shipped, times)


@functools.lru_cache(maxsize=1)
def _build(system: System, shipped: Path, times: tuple[int, ...]) -> Navigator:
    """``times`` of the model files make a new one take effect."""
    return navigator(system.name, model=system.model, models=shipped,
                     temperature=system.temperature)


@dataclasses.dataclass(frozen=True, kw_only=True)
class HouseJob:
    """Episodes of one house, and everything that they need.

    sounds : those of the episodes, and whatever may distract from them.
    batch : episodes that run side by side.
    """

    system: System
    bake: BakeJob
    episodes: tuple[Episode, ...]
    sounds: tuple[Sound, ...]
    condition: str = CLEAN
    severity: float = 0.0
    batch: int = 32


@dataclasses.dataclass(frozen=True)
class HouseRuns:
    """What came of a job; ``seconds`` leaves baking out."""

    runs: list[Run]
    steps: int
    seconds: float


def evaluate_episodes(episodes: Sequence[Episode], *, system: System, settings: BakeSettings,
                      sounds: Sequence[Sound], condition: str, severity: float, batch: int,
                      directory: Path, pool: JobPool) -> tuple[list[Run], float]:
    """Run every episode, in order; houses that are not baked yet are baked on the way.

    Each episode has generators of its own, so that neither ``batch`` nor ``pool`` changes it.

    Returns:
        The runs, and the steps that one process makes in a second.
    """
    contract = system.build().contract
    jobs = [HouseJob(
        system=system, bake=BakeJob(house, contract, settings, directory),
        episodes=tuple(found), sounds=tuple(sounds), condition=condition, severity=severity,
        batch=batch) for house, found in itertools.groupby(episodes, lambda each: each.house)]
    done = run_jobs(evaluate_house, jobs, pool=pool, description='episodes',
                    sizes=[len(job.episodes) for job in jobs])
    seconds = sum(each.seconds for each in done)
    return ([run for each in done for run in each.runs],
            sum(each.steps for each in done) / seconds)


def evaluate_house(job: HouseJob) -> HouseRuns:
    """Run the episodes of one house in this process, on one thread."""
    torch.set_num_threads(1)
    house, system = open_bake(job.bake), job.system.build()
    clips = {sound.name: _clip(sound, system.contract.sample_rate_hz, system.contract.window_s)
             for sound in job.sounds}
    runner = EpisodeRunner([house], system, sounds=clips, condition=job.condition,
                           severity=job.severity, batch=min(job.batch, len(job.episodes)))
    began_s = time.perf_counter()
    runs = runner.run(job.episodes)
    return HouseRuns(runs, runner.steps, time.perf_counter() - began_s)


@functools.lru_cache(maxsize=256)
def _clip(sound: Sound, sample_rate_hz: int, duration_s: float) -> np.ndarray:
    return load_sound(sound, sample_rate_hz, duration_s=duration_s)
