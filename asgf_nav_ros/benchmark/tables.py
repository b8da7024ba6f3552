# SPDX-License-Identifier: Apache-2.0
"""The paper's tables, and those beyond it, from measured entries; Markdown, same in, same out."""

from __future__ import annotations

from typing import Sequence

import numpy as np

from asgf_nav_ros.benchmark import markdown
from asgf_nav_ros.benchmark import published
from asgf_nav_ros.benchmark.comparison import Entry
from asgf_nav_ros.benchmark.condition_axes import condition_head
from asgf_nav_ros.benchmark.difference_tables import condition_differences
from asgf_nav_ros.benchmark.difference_tables import differences
from asgf_nav_ros.benchmark.result_files import ONE_SOUND
from asgf_nav_ros.benchmark.system_names import ABLATIONS
from asgf_nav_ros.benchmark.system_names import ABLATIONS_ALONE
from asgf_nav_ros.benchmark.table_rows import DATASETS
from asgf_nav_ros.benchmark.table_rows import HEADS
from asgf_nav_ros.benchmark.table_rows import LENIENT
from asgf_nav_ros.benchmark.table_rows import PLACES
from asgf_nav_ros.benchmark.table_rows import Results
from asgf_nav_ros.benchmark.table_rows import Section
from asgf_nav_ros.benchmark.table_rows import section_of
from asgf_nav_ros.benchmark.table_rows import SIZES
from asgf_nav_ros.benchmark.table_rows import SR
from asgf_nav_ros.benchmark.table_rows import STRICT
from asgf_nav_ros.benchmark.table_rows import STRICT_SR
from asgf_nav_ros.benchmark.table_rows import table_of

RADII = (('Success within 1.0 m of the goal', LENIENT),
         ('Strict: success within 0.2 m', STRICT))
DATASET_RADII = (('Success below 1.0 m from the goal', LENIENT), RADII[1])
LEGEND = ('SPL, SR (success rate) and SNA in percent, with 95 % bootstrap intervals over '
          'episodes (and over training seeds, where there are several); "–": not measured.')


def all_sections(results: Results) -> list[Section]:
    """Every table that the measured entries can fill, in the paper's order."""
    return [*table_i(results), *table_ii(results), *on_datasets(results), *conditions(results),
            *conditions(results, column=0), *one_sound(results), *difficulty(results),
            *training_seeds(results), *differences(results), *condition_differences(results),
            *through_ros(results), published_rows()]


def summary_sections(results: Results) -> list[Section]:
    """What stands in a README."""
    return [*table_i(results, radii=RADII[:1]), *table_ii(results),
            *on_datasets(results, radii=DATASET_RADII[:1]), *conditions(results),
            *one_sound(results), *differences(results)]


def on_datasets(results: Results,
                radii: Sequence[tuple[str, slice]] = DATASET_RADII) -> list[Section]:
    """Tables I and II on files of SoundSpaces 1.0."""
    return [*table_i(results, radii, DATASETS), *table_ii(results, DATASETS)]


def table_i(results: Results, radii: Sequence[tuple[str, slice]] = RADII,
            sizes: Sequence[str] = SIZES) -> list[Section]:
    """Table I: systems by heard and unheard sounds, a table a size and radius."""
    sections = []
    for size in sizes:
        settings = [results.setting(size, sounds) for sounds in ('heard', 'unheard')]
        header = ['system', *(f'{sounds} {head}' for sounds in ('heard', 'unheard')
                              for head in HEADS)]
        rows = {name: results.row(name, settings) for name in results.names
                if results.systems[name] not in ABLATIONS_ALONE}
        parts = [f'{radius}:\n\n{table_of(header, rows, columns)}' for radius, columns in radii]
        sections += section_of(f'Table I, {PLACES[size]}', parts, rows)
    return sections


def table_ii(results: Results, sizes: Sequence[str] = SIZES) -> list[Section]:
    """Table II: the paper's network and its ablations, unheard sounds."""
    settings = [results.setting(size, 'unheard') for size in sizes]
    where = [size if size in SIZES else PLACES[size] for size in sizes]
    header = ['network', *(f'{each} {head}' for each in where for head in HEADS)]
    systems = {name: system for name, system in results.systems.items()
               if system in ABLATIONS and any(results.row(name, settings))}
    if not set(systems.values()) & set(ABLATIONS_ALONE):
        return []
    rows = {f'{name}: {ABLATIONS[systems[name]]}': results.row(name, settings)
            for name in results.names if name in systems}
    title = 'Table II, ablations on unheard sounds'
    title += '' if sizes == SIZES else f', {" and ".join(where)}'
    return section_of(title, [table_of(header, rows, LENIENT)], rows)


