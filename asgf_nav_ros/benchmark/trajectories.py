# SPDX-License-Identifier: Apache-2.0
"""Paths of several systems on the same episodes, beside the shortest path, on the floor plan."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
import numpy as np

from asgf_nav_ros.benchmark import metrics
from asgf_nav_ros.benchmark import plot_style
from asgf_nav_ros.benchmark.figures import draw_plan
from asgf_nav_ros.benchmark.figures import PATH_COLORS
from asgf_nav_ros.benchmark.figures import SOURCE
from asgf_nav_ros.benchmark.figures import START
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.contract import Action
from sim_bridge.bake import BakedHouse
from sim_bridge.episodes import Episode
from sim_bridge.episodes import load_house
from sim_bridge.house.plan import House

QUANTILES = (0.5, 0.75, 0.95)
RULE = 'episodes at the 50th, 75th and 95th percentile of the least actions to the goal'
SHORTEST = '#222222'
END = '#ffffff'
PANEL_INCHES = 3.0
TALLEST = 1.1  # height of a panel over its width


@dataclasses.dataclass(frozen=True, eq=False)
class Walk:
    """One system's way through one episode: xy (k, 2) metres, from the start to the end."""

    system: str
    xy: np.ndarray
    caption: str


@dataclasses.dataclass(frozen=True, eq=False)
class ComparedEpisode:
    """One row of the figure: shortest (k, 2) metres, and the walk of every system."""

    plan: House
    shortest: np.ndarray
    walks: tuple[Walk, ...]


def choose_episodes(episodes: Sequence[Episode],
                    quantiles: Sequence[float] = QUANTILES) -> list[Episode]:
    """The episodes whose least number of actions stands at ``quantiles`` of them all.

    Ties go to the first, so that nobody picks what looks well.
    """
    ordered = sorted(episodes, key=lambda episode: episode.oracle_actions)
    return [ordered[round(quantile * (len(ordered) - 1))] for quantile in quantiles]


def compare(house: BakedHouse, runs: Sequence[tuple[str, Run]]) -> ComparedEpisode:
    """Put the runs of several systems on one episode side by side.

    Args:
        house: where the lattice of the episode comes from; the same for every system.
        runs: name of the system and its run.
    """
    episode = runs[0][1].episode
    return ComparedEpisode(load_house(episode.house), shortest_path(house, episode), tuple(
        Walk(system, walked_path(house, run), _caption(run)) for system, run in runs))


def shortest_path(house: BakedHouse, episode: Episode) -> np.ndarray:
    """(k, 2) metres from start to goal with the fewest actions; straight on where it may."""
    source = int(np.flatnonzero(np.asarray(house.source_nodes) == episode.goal_node)[0])
    node, heading = episode.start_node, episode.start_heading
    nodes = [node]
    while node != episode.goal_node:
        optimal = house.optimal[source, node, heading]
        if optimal[Action.MOVE_FORWARD]:
            node = int(house.neighbors[node, heading])
            nodes.append(node)
        else:
            heading = (heading + (1 if optimal[Action.TURN_LEFT] else -1)) % 4
    return np.asarray(house.nodes)[nodes]


def walked_path(house: BakedHouse, run: Run) -> np.ndarray:
    """(k, 2) metres, one row an action: where the agent stood before each."""
    return np.asarray(house.nodes)[[node for node, _ in run.trajectory]]


def write_comparison(path: Path, rows: Sequence[ComparedEpisode], headline: str) -> None:
    """Draw one row an episode and one column a system, under a line that says which.

    Raises:
        ValueError: there is nothing to draw.
        OSError: the file cannot be written.
    """
    if not rows or not rows[0].walks:
        raise ValueError(f'trajectories need an episode and a system, got {len(rows)} episodes')
    columns = len(rows[0].walks)
    figure = plot_style.new_figure(width_inches=PANEL_INCHES * columns,
                                   height_inches=_height_inches(rows) + 0.8)
    grid = figure.subplots(len(rows), columns, squeeze=False,
                           height_ratios=[_aspect(row) for row in rows])
    for line, row in zip(grid, rows):
        for axes, walk in zip(line, row.walks):
            draw_plan(axes, row.plan, room_names=False)
            _draw_walk(axes, row, walk)
            axes.set_axis_off()
            axes.set_anchor('N')
            axes.set_title(f'{walk.system}: {walk.caption}', fontsize=plot_style.FONT_SIZE)
    figure.suptitle(headline, fontsize=plot_style.FONT_SIZE, color=plot_style.QUIET)
    plot_style.legend_below(figure, _legend(), columns=5 if columns > 2 else 3)
    plot_style.save(figure, path)


def _caption(run: Run) -> str:
    outcome = run.outcome
    if metrics.success(outcome):
        end = f'found, SPL {metrics.spl(outcome):.2f}'
    else:
        end = (f'{"stopped" if outcome.stopped else "out of actions"} '
               f'{outcome.geodesic_end_m:.1f} m away')
    return f'{end}\n{outcome.actions} actions, least {outcome.oracle_actions}'


def _draw_walk(axes: Axes, row: ComparedEpisode, walk: Walk) -> None:
    axes.plot(*row.shortest.T, color=SHORTEST, linewidth=1.2, linestyle=(0, (2, 2)), zorder=6)
    pieces = np.stack([walk.xy[:-1], walk.xy[1:]], axis=1)
    moved = np.any(pieces[:, 0] != pieces[:, 1], axis=1)
    path = LineCollection(pieces[moved], cmap=PATH_COLORS, linewidths=3.2, zorder=5,
                          capstyle='round')
    path.set_array(np.linspace(0, 1, len(pieces))[moved])
    axes.add_collection(path)
    axes.plot(*walk.xy[-1], 's', color=END, markeredgecolor=SHORTEST, markersize=6, zorder=7)
    axes.plot(*walk.xy[0], 'o', color=START, markersize=7, zorder=7)
    axes.plot(*row.shortest[-1], '*', color=SOURCE, markersize=12, zorder=8)


def _aspect(row: ComparedEpisode) -> float:
    """Height over width of a panel: the plan's, unless that is tall."""
    low, high = row.plan.bounds()
    return min(TALLEST, float((high[1] - low[1]) / (high[0] - low[0])))


def _height_inches(rows: Sequence[ComparedEpisode]) -> float:
    return sum(PANEL_INCHES * _aspect(row) + 0.45 for row in rows)


def _legend() -> list[Line2D]:
    marks = (('start', 'o', START, START), ('sound source', '*', SOURCE, SOURCE),
             ('end', 's', END, SHORTEST))
    lines = [Line2D([], [], color='#21918c', linewidth=3, label='path, dark to bright'),
             Line2D([], [], color=SHORTEST, linewidth=1.2, linestyle=(0, (2, 2)),
                    label='shortest path')]
    return lines + [Line2D([], [], marker=marker, color=color, markeredgecolor=edge, linestyle='',
                           markersize=8, label=label) for label, marker, color, edge in marks]
