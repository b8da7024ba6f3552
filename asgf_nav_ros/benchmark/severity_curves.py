# SPDX-License-Identifier: Apache-2.0
"""Success over severity, a panel a condition and a line a system, from result files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Mapping
from typing import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from asgf_nav_ros.benchmark import plot_style
from asgf_nav_ros.benchmark.comparison import Entry
from asgf_nav_ros.benchmark.condition_axes import axis_label
from asgf_nav_ros.benchmark.condition_axes import title
from asgf_nav_ros.benchmark.result_files import CLEAN
from asgf_nav_ros.benchmark.result_files import Setting
from asgf_nav_ros.benchmark.system_names import color_of
from asgf_nav_ros.benchmark.system_names import order_of
from asgf_nav_ros.benchmark.table_rows import SR

COLUMNS = 4
PANEL_HEIGHT_INCHES = 2.3
BAND_OPACITY = 0.15


def write_severity_curves(path: Path, entries: Sequence[Entry], *, split: str, size: str,
                          severities: Mapping[str, Sequence[float]]) -> bool:
    """Draw success rates within 1.0 m on unheard sounds, with their 95 % intervals.

    Args:
        path: PNG file to write.
        entries: measured systems; those that met no condition are left out.
        split: of the houses and sounds.
        size: of the houses.
        severities: of every condition but clean, from mild to hard.

    Returns:
        Whether there was anything to draw.
    """
    at = {(each.name, each.setting): each for each in entries
          if each.setting.split == split and each.setting.size == size
          and each.setting.protocol == 'unheard' and not each.setting.through_ros}
    measured = {setting.condition for _, setting in at} & set(severities)
    names = sorted({name for name, setting in at if setting.condition in measured},
                   key=lambda name: (order_of(name.partition(' ')[0]), name))
    if not names:
        return False
    conditions = [name for name in severities if name in measured]
    rows = math.ceil(len(conditions) / COLUMNS)
    figure = plot_style.new_figure(height_inches=PANEL_HEIGHT_INCHES * rows + 0.4)
    panels = figure.subplots(rows, COLUMNS, sharey=True, squeeze=False).ravel()
    for axes, condition in zip(panels, conditions):
        _draw_condition(axes, condition, severities[condition], names,
                        lambda name, condition, severity: at.get(
                            (name, Setting(split, size, 'unheard', condition, severity))))
    for axes in panels[len(conditions):]:
        axes.set_axis_off()
    for axes in panels[::COLUMNS]:
        axes.set_ylabel('success rate (%)', fontsize=plot_style.FONT_SIZE)
    handles = [Line2D([], [], color=color_of(name), marker='o', markersize=4, label=name,
                      linestyle=_dash(name)) for name in names]
    plot_style.legend_below(figure, handles)
    plot_style.save(figure, path)
    return True


def _draw_condition(axes: Axes, condition: str, severities: Sequence[float],
                    names: Sequence[str], find) -> None:
    """The first place is that of no disturbance at all."""
    places = [(CLEAN, None), *((condition, severity) for severity in severities)]
    for name in names:
        found = [(place, entry) for place, key in enumerate(places) if (entry := find(name, *key))]
        if len(found) < 2:
            continue
        x = [place for place, _ in found]
        low, high = zip(*(100 * entry.interval()[SR] for _, entry in found))
        axes.plot(x, [100 * entry.mean()[SR] for _, entry in found], 'o', markersize=3,
                  linestyle=_dash(name), linewidth=1.6, color=color_of(name))
        axes.fill_between(x, low, high, color=color_of(name), alpha=BAND_OPACITY, linewidth=0)
    plot_style.quiet(axes)
    axes.set_title(title(condition), fontsize=plot_style.FONT_SIZE + 1)
    axes.set_xlabel(axis_label(condition), fontsize=plot_style.FONT_SIZE)
    axes.set_xticks(range(len(places)), [CLEAN, *(f'{severity:g}'.replace('-', '−')
                                                  for severity in severities)])
    axes.set_ylim(-2, 102)


def _dash(name: str) -> str:
    """Systems of a group, '(ppo)' say, have the colour of their system and dashes."""
    return '--' if ' ' in name else '-'
