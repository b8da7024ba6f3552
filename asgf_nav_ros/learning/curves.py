# SPDX-License-Identifier: Apache-2.0
"""Learning curves as TensorBoard event files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Mapping


class Curves:
    """Writes scalars over environment steps, if the package tensorboard is installed."""

    def __init__(self, folder: Path, *, samples: int = 0) -> None:
        """Begin, or go on at ``samples``: what was written beyond is hidden."""
        self._writer = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            print('no TensorBoard curves, for want of: pip install tensorboard')
            return
        self._writer = SummaryWriter(str(folder), purge_step=samples + 1 if samples else None)

    def add(self, figures: Mapping[str, float]) -> None:
        """Draw one point of every curve at ``figures['samples']``."""
        if self._writer is None:
            return
        for name, value in figures.items():
            if name != 'samples' and math.isfinite(value):
                self._writer.add_scalar(name, value, int(figures['samples']))

    def close(self) -> None:
        """Write out what is still in memory."""
        if self._writer is not None:
            self._writer.close()
