# SPDX-License-Identifier: Apache-2.0
"""What training runs wrote about themselves, over the environment steps that they took."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
import numpy as np

from asgf_nav_ros.benchmark import plot_style
from asgf_nav_ros.benchmark.system_names import color_of
from asgf_nav_ros.benchmark.system_names import order_of

HISTORY, RECIPE = 'history.jsonl', 'recipe.json'
SMOOTHING = 15  # rounds of a running mean
PANEL_INCHES = 2.9
# Ways of learning, told by a figure that only their rounds have; then panels and their scales.
WAYS = {
    'imitation': ('agreement', (
        ('action_loss', 'imitation loss (nats)', 1),
        ('agreement', 'agreement with the oracle (%)', 100),
        ('student_success', 'success in training (%)', 100))),
    'ppo': ('episode_reward', (
        ('episode_reward', 'reward an episode', 1), ('entropy', 'entropy (nats)', 1),
        ('success_rate', 'success in training (%)', 100)))}


@dataclasses.dataclass(frozen=True, eq=False)
class History:
    """One run: figures by name, each (rounds,) float64, and 'samples' among them."""

    system: str
    seed: int
    way: str
    figures: dict[str, np.ndarray]


def read_histories(folder: Path) -> list[History]:
    """Read every run below ``folder``, sorted by path; runs without a round are left out.

    Raises:
        ValueError: there is no such folder, or a history or recipe is broken.
    """
    if not folder.is_dir():
        raise ValueError(f'runs must be a folder of training runs, got {folder}')
    found = (_read_history(path) for path in sorted(folder.rglob(HISTORY)))
    return [history for history in found if history]


def write_learning_curves(path: Path, histories: Sequence[History], way: str) -> bool:
    """Draw the runs of one way of learning; return whether there was one.

    Thin lines are runs, thick ones the mean over the runs of a system.
    """
    histories = [each for each in histories if each.way == way]
    if not histories:
        return False
    panels = WAYS[way][1]
    figure = plot_style.new_figure(height_inches=PANEL_INCHES + 0.35)
    grid = figure.subplots(1, len(panels), squeeze=False).ravel()
    systems = sorted({each.system for each in histories}, key=lambda name: (order_of(name), name))
    for axes, (name, label, scale) in zip(grid, panels):
        for system in systems:
            _draw_system(axes, [each for each in histories if each.system == system], name, scale)
        plot_style.quiet(axes)
        axes.set_title(label, fontsize=plot_style.FONT_SIZE + 1)
        axes.set_xlabel('environment steps (thousands)', fontsize=plot_style.FONT_SIZE)
    handles = [Line2D([], [], color=color_of(system), linewidth=2, label=_label(
        system, sum(each.system == system for each in histories))) for system in systems]
    plot_style.legend_below(figure, handles)
    plot_style.save(figure, path)
    return True


def _read_history(path: Path) -> History | None:
    try:
        rounds = [json.loads(line) for line in path.read_text().splitlines()]
        recipe = json.loads((path.parent / RECIPE).read_text())
        system, seed = recipe['contract']['system'], recipe['seed']
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f'{path.parent} is no folder of a training run: {error}') from error
    way = next((way for way, (mark, _) in WAYS.items() if rounds and mark in rounds[0]), None)
    if way is None:
        return None
    names = ['samples', *(name for name, _, _ in WAYS[way][1])]
    return History(system, seed, way, {
        name: np.array([each.get(name, np.nan) for each in rounds], float) for name in names})


def _draw_system(axes: Axes, histories: Sequence[History], name: str, scale: float) -> None:
    color = color_of(histories[0].system)
    curves = [(each.figures['samples'] / 1000, _smooth(scale * each.figures[name]))
              for each in histories]
    for steps, curve in curves:
        axes.plot(steps, curve, color=color, linewidth=0.7 if len(curves) > 1 else 1.8,
                  alpha=0.5 if len(curves) > 1 else 1.0)
    if len(curves) > 1:
        steps = np.linspace(max(steps[0] for steps, _ in curves),
                            min(steps[-1] for steps, _ in curves), 200)
        mean = np.mean([np.interp(steps, *curve) for curve in curves], axis=0)
        axes.plot(steps, mean, color=color, linewidth=2.0)


def _smooth(curve: np.ndarray) -> np.ndarray:
    """Running mean over up to ``SMOOTHING`` rounds, shorter at both ends."""
    width = min(SMOOTHING, len(curve))
    window = np.ones(width)
    known = np.isfinite(curve)
    total = np.convolve(np.where(known, curve, 0.0), window, 'same')
    count = np.convolve(known.astype(float), window, 'same')
    return np.divide(total, count, out=np.full(len(curve), np.nan), where=count > 0)


def _label(system: str, runs: int) -> str:
    return system if runs == 1 else f'{system} ({runs} runs)'
