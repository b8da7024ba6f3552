# SPDX-License-Identifier: Apache-2.0
"""Read the files that ``asgf-nav evaluate --json`` writes, and put like beside like."""

from __future__ import annotations

import collections
import dataclasses
import json
from pathlib import Path
from typing import Any
from typing import Mapping
from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark.metrics import STRICT_RADIUS_M
from asgf_nav_ros.benchmark.ways import Difficulty

CLEAN = 'clean'
ONE_SOUND = 'one_sound'
# Splits of SoundSpaces are SPLIT_PROTOCOL; those of single scenes or categories have other names.
_DATASET, _PROTOCOLS = 'soundspaces/', {'telephone': 'heard', 'multiple_unheard': 'unheard'}
FIGURES = ('spl', 'success_rate', 'sna')  # the paper's order
COLUMNS = tuple((group, name) for group in ('metrics', 'strict') for name in FIGURES)
_ROW_KEYS = {'house', 'sound', 'geodesic_m', 'seed', 'distance_to_goal_m', *FIGURES}


class NotAnEvaluation(ValueError):
    """A JSON file that holds something else, or an evaluation that no table can use."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """What was asked of a system; files with equal settings belong into one row or column.

    ``size`` is small or large, or the name of a dataset of SoundSpaces. ``protocol`` is heard,
    unheard or one_sound (trained on the telephone alone, tested on unheard sounds); ``severity``
    is None where nothing is disturbed.
    """

    split: str
    size: str
    protocol: str
    condition: str = CLEAN
    severity: float | None = None
    through_ros: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """One result file.

    file : path below the folder that was read.
    group : name of its subfolder, '' for the folder itself; sets ways of learning apart.
    episodes : (house, sound, seed, distance) of every episode, in order.
    values : (episodes, COLUMNS) float64, success at 1.0 m and then strictly.
    difficulties : by what makes episodes hard, the bin of every episode; older files have none.
    """

    file: str
    group: str
    system: str
    setting: Setting
    model_sha256: str | None
    episodes: tuple[tuple, ...]
    values: np.ndarray
    difficulties: Mapping[str, tuple[str, ...]]
    document: Mapping[str, Any] = dataclasses.field(repr=False)

    @property
    def name(self) -> str:
        """The system as tables call it, e.g. 'asgf' or 'asgf (ppo)'."""
        return f'{self.system} ({self.group})' if self.group else self.system


def read_results(folder: Path) -> tuple[list[Evaluation], list[str]]:
    """Read every evaluation in ``folder`` and its subfolders, sorted by path.

    Returns:
        The evaluations, and one line for each file that was left out.

    Raises:
        ValueError: there is no such folder.
    """
    if not folder.is_dir():
        raise ValueError(f'results must be a folder of files that asgf-nav evaluate wrote, '
                         f'got {folder}')
    found, left_out = [], []
    for path in sorted(folder.rglob('*.json')):
        try:
            found.append(read_evaluation(path, folder))
        except NotAnEvaluation as error:
            left_out.append(f'{path.relative_to(folder)} is left out: {error}')
    return found, left_out


def read_evaluation(path: Path, folder: Path) -> Evaluation:
    """Read one file.

    Raises:
        NotAnEvaluation: it holds something else, or nothing that a table can use.
    """
    try:
        document = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise NotAnEvaluation('it is no readable JSON') from error
    if not isinstance(document, dict) or not {'system', 'metrics', 'ci95'} <= set(document):
        raise NotAnEvaluation('asgf-nav evaluate did not write it')
    if isinstance(document.get('houses'), list) or document.get('sound_folder'):
        raise NotAnEvaluation("it is about one's own houses or sounds")
    rows = document.get('runs') or [{}]
    missing = sorted(_ROW_KEYS - set(rows[0]))
    if missing:
        raise NotAnEvaluation(f'its episodes lack {", ".join(missing)}')
    group = path.relative_to(folder).parent.as_posix()
    return Evaluation(
        file=path.relative_to(folder).as_posix(), group='' if group == '.' else group,
        system=document['system'], setting=_setting(document, rows),
        model_sha256=document.get('model_sha256'), values=_values(rows), document=document,
        episodes=tuple((row['house'], row['sound'], row['seed'], row['geodesic_m'])
                       for row in rows),
        difficulties=_difficulties(rows))


def comparable(evaluations: Sequence[Evaluation]) -> tuple[list[Evaluation], list[str]]:
    """Keep, of each setting, the files about the episodes that most of its files are about.

    A second measurement of the same model goes too. The returned lines say what was left out.
    """
    kept, left_out = [], []
    for files in _by_setting(evaluations).values():
        counts = collections.Counter(each.episodes for each in files)
        episodes = max(counts, key=lambda key: (counts[key], len(key), key))
        seen = set()
        for each in files:
            model = (each.name, each.model_sha256)
            if each.episodes != episodes:
                left_out.append(f'{each.file} is left out: its episodes are not those of the '
                                'other files of this setting')
            elif model in seen:
                left_out.append(f'{each.file} is left out: it measures the same model again')
            else:
                kept.append(each)
            seen.add(model)
    return kept, left_out


def _by_setting(evaluations: Sequence[Evaluation]) -> dict[Setting, list[Evaluation]]:
    groups: dict[Setting, list[Evaluation]] = collections.defaultdict(list)
    for each in evaluations:
        groups[each.setting].append(each)
    return groups


def _setting(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Setting:
    """Older files say neither size nor condition; their houses are named SIZE/SPLIT/INDEX."""
    benchmark = document.get('benchmark') or ''
    if benchmark.startswith(_DATASET):
        split, _, sounds = document['split'].partition('_')
        return Setting(split, benchmark.removeprefix(_DATASET), _PROTOCOLS.get(sounds, sounds))
    size = document.get('size') or rows[0]['house'].partition('/')[0]
    condition = document.get('condition') or CLEAN
    severity = None if condition == CLEAN else document.get('severity')
    return Setting(
        split=document['split'], size=size, condition=condition,
        protocol=document.get('protocol') or document['sounds'],
        severity=None if severity is None else float(severity),
        through_ros=bool(document.get('through_ros')))


def _values(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    lenient = np.array([[row[name] for name in FIGURES] for row in rows], np.float64)
    strict = np.array([row['distance_to_goal_m'] <= STRICT_RADIUS_M for row in rows])
    return np.hstack([lenient, lenient * strict[:, None]])


def _difficulties(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    if not {'ratio', 'rooms_away'} <= set(rows[0]):
        return {}
    found = [Difficulty(row['ratio'], row['rooms_away']) for row in rows]
    return {'rooms away': tuple(each.rooms_bin for each in found),
            'geodesic over straight distance': tuple(each.ratio_bin for each in found)}
