# SPDX-License-Identifier: Apache-2.0
"""Segments of experience for recurrent learning; images are kept as indices into the bakes."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch


@dataclasses.dataclass
class Segment:
    """``T`` steps of one agent.

    house, node, heading : (T,) int64; spectrogram : (T, bins, frames, C) float16 and
    hidden : (hidden_size,) float32, the memory before the first step, both on the device that
    learns; starts : (T,) bool;
    optimal : (T, 4) bool; direction : (T, 3) float32; audible : (T,) bool, whether there
    is a direction to be heard; motion : (T, MOTION_FEATURES) float32, see ``motion.reckoning``;
    blank : (T,) bool, where the image was lost; goal : (T, 3) float32, see
    ``rollout.goal_targets``.
    """

    house: np.ndarray
    node: np.ndarray
    heading: np.ndarray
    spectrogram: torch.Tensor
    hidden: torch.Tensor
    starts: np.ndarray
    optimal: np.ndarray
    direction: np.ndarray
    audible: np.ndarray
    motion: np.ndarray
    blank: np.ndarray
    goal: np.ndarray


class SegmentMemory:
    """The newest ``capacity`` segments, drawn from at random."""

    def __init__(self, capacity: int) -> None:
        if capacity <= 0:
            raise ValueError(f'capacity must be positive, got {capacity}')
        self._capacity = capacity
        self._segments: list[Segment] = []
        self._oldest = 0

    def __len__(self) -> int:
        return len(self._segments)

    def add(self, segment: Segment) -> None:
        """Keep ``segment``, in place of the oldest when full."""
        if len(self._segments) < self._capacity:
            self._segments.append(segment)
        else:
            self._segments[self._oldest] = segment
            self._oldest = (self._oldest + 1) % self._capacity

    def draw(self, count: int, rng: np.random.Generator) -> list[Segment]:
        """Draw ``count`` segments with replacement."""
        return [self._segments[index] for index in rng.integers(len(self._segments), size=count)]

    def minibatches(self, fresh: list[Segment], *, size: int, replayed: int,
                    rng: np.random.Generator) -> list[list[Segment]]:
        """All of ``fresh`` in random order, ``size`` at a time, then ``replayed`` draws."""
        order = rng.permutation(len(fresh))
        batches = [[fresh[index] for index in order[start:start + size]]
                   for start in range(0, len(order), size)]
        return batches + [self.draw(size, rng) for _ in range(replayed)]
