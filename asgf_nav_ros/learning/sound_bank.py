# SPDX-License-Identifier: Apache-2.0
"""Sounds and noises made beforehand: hundreds of episodes a second begin on a GPU."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np

from asgf_nav_ros.learning.dry_sound import SoundVariation
from sim_bridge.job_pool import JobPool
from sim_bridge.job_pool import run_jobs
from sim_bridge.robot_noise import draw_robot_noise
from sim_bridge.robot_noise import KINDS

_SOUNDS_A_JOB, _NOISES_A_JOB = 256, 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class BankSettings:
    """How many sounds a bank has, and how many noises of each kind."""

    sounds: int = 8192
    noises: int = 512

    def __post_init__(self) -> None:
        if min(self.sounds, self.noises) < 1:
            raise ValueError('a bank needs sounds and noises, '
                             f'got {self.sounds} and {self.noises}')


@dataclasses.dataclass(frozen=True)
class _Job:
    """Some sounds of the variation, or some noises of one kind where there is no variation."""

    seed: tuple[int, ...]
    count: int
    sample_rate_hz: int
    samples: int
    variation: SoundVariation | None = None
    clips: Sequence[np.ndarray] = ()
    kind: str = ''


class SoundBank:
    """Varied sounds at one level, and noise at a robot's ears of every kind.

    sounds : (k, n) float16, peak 1; ``gain_db`` is drawn anew whenever one is taken.
    noises : by kind, (m, 2, n) float16 of unit RMS.
    """

    def __init__(self, sounds: np.ndarray, noises: dict[str, np.ndarray], *,
                 gain_db: float) -> None:
        self._sounds, self._noises, self._gain_db = sounds, noises, gain_db

    @classmethod
    def make(cls, settings: BankSettings, variation: SoundVariation,
             clips: Sequence[np.ndarray], *, sample_rate_hz: int, seed: int, pool: JobPool,
             progress: bool = True) -> SoundBank:
        """Make sounds of ``clips``, (n,) float32 each, and noises as long as those."""
        if not clips:
            raise ValueError('a bank needs one recording at least, got none')
        sounds, noises = settings.sounds, settings.noises
        level = dataclasses.replace(variation, gain_db=0.0)
        common = {'sample_rate_hz': sample_rate_hz, 'samples': len(clips[0])}
        jobs = [_Job((seed, 0, first), min(_SOUNDS_A_JOB, sounds - first), variation=level,
                     clips=clips, **common) for first in range(0, sounds, _SOUNDS_A_JOB)]
        jobs += [_Job((seed, 1 + index, first), min(_NOISES_A_JOB, noises - first), kind=kind,
                      **common) for index, kind in enumerate(KINDS)
                 for first in range(0, noises, _NOISES_A_JOB)]
        made = run_jobs(_make, jobs, pool=pool, description='sounds', progress=progress)
        by_kind = {kind: np.concatenate([part for job, part in zip(jobs, made)
                                         if job.kind == kind]) for kind in ('', *KINDS)}
        return cls(by_kind.pop(''), by_kind, gain_db=variation.gain_db)

    def sound(self, rng: np.random.Generator) -> np.ndarray:
        """One of the sounds, (n,) float32, at a random level."""
        gain = 10 ** (rng.uniform(-self._gain_db, self._gain_db) / 20)
        return np.float32(gain) * self._sounds[rng.integers(len(self._sounds))]

    def robot_noise(self, kind: str, samples: int, sample_rate_hz: int,
                    rng: np.random.Generator) -> np.ndarray:
        """One of the noises of a kind, (2, n) float32 of unit RMS, see ``draw_robot_noise``."""
        del samples, sample_rate_hz  # those of the bank
        noises = self._noises[kind]
        return noises[rng.integers(len(noises))].astype(np.float32)


def _make(job: _Job) -> np.ndarray:
    rng = np.random.default_rng(job.seed)
    if job.variation is None:
        made = [draw_robot_noise(job.kind, job.samples, job.sample_rate_hz, rng)
                for _ in range(job.count)]
    else:
        made = [job.variation.vary(job.clips[rng.integers(len(job.clips))], job.clips, rng,
                                   sample_rate_hz=job.sample_rate_hz) for _ in range(job.count)]
    return np.stack(made).astype(np.float16)
