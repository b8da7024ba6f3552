# SPDX-License-Identifier: Apache-2.0
"""Training seeds of one system together, and differences of two systems on the same episodes."""

from __future__ import annotations

import dataclasses
import functools
from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark.metrics import CONFIDENCE
from asgf_nav_ros.benchmark.result_files import COLUMNS
from asgf_nav_ros.benchmark.result_files import Evaluation
from asgf_nav_ros.benchmark.result_files import Setting

RESAMPLES = 2000


@dataclasses.dataclass(frozen=True, eq=False)
class Entry:
    """Every training seed of one system in one setting, all on the same episodes."""

    name: str
    system: str
    setting: Setting
    evaluations: tuple[Evaluation, ...]

    @property
    def values(self) -> np.ndarray:
        """(training seeds, episodes, COLUMNS) float64."""
        return np.stack([each.values for each in self.evaluations])

    def mean(self, episodes: np.ndarray | slice = slice(None)) -> np.ndarray:
        """(COLUMNS,) means over training seeds and the chosen episodes."""
        return self.values[:, episodes].mean(axis=(0, 1))

    def interval(self, episodes: np.ndarray | slice = slice(None)) -> np.ndarray:
        """(COLUMNS, 2) bootstrap interval (95 %), low and high.

        Of one training seed and all its episodes it is the interval that the file holds.
        """
        if len(self.evaluations) == 1 and isinstance(episodes, slice):
            intervals = self.evaluations[0].document['ci95']
            return np.array([intervals[group][name] for group, name in COLUMNS])
        return _quantiles(_resampled_means(self.values[:, episodes], np.random.default_rng(0)))

    def seed_range(self) -> np.ndarray:
        """(COLUMNS, 2) lowest and highest mean of a training seed."""
        means = self.values.mean(axis=1)
        return np.stack([means.min(axis=0), means.max(axis=0)], axis=1)


@dataclasses.dataclass(frozen=True, eq=False)
class Difference:
    """First minus second system: mean (COLUMNS,) and interval (COLUMNS, 2)."""

    first: str
    second: str
    mean: np.ndarray
    interval: np.ndarray

    @property
    def supported(self) -> np.ndarray:
        """(COLUMNS,) bool: the interval leaves zero out."""
        return (self.interval[:, 0] > 0) | (self.interval[:, 1] < 0)


def entries(evaluations: Sequence[Evaluation]) -> list[Entry]:
    """Group evaluations by setting and system; sorted, so that the order of files is nothing."""
    groups: dict[tuple[Setting, str], list[Evaluation]] = {}
    for each in evaluations:
        groups.setdefault((each.setting, each.name), []).append(each)
    ordered = sorted(groups.items(), key=lambda item: (item[0][1], str(item[0][0])))
    return [Entry(name=name, system=found[0].system, setting=setting, evaluations=tuple(
        sorted(found, key=lambda each: each.model_sha256 or '')))
        for (setting, name), found in ordered]


def difference(first: Entry, second: Entry) -> Difference:
    """Compare two systems episode by episode, with a bootstrap over episodes and over seeds.

    Raises:
        ValueError: they were not measured on the same episodes.
    """
    if first.evaluations[0].episodes != second.evaluations[0].episodes:
        raise ValueError(f'{first.name} and {second.name} must be measured on the same episodes '
                         'to be compared')
    rng = np.random.default_rng(0)
    means = _resampled_means(first.values, rng) - _resampled_means(second.values, rng)
    return Difference(first.name, second.name, first.mean() - second.mean(), _quantiles(means))


def _resampled_means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(seeds, episodes, columns) to (RESAMPLES, columns).

    Every call resamples the episodes alike, so that differences are paired; ``rng`` resamples
    the seeds.
    """
    seeds, episodes, columns = values.shape
    by_episode = values.transpose(1, 0, 2).reshape(episodes, -1)
    by_seed = (_shares(episodes) @ by_episode).reshape(RESAMPLES, seeds, columns)
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds
    return (by_seed * weights[:, :, None]).sum(axis=1)


@functools.lru_cache(maxsize=64)
def _shares(episodes: int) -> np.ndarray:
    """(RESAMPLES, episodes): the share of every episode in every resample."""
    rng = np.random.default_rng(0)
    counts = rng.multinomial(episodes, np.full(episodes, 1 / episodes), size=RESAMPLES)
    return counts / episodes


def _quantiles(means: np.ndarray) -> np.ndarray:
    tail = (1 - CONFIDENCE) / 2
    return np.quantile(means, [tail, 1 - tail], axis=0).T
