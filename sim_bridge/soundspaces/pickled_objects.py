# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for what SoundSpaces pickles: a graph, arrays and their types; nothing can be run."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

_MOST_AXES = 4
_DTYPES = frozenset({'b1', 'u1', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8', 'f2', 'f4', 'f8'})


class PickleError(ValueError):
    """A pickle is damaged, or holds something else than SoundSpaces writes."""


@dataclasses.dataclass(frozen=True)
class Span:
    """Bytes that were left in the file."""

    start: int
    length: int


class StoredGraph:
    """What a networkx graph is made of: ``nodes[n]`` are attributes, ``adjacency[a][b]`` edges."""

    def __init__(self) -> None:
        self.nodes: dict = {}
        self.adjacency: dict = {}

    def build(self, state: Any) -> None:
        """Take over the attributes of the graph."""
        if not (isinstance(state, dict) and isinstance(state.get('_node'), dict)
                and isinstance(state.get('_adj'), dict)):
            raise PickleError('a graph must have nodes and edges, got none')
        self.nodes, self.adjacency = state['_node'], state['_adj']


class StoredArray:
    """An array in the file.

    ``shape``, ``dtype`` and ``span`` say where its elements lie, in C order.
    """

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.dtype = np.dtype(np.uint8)
        self.span: Span | None = None
        self._data = b''

    def build(self, state: Any) -> None:
        """Take over shape, type and place, and check that they fit each other."""
        if not (isinstance(state, tuple) and len(state) == 5):
            raise PickleError('an array must have five parts')
        _, shape, dtype, fortran, data = state
        counted = isinstance(shape, tuple) and len(shape) <= _MOST_AXES
        if not (counted and all(map(_is_count, shape)) and isinstance(dtype, Dtype)
                and fortran is False):
            raise PickleError('an array must have a shape, a type of number and C order')
        length = data.length if isinstance(data, Span) else len(data or b'')
        if math.prod(shape) * dtype.numpy.itemsize != length:
            raise PickleError(f'an array of shape {shape} must hold '
                              f'{math.prod(shape) * dtype.numpy.itemsize} bytes, got {length}')
        self.shape, self.dtype = shape, dtype.numpy
        self.span = data if isinstance(data, Span) else None
        self._data = data if isinstance(data, bytes) else b''

    def view(self, file: Any) -> np.ndarray:
        """The array, not copied where it lies in ``file``, the buffer that was read."""
        if self.span is None:
            return np.frombuffer(self._data, self.dtype).reshape(self.shape)
        count = math.prod(self.shape)
        return np.frombuffer(file, self.dtype, count, self.span.start).reshape(self.shape)


class Dtype:
    """The type of an array's elements, ``numpy``."""

    def __init__(self, name: Any) -> None:
        if not isinstance(name, str) or name not in _DTYPES:
            shown = f'{name!r:.40}' if isinstance(name, str) else type(name).__name__
            raise PickleError(f'arrays must hold plain numbers, got {shown}')
        self.numpy = np.dtype(name)

    def build(self, state: Any) -> None:
        """Check that the type is plain and little-endian."""
        if not (isinstance(state, tuple) and len(state) >= 5 and state[1] in ('<', '|', '=')
                and state[2:5] == (None, None, None)):
            raise PickleError('arrays must hold plain little-endian numbers')


class Ignored:
    """A view that networkx had in its cache."""

    def build(self, state: Any) -> None:
        """Take no notice."""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def scalar(dtype: Any, data: Any) -> float | int | bool:
    """The number that a pickled numpy scalar stands for."""
    if not isinstance(dtype, Dtype) or not isinstance(data, bytes):
        raise PickleError('a number must have a type and bytes')
    if len(data) != dtype.numpy.itemsize:
        raise PickleError(f'a number must have {dtype.numpy.itemsize} bytes, got {len(data)}')
    return np.frombuffer(data, dtype.numpy)[0].item()
