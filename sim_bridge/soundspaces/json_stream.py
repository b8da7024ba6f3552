# SPDX-License-Identifier: Apache-2.0
"""Read the list of objects in a compressed JSON file one by one, within bounds."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
import re
from typing import Any
from typing import Iterator
import zlib

from sim_bridge.soundspaces.layout import DatasetError

LARGEST_BYTES = 512 * 2**20  # of the text
LONGEST_OBJECT = 2**20
_CHUNK = 2**16
_SPACE = re.compile(r'[ \t\r\n]*')


def read_objects(path: Path, field: str, *, most: int) -> Iterator[dict[str, Any]]:
    """Yield the objects of the list ``field`` of ``{"field": [{...}, ...]}``.

    The text is never in memory as a whole.

    Raises:
        DatasetError: missing, not compressed JSON of that form, more than ``most`` objects, one
            that is too long, or too much text.
    """
    try:
        with gzip.open(path, 'rt', encoding='utf-8') as stream:
            for count, found in enumerate(_Text(stream).objects(field)):
                if count >= most:
                    raise DatasetError(f'must hold at most {most} {field}')
                yield found
    except FileNotFoundError:
        raise DatasetError(f'{path}: is missing') from None
    except (EOFError, ValueError, gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(f'{path}: {error}') from None


class _Text:
    """A window of a text that moves on."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._buffer, self._at, self._read = stream, '', 0, 0
        self._decoder = json.JSONDecoder()

    def objects(self, field: str) -> Iterator[dict[str, Any]]:
        self._expect('{')
        while True:
            name = self._value()
            self._expect(':')
            if name == field:
                break
            self._value()
            self._expect(',')
        self._expect('[')
        if self._peek() == ']':
            return
        while True:
            found = self._value()
            if not isinstance(found, dict):
                raise DatasetError(f'{field} must be objects, got {found!r:.40}')
            yield found
            if self._peek() == ']':
                return
            self._expect(',')

    def _peek(self) -> str:
        """The next character that is not a space."""
        while True:
            self._at = _SPACE.match(self._buffer, self._at).end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                raise DatasetError('the text ends too early')

    def _expect(self, wanted: str) -> None:
        if self._peek() != wanted:
            raise DatasetError(f'wants {wanted!r}, got {self._peek()!r}')
        self._at += 1

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
                # A number at the end of the window may go on.
                if end < len(self._buffer) or not self._more():
                    self._at = end
                    return value
            except RecursionError:
                raise DatasetError('an object is nested too deeply') from None
            except json.JSONDecodeError:
                if len(self._buffer) - self._at > LONGEST_OBJECT:
                    raise DatasetError(
                        f'an object must be at most {LONGEST_OBJECT} characters') from None
                if not self._more():
                    raise

    def _more(self) -> bool:
        chunk = self._stream.read(_CHUNK)
        self._read += len(chunk)
        if self._read > LARGEST_BYTES:
            raise DatasetError(f'must be at most {LARGEST_BYTES >> 20} MiB of text')
        self._buffer = self._buffer[self._at:] + chunk
        self._at = 0
        return bool(chunk)
