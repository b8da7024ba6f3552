# SPDX-License-Identifier: Apache-2.0
"""Measured entries as lines of Markdown tables, and sections with their commands."""

from __future__ import annotations

import dataclasses
from typing import Mapping
from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark import markdown
from asgf_nav_ros.benchmark.comparison import Entry
from asgf_nav_ros.benchmark.evaluate_commands import evaluate_commands
from asgf_nav_ros.benchmark.result_files import CLEAN
from asgf_nav_ros.benchmark.result_files import COLUMNS
from asgf_nav_ros.benchmark.result_files import FIGURES
from asgf_nav_ros.benchmark.result_files import Setting
from asgf_nav_ros.benchmark.system_names import order_of

SIZES = ('small', 'large')
DATASETS = ('replica', 'mp3d')
PLACES = {'small': 'small houses', 'large': 'large houses', 'replica': 'Replica',
          'mp3d': 'Matterport3D'}
HEADS = ('SPL', 'SR', 'SNA')
SR = FIGURES.index('success_rate')
STRICT_SR = len(FIGURES) + SR
LENIENT, STRICT = slice(0, len(FIGURES)), slice(len(FIGURES), len(COLUMNS))


@dataclasses.dataclass(frozen=True)
class Section:
    """A titled part of the results; ``body`` is Markdown."""

    title: str
    body: str

    def markdown(self, level: int) -> str:
        """With a heading of ``level``."""
        return f'{"#" * level} {self.title}\n\n{self.body}'


class Results:
    """All entries of one split, looked up by setting."""

    def __init__(self, entries: Sequence[Entry], *, split: str,
                 middle_severities: Mapping[str, float]) -> None:
        """Args: middle_severities has every condition, in the order of tables, but ``clean``."""
        self.split = split
        self._middle = {CLEAN: None, **middle_severities}
        self._at = {(each.setting, each.name): each for each in entries
                    if each.setting.split == split}
        self.systems = {name: each.system for (_, name), each in self._at.items()}
        self.names = sorted(self.systems, key=lambda name: (order_of(self.systems[name]), name))

    @property
    def conditions(self) -> list[str]:
        """Every measured condition, clean first."""
        found = {setting.condition for setting, _ in self._at}
        return [name for name in self._middle if name in found]

    def setting(self, size: str, protocol: str, condition: str = CLEAN, *,
                through_ros: bool = False) -> Setting:
        """The setting of a size, protocol and condition, the latter at its middle severity."""
        return Setting(self.split, size, protocol, condition, self._middle[condition],
                       through_ros)

    def get(self, name: str, setting: Setting) -> Entry | None:
        """What was measured, or None."""
        return self._at.get((setting, name))

    def row(self, name: str, settings: Sequence[Setting]) -> list[Entry | None]:
        """The entries of one system in several settings."""
        return [self.get(name, setting) for setting in settings]


def section_of(title: str, parts: Sequence[str], rows: dict) -> list[Section]:
    """No section where nothing was measured; else the commands of its files at its end."""
    found = [entry for row in rows.values() for entry in row if entry]
    if not found:
        return []
    commands = markdown.shell(evaluate_commands(found))
    details = f'<details><summary>commands</summary>\n\n{commands}\n\n</details>'
    return [Section(title, '\n\n'.join([*parts, details]))]


def table_of(header: Sequence[str], rows: dict[str, list[Entry | None]], columns: slice) -> str:
    """One line a system with ``columns`` of every entry; the best of a column is bold."""
    rows = {name: row for name, row in rows.items() if any(row)}
    if not rows:
        return ''
    cells = [[cell for entry in row for cell in _cells(entry, columns)] for row in rows.values()]
    best = np.array([[mean for entry in row for mean in _means(entry, columns)]
                     for row in rows.values()]).max(axis=0)
    lines = [[name, *(_bold_if(mean == highest > 0, cell) for cell, mean, highest in zip(
        line, (mean for entry in row for mean in _means(entry, columns)), best))]
        for (name, row), line in zip(rows.items(), cells)]
    return markdown.table(header, lines)


def _means(entry: Entry | None, columns: slice) -> list[float]:
    """Rounded as they are printed; -1 where nothing was measured."""
    if entry is None:
        return [-1.0] * len(COLUMNS[columns])
    return np.round(entry.mean()[columns], 3).tolist()


def _bold_if(best: bool, cell: str) -> str:
    mean, gap, interval = cell.partition(' ')
    return f'**{mean}**{gap}{interval}' if best else cell


def _cells(entry: Entry | None, columns: slice) -> list[str]:
    if entry is None:
        return [markdown.MISSING] * len(COLUMNS[columns])
    return [markdown.percent(*each) for each in zip(entry.mean()[columns],
                                                    entry.interval()[columns])]
