# SPDX-License-Identifier: Apache-2.0
"""Read the pickles of SoundSpaces without unpickling: no class is imported, nothing is called.

``graph.pkl`` holds a networkx graph, ``scene_observations/*.pkl`` a dictionary of arrays. Both
are programs for a small stack machine. ``read_pickle`` runs the instructions that such files are
made of, on stand-ins for the few classes that they name, and refuses everything else. Pixels are
not read at all: an array is a place in the file, to be looked at when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
import struct
from typing import Any

from sim_bridge.soundspaces.pickled_objects import Dtype
from sim_bridge.soundspaces.pickled_objects import Ignored
from sim_bridge.soundspaces.pickled_objects import PickleError
from sim_bridge.soundspaces.pickled_objects import scalar
from sim_bridge.soundspaces.pickled_objects import Span
from sim_bridge.soundspaces.pickled_objects import StoredArray
from sim_bridge.soundspaces.pickled_objects import StoredGraph

MOST_INSTRUCTIONS = 5_000_000  # views of 8000 nodes take 2 million; they make up to 80 bytes each
MOST_KEPT_BYTES = 64 * 2**20  # of text, and of data that does not stay in the file
_LONG_DATA_BYTES = 256  # longer ones stay in the file

_GRAPH = 'networkx.classes.graph Graph'
_OBSERVATIONS = 'habitat.core.simulator Observations'
_DTYPE = 'numpy dtype'
_ARRAY = 'numpy ndarray'
_DICT = 'builtins dict'
_VIEWS = tuple(
    f'networkx.classes.{name}' for name in (
        'reportviews NodeView', 'reportviews EdgeView', 'reportviews DegreeView',
        'coreviews AdjacencyView', 'coreviews AtlasView'))  # networkx keeps those it was asked for
_SCALARS = ('numpy.core.multiarray scalar', 'numpy._core.multiarray scalar')
_ARRAYS = ('numpy.core.multiarray _reconstruct', 'numpy._core.multiarray _reconstruct')
ADMITTED = frozenset({_GRAPH, _OBSERVATIONS, _DTYPE, _ARRAY, _DICT, *_VIEWS, *_SCALARS, *_ARRAYS})


@dataclasses.dataclass(frozen=True)
class Name:
    """A class or function by its name alone."""

    text: str


def _is_key(value: Any) -> bool:
    # Hashing a deeply nested tuple overflows the C stack.
    plain = (str, int)
    return isinstance(value, plain) or (
        isinstance(value, tuple) and len(value) == 2
        and isinstance(value[0], plain) and isinstance(value[1], plain))


def read_pickle(file: Any) -> Any:
    """The object in ``file``, a buffer of the whole pickle (bytes or mmap).

    Dictionaries, lists, tuples, numbers and text come as they are, a graph as ``StoredGraph``,
    arrays as ``StoredArray``, observations as dictionaries.

    Raises:
        PickleError: damaged, too long, or with anything else in it.
    """
    try:
        return _Machine(file).run()
    except PickleError:
        raise
    except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        raise PickleError(f'the pickle is damaged: {error!s:.80}') from None


class _Machine:
    """Stack, marks and memo, and an instruction a method."""

    def __init__(self, file: Any) -> None:
        self._file, self._at, self._size = file, 0, len(file)
        self._stack: list = []
        self._marks: list[list] = []
        self._memo: dict[int, Any] = {}
        self._kept_bytes = 0

    def run(self) -> Any:
        for _ in range(MOST_INSTRUCTIONS):
            code = self._number('B')
            if code == _STOP:
                return self._stack.pop()
            if code not in _INSTRUCTIONS:
                raise PickleError(f'instruction {bytes([code])!r} is not one of these files')
            _INSTRUCTIONS[code](self)
        raise PickleError(f'more than {MOST_INSTRUCTIONS} instructions')

    def _take(self, length: int) -> bytes:
        start = self._at
        self._skip(length)
        return bytes(self._file[start:self._at])

    def _keep(self, length: int) -> bytes:
        self._kept_bytes += length
        if self._kept_bytes > MOST_KEPT_BYTES:
            raise PickleError(f'more than {MOST_KEPT_BYTES} bytes of text')
        return self._take(length)

    def _skip(self, length: int) -> None:
        if length > self._size - self._at:
            raise PickleError('the pickle ends too early')
        self._at += length

    def _number(self, form: str) -> Any:
        return struct.unpack(f'<{form}', self._take(struct.calcsize(f'<{form}')))[0]

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop_mark(self) -> list:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _text(self, length: int) -> None:
        self._push(self._keep(length).decode())

    def _data(self, length: int) -> None:
        if length <= _LONG_DATA_BYTES:
            return self._push(self._keep(length))
        start = self._at
        self._skip(length)
        return self._push(Span(start, length))

    def _long(self) -> None:
        self._push(int.from_bytes(self._take(self._number('B')), 'little', signed=True))

    def _tuple(self, count: int) -> None:
        if count > len(self._stack):
            raise PickleError('the pickle is damaged: too few values')
        items = tuple(self._stack[len(self._stack) - count:])
        self._stack[len(self._stack) - count:] = [items]

    def _set_items(self, items: list) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise PickleError('only dictionaries have items')
        if len(items) % 2:
            raise PickleError('the pickle is damaged: a key without a value')
        if not all(map(_is_key, items[::2])):
            raise PickleError('keys must be text, numbers or (node, rotation)')
        target.update(zip(items[::2], items[1::2], strict=True))

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_items([key, value])

    def _append(self, items: list) -> None:
        if not isinstance(self._stack[-1], list):
            raise PickleError('only lists can be appended to')
        self._stack[-1].extend(items)

    def _global(self) -> None:
        end = self._file.find(b'\n', self._file.find(b'\n', self._at, self._at + 200) + 1,
                              self._at + 400)
        if end < 0:
            raise PickleError('the pickle is damaged: a name without end')
        self._name(*self._take(end + 1 - self._at).decode().split('\n')[:2])

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._name(module, name)

    def _name(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise PickleError('the pickle is damaged: a name that is no text')
        text = f'{module} {name}'
        if text not in ADMITTED:
            raise PickleError(f'it wants {text.replace(" ", ".")!r:.80}, which no file of '
                              'SoundSpaces needs')
        self._push(Name(text))

    def _call(self) -> None:
        arguments, name = self._stack.pop(), self._stack.pop()
        called = name.text if isinstance(name, Name) else None
        if called == _DTYPE:
            self._push(Dtype(arguments[0]))
        elif called in _ARRAYS and arguments[0] == Name(_ARRAY):
            self._push(StoredArray())
        elif called in _SCALARS:
            self._push(scalar(*arguments))
        else:
            raise PickleError(f'nothing may be called, it calls {called!r:.80}')

    def _new(self) -> None:
        arguments, name = self._stack.pop(), self._stack.pop()
        made = name.text if isinstance(name, Name) else None
        if made not in _NEW or arguments != ():
            raise PickleError(f'nothing else may be made, it makes {made!r:.80}')
        self._push(_NEW[made]())

    def _build(self) -> None:
        state = self._stack.pop()
        if not isinstance(self._stack[-1], (StoredGraph, StoredArray, Dtype, Ignored)):
            raise PickleError(f'{type(self._stack[-1]).__name__} has no state')
        self._stack[-1].build(state)

    def _remember(self, index: int) -> None:
        self._memo[index] = self._stack[-1]


_NEW: dict[str, Callable] = {_GRAPH: StoredGraph, _OBSERVATIONS: dict,
                             **dict.fromkeys(_VIEWS, Ignored)}
_STOP = ord('.')
_Instruction = Callable[[_Machine], None]
_INSTRUCTIONS: dict[int, _Instruction] = {ord(code): instruction for code, instruction in {
    '\x80': lambda m: m._skip(1),
    '\x95': lambda m: m._skip(8),
    '}': lambda m: m._push({}),
    ']': lambda m: m._push([]),
    ')': lambda m: m._push(()),
    'N': lambda m: m._push(None),
    '\x88': lambda m: m._push(True),
    '\x89': lambda m: m._push(False),
    'K': lambda m: m._push(m._number('B')),
    'M': lambda m: m._push(m._number('H')),
    'J': lambda m: m._push(m._number('i')),
    '\x8a': lambda m: m._long(),
    'G': lambda m: m._push(struct.unpack('>d', m._take(8))[0]),
    '\x8c': lambda m: m._text(m._number('B')),
    'X': lambda m: m._text(m._number('I')),
    'C': lambda m: m._data(m._number('B')),
    'B': lambda m: m._data(m._number('I')),
    '\x8e': lambda m: m._data(m._number('Q')),
    '(': lambda m: m._mark(),
    't': lambda m: m._push(tuple(m._pop_mark())),
    '\x85': lambda m: m._tuple(1),
    '\x86': lambda m: m._tuple(2),
    '\x87': lambda m: m._tuple(3),
    's': lambda m: m._set_item(),
    'u': lambda m: m._set_items(m._pop_mark()),
    'a': lambda m: m._append([m._stack.pop()]),
    'e': lambda m: m._append(m._pop_mark()),
    'c': lambda m: m._global(),
    '\x93': lambda m: m._stack_global(),
    'R': lambda m: m._call(),
    '\x81': lambda m: m._new(),
    'b': lambda m: m._build(),
    'q': lambda m: m._remember(m._number('B')),
    'r': lambda m: m._remember(m._number('I')),
    '\x94': lambda m: m._remember(len(m._memo)),
    'h': lambda m: m._push(m._memo[m._number('B')]),
    'j': lambda m: m._push(m._memo[m._number('I')]),
}.items()}
