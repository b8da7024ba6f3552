# SPDX-License-Identifier: Apache-2.0
"""How the benchmark's figures look: quiet axes, one legend, sizes that fit a README's column."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH_INCHES = 9.0
DPI = 130
QUIET = '#8a8a8a'
FONT_SIZE = 9


def new_figure(*, height_inches: float, width_inches: float = WIDTH_INCHES) -> Figure:
    """An empty figure whose parts make room for each other."""
    return Figure(figsize=(width_inches, height_inches), layout='constrained')


def quiet(axes: Axes) -> None:
    """Leave the axes two spines and a faint grid."""
    axes.spines[['top', 'right']].set_visible(False)
    axes.spines[['left', 'bottom']].set_color(QUIET)
    axes.grid(True, color='#e6e6e6', linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=FONT_SIZE - 1, color=QUIET)


def legend_below(figure: Figure, handles: Sequence[Artist], *, columns: int = 5) -> None:
    """One legend under all panels; the names of five systems fit beside each other."""
    figure.legend(handles=handles, loc='outside lower center', ncols=min(columns, len(handles)),
                  frameon=False, fontsize=FONT_SIZE)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG, the same for the same figure.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, metadata={'Software': None})
