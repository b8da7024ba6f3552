# SPDX-License-Identifier: Apache-2.0
"""Paired differences between systems as tables: which ones the intervals support."""

from __future__ import annotations

from typing import Sequence

from asgf_nav_ros.benchmark import markdown
from asgf_nav_ros.benchmark.comparison import Difference
from asgf_nav_ros.benchmark.comparison import difference
from asgf_nav_ros.benchmark.result_files import Setting
from asgf_nav_ros.benchmark.system_names import PAIRS
from asgf_nav_ros.benchmark.system_names import PAIRS_UNDER_CONDITIONS
from asgf_nav_ros.benchmark.table_rows import HEADS
from asgf_nav_ros.benchmark.table_rows import Results
from asgf_nav_ros.benchmark.table_rows import Section
from asgf_nav_ros.benchmark.table_rows import section_of
from asgf_nav_ros.benchmark.table_rows import SIZES
from asgf_nav_ros.benchmark.table_rows import SR
from asgf_nav_ros.benchmark.table_rows import STRICT_SR

INTRODUCTION = (
    'Percentage points on the same episodes, with 95 % paired bootstrap intervals over '
    'episodes and training seeds, not corrected for the number of comparisons. '
    '**Bold**: the interval leaves zero out.')


def differences(results: Results) -> list[Section]:
    """Every compared pair on clean, unheard sounds, a table a size."""
    header = ['first − second', *(f'Δ{head}' for head in HEADS), 'Δ strict SR']
    sections = []
    for size in SIZES:
        setting = results.setting(size, 'unheard')
        pairs = [pair for pair in _pairs(results, PAIRS) if _difference(results, pair, setting)]
        found = [_difference(results, pair, setting) for pair in pairs]
        lines = [[f'{each.first} − {each.second}', *(
            markdown.points(each.mean[index], each.interval[index])
            for index in (0, 1, 2, STRICT_SR))] for each in found]
        rows = {name: results.row(name, [setting]) for pair in pairs for name in pair}
        sections += section_of(
            f'Differences, {size} houses, unheard sounds',
            [INTRODUCTION, markdown.table(header, lines), _verdict(found)], rows)
    return sections


def condition_differences(results: Results) -> list[Section]:
    """Success rates of the main pairs under every condition, a table a size."""
    sections = []
    for size in SIZES:
        settings = [results.setting(size, 'unheard', name) for name in results.conditions]
        lines, rows = [], {}
        for pair in _pairs(results, PAIRS_UNDER_CONDITIONS):
            found = [_difference(results, pair, setting) for setting in settings]
            if any(found[1:]):
                lines.append([' − '.join(pair), *map(_success, found)])
                rows |= {name: results.row(name, settings) for name in pair}
        header = ['first − second', *(name.replace('_', ' ') for name in results.conditions)]
        sections += section_of(f'Differences under conditions, {size} houses: ΔSR',
                               [INTRODUCTION, markdown.table(header, lines)], rows)
    return sections


def _difference(results: Results, pair: tuple[str, str], setting: Setting) -> Difference | None:
    first, second = (results.get(name, setting) for name in pair)
    return difference(first, second) if first and second else None


def _success(found: Difference | None) -> str:
    return markdown.points(found.mean[SR], found.interval[SR]) if found else markdown.MISSING


def _verdict(found: Sequence[Difference]) -> str:
    supported = [(each.first, each.second) if each.mean[SR] > 0 else (each.second, each.first)
                 for each in found if each.supported[SR]]
    undecided = [f'{each.first} and {each.second}' for each in found if not each.supported[SR]]
    better = '; '.join(' over '.join(pair) for pair in supported)
    return (f'Success rate, supported: {better or "none"}. '
            f'Not told apart: {"; ".join(undecided) or "none"}.')


def _pairs(results: Results, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs that were measured, within each way of learning."""
    groups = sorted({name.partition(' ')[2] for name in results.names})
    named = [(f'{first} {group}'.strip(), f'{second} {group}'.strip())
             for group in groups for first, second in pairs]
    return [pair for pair in named if set(pair) <= set(results.names)]
