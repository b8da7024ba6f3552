# SPDX-License-Identifier: Apache-2.0
"""Figures for people: the paths of recorded episodes on the plans of their houses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
import numpy as np

from asgf_nav_ros.benchmark.recording import EpisodeRecording
from sim_bridge.house.plan import House

COLUMNS = 3
PANEL_INCHES = 5.0
FLOOR, FURNITURE, WALL, ROOM_NAME = '#f4f1ec', '#dcd5ca', '#3b3f46', '#8c8577'
START, SOURCE, BELIEF, PATH_COLORS = '#1f6feb', '#d9480f', '#e8a33d', 'viridis'
BELIEF_LENGTH_M = 0.45


def write_trajectories(path: Path, recordings: Sequence[EpisodeRecording],
                       captions: Sequence[str]) -> None:
    """Draw every episode's path on its house, one panel an episode, with a caption each.

    Raises:
        ValueError: there is no recording, or not one caption for each.
        OSError: the file cannot be written.
    """
    if not recordings or len(recordings) != len(captions):
        raise ValueError('trajectories need one caption for each of at least one recording, got '
                         f'{len(captions)} captions and {len(recordings)} recordings')
    columns = min(COLUMNS, len(recordings))
    rows = math.ceil(len(recordings) / columns)
    figure = Figure(figsize=(PANEL_INCHES * columns, PANEL_INCHES * rows + 0.5),
                    layout='constrained')
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, recording, caption in zip(grid, recordings, captions):
        _draw_episode(axes, recording)
        axes.set_title(caption, fontsize=10)
    figure.legend(handles=_legend(), loc='outside lower center', ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


def draw_plan(axes: Axes, house: House, *, room_names: bool = True) -> None:
    """Draw a house's rooms, furniture and walls to scale, metres on both axes."""
    for room in house.rooms:
        axes.fill(*room.polygon.T, color=FLOOR, zorder=0)
        if room_names:
            axes.text(*room.polygon.mean(axis=0), room.name.replace('_', ' '), ha='center',
                      va='center', fontsize=7, color=ROOM_NAME, zorder=2)
    for piece in house.furniture:
        axes.fill(*piece.footprint.T, color=FURNITURE, zorder=1)
    walls = [(wall.start, wall.end) for wall in house.walls() if wall.bottom_m == 0]
    axes.add_collection(LineCollection(walls, colors=WALL, linewidths=2.0, zorder=3))
    axes.set_aspect('equal')
    axes.autoscale_view()


def _draw_episode(axes: Axes, recording: EpisodeRecording) -> None:
    draw_plan(axes, recording.house)
    path = recording.path()
    pieces = LineCollection(np.stack([path[:-1], path[1:]], axis=1), cmap=PATH_COLORS,
                            linewidths=2.5, zorder=4)
    pieces.set_array(np.linspace(0, 1, max(len(path) - 1, 0)))
    axes.add_collection(pieces)
    _draw_beliefs(axes, recording)
    axes.plot(*path[0], 'o', color=START, markersize=9, zorder=6)
    axes.plot(*recording.source_xy, '*', color=SOURCE, markersize=16, zorder=6)


def _draw_beliefs(axes: Axes, recording: EpisodeRecording) -> None:
    """Draw an arrow to where the sound seemed to be, at the place of every decision."""
    poses = np.array([recording.pose(d.window_end_s) for d in recording.decisions])
    if not len(poses):
        return
    angles = poses[:, 2] + [decision.sound_azimuth_rad for decision in recording.decisions]
    axes.quiver(poses[:, 0], poses[:, 1], BELIEF_LENGTH_M * np.cos(angles),
                BELIEF_LENGTH_M * np.sin(angles), angles='xy', scale_units='xy', scale=1,
                width=0.006, color=BELIEF, zorder=5)


def _legend() -> list[Line2D]:
    marks = (('start', 'o', START), ('sound source', '*', SOURCE),
             ('believed direction of the sound', '$\\rightarrow$', BELIEF))
    path = Line2D([], [], color='#21918c', linewidth=2.5, label='path, dark to bright')
    return [path] + [Line2D([], [], marker=marker, color=color, linestyle='', markersize=10,
                            label=label) for label, marker, color in marks]