def conditions(results: Results, column: int = SR) -> list[Section]:
    """Systems by condition at its middle severity, unheard sounds, a table a size."""
    names = results.conditions
    sections = []
    for size in SIZES:
        settings = [results.setting(size, 'unheard', name) for name in names]
        rows = {name: results.row(name, settings) for name in results.names}
        rows = {name: row for name, row in rows.items() if any(row[1:])}
        header = ['system', *(condition_head(*each) for each in zip(names, settings))]
        title = f'Conditions, {size} houses: {HEADS[column]} on unheard sounds'
        body = ('Each condition at its middle severity.\n\n'
                + table_of(header, rows, slice(column, column + 1)))
        sections += section_of(title, [body], rows)
    return sections


def one_sound(results: Results) -> list[Section]:
    """Trained on the telephone alone, tested on unheard sounds."""
    settings = [results.setting(size, ONE_SOUND) for size in SIZES]
    rows = {name: results.row(name, settings) for name in results.names}
    header = ['system', *(f'{size} {head}' for size in SIZES for head in HEADS)]
    return section_of('One-sound protocol: trained on the telephone alone, tested on unheard '
                    'sounds', [table_of(header, rows, LENIENT)], rows)


def difficulty(results: Results) -> list[Section]:
    """SR of easy and hard episodes apart, unheard sounds."""
    sections = []
    for size in SIZES:
        setting = results.setting(size, 'unheard')
        rows = {name: results.row(name, [setting]) for name in results.names}
        rows = {name: row for name, row in rows.items()
                if row[0] and row[0].evaluations[0].difficulties}
        kinds = next(iter(rows.values()))[0].evaluations[0].difficulties if rows else {}
        parts = [_difficulty_table(rows, kind, bins) for kind, bins in kinds.items()]
        sections += section_of(f'Difficulty, {size} houses: SR on unheard sounds', parts, rows)
    return sections


def training_seeds(results: Results) -> list[Section]:
    """Mean and range over the training seeds of systems that have several."""
    header = ['system', 'houses', 'sounds', 'training seeds', *HEADS, 'strict SR']
    lines, rows = [], {}
    for size in SIZES:
        for protocol in ('heard', 'unheard', ONE_SOUND):
            for name in results.names:
                entry = results.get(name, results.setting(size, protocol))
                if entry and len(entry.evaluations) > 1:
                    lines.append([name, size, protocol, str(len(entry.evaluations)),
                                  *_seed_cells(entry)])
                    rows[name, size, protocol] = [entry]
    text = 'Mean over training seeds, and in brackets the lowest and the highest of them.'
    return section_of('Training seeds', [text, markdown.table(header, lines)], rows)


def through_ros(results: Results) -> list[Section]:
    """The same policies in the grid world and through the whole ROS graph."""
    sections = []
    for size in SIZES:
        settings = [results.setting(size, 'unheard', through_ros=ros) for ros in (False, True)]
        rows = {name: results.row(name, settings) for name in results.names}
        rows = {name: row for name, row in rows.items() if row[1]}
        header = ['system', *(f'{world} {head}' for world in ('grid world', 'ROS graph')
                              for head in HEADS)]
        sections += section_of(f'Through ROS, {size} houses, unheard sounds',
                             [table_of(header, rows, LENIENT)], rows)
    return sections


def published_rows() -> Section:
    """The rows of the paper, on other data."""
    def lines(rows: dict) -> list[list[str]]:
        return [[name, *(' / '.join(f'{value:.1f}' for value in cell) for cell in cells)]
                for name, cells in rows.items()]
    return Section('Published rows, on other data', '\n\n'.join([
        'SPL / SR / SNA as published for Replica and Matterport3D, not measured here. Houses, '
        'sounds, episodes and training differ: compare orders and gaps, not numbers.',
        markdown.table(['system', *published.SETTINGS], lines(published.TABLE_I)),
        markdown.table(['ablation', *published.TABLE_II_SETTINGS], lines(published.TABLE_II))]))


def _difficulty_table(rows: dict[str, list[Entry | None]], kind: str,
                      bins: Sequence[str]) -> str:
    """``bins`` are those of every episode."""
    labels = sorted(set(bins))
    chosen = [np.array([each == label for each in bins]) for label in labels]
    lines = [[name, *(markdown.percent(entry.mean(each)[SR], entry.interval(each)[SR])
                      for each in chosen)] for name, (entry,) in rows.items()]
    header = ['system', *(f'{label} ({bins.count(label)})' for label in labels)]
    return f'By {kind} (number of episodes):\n\n{markdown.table(header, lines)}'


def _seed_cells(entry: Entry) -> list[str]:
    mean, spread = entry.mean(), entry.seed_range()
    return [markdown.percent(mean[index], spread[index]) for index in (0, 1, 2, STRICT_SR)]


