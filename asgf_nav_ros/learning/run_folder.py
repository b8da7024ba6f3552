# SPDX-License-Identifier: Apache-2.0
"""A training run on disk: recipe, checkpoint, history and curves."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any
from typing import Mapping

import torch

from asgf_nav_ros.learning.curves import Curves
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.checkpoint import Checkpoint
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.checkpoint import save_checkpoint

CHECKPOINT = 'checkpoint.pt'
HISTORY = 'history.jsonl'
RECIPE = 'recipe.json'
CURVES = 'curves'


class RunFolder:
    """Where one run writes: a line of history and a point of each curve a round.

    A run that goes on drops the history after its checkpoint: those rounds come again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._curves: Curves | None = None

    def open(self, recipe: Recipe, *, resume: bool,
             device: torch.device | str = 'cpu') -> Checkpoint | None:
        """Begin a run, or go on: return the checkpoint to go on from, if there is one.

        Raises:
            ValueError: the folder already holds a run that was not to be resumed.
        """
        checkpoint = self._checkpoint(resume, device)
        samples = checkpoint.training['samples'] if checkpoint else 0
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / RECIPE).write_text(json.dumps(dataclasses.asdict(recipe), indent=1))
        self._forget_rounds_after(samples)
        self._curves = Curves(self.path / CURVES, samples=samples)
        return checkpoint

    def record(self, figures: Mapping[str, float]) -> None:
        """Add one round's figures to history and curves."""
        with (self.path / HISTORY).open('a') as file:
            file.write(json.dumps(figures) + '\n')
        self._curves.add(figures)

    def save(self, agent: NavigationAgent, training: Mapping[str, Any]) -> None:
        """Replace the checkpoint as a whole."""
        save_checkpoint(agent, self.path / CHECKPOINT, training=training)

    def close(self) -> None:
        """Finish the curves."""
        if self._curves is not None:
            self._curves.close()

    def _checkpoint(self, resume: bool, device: torch.device | str) -> Checkpoint | None:
        file = self.path / CHECKPOINT
        if not file.exists():
            return None
        if not resume:
            raise ValueError(f'{self.path} already holds a run: continue it with --resume, '
                             'or give another folder')
        return self._load(file, device)

    def _load(self, file: Path, device: torch.device | str) -> Checkpoint:
        return load_checkpoint(file, device=device)

    def _forget_rounds_after(self, samples: int) -> None:
        history = self.path / HISTORY
        if not history.exists():
            return
        kept = [line for line in history.read_text().splitlines() if _samples(line) <= samples]
        part = history.with_name(HISTORY + '.part')
        part.write_text(''.join(line + '\n' for line in kept))
        os.replace(part, history)


def figures_line(figures: Mapping[str, float], elapsed_s: float) -> str:
    """A round's figures as people read them; times are left out."""
    rest = '  '.join(f'{name} {value:.3f}' for name, value in figures.items()
                     if name != 'samples' and not name.endswith('_s'))
    return f'{figures["samples"]:8.0f} samples  {elapsed_s:6.0f} s  {rest}'


def _samples(line: str) -> float:
    try:
        return json.loads(line)['samples']
    except (ValueError, KeyError):  # the last line of a killed run may be half of one
        return float('inf')
