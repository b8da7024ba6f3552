# SPDX-License-Identifier: Apache-2.0
"""MCAP files from front to back (mcap.dev/spec), index or not: what a crash left is read too."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any
from typing import Iterator

from backports import zstd
import lz4.frame

MAGIC = b'\x89MCAP0\r\n'
MAX_CHUNK_BYTES = 1 << 28  # of one chunk, unpacked; writers cut at some MB
MAX_NAMES = 4096  # channels and schemas of one file
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END, _FOOTER = 0x03, 0x04, 0x05, 0x06, 0x0F, 0x02
_RECORD_HEAD = struct.Struct('<BQ')
_MESSAGE_HEAD = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
_CHUNK_HEAD = struct.Struct('<QQQI')  # start, end, unpacked size, crc


class McapDamage(ValueError):
    """The file cannot be followed beyond some byte."""


@dataclasses.dataclass(frozen=True)
class McapChannel:
    """A topic as its file describes it; ``definition`` is the text of its schema."""

    topic: str
    type_name: str
    definition: str
    encoding: str


class McapRecords:
    """Messages of one file in their order.

    Iterate once: each item is (channel, log time in nanoseconds, payload), the payload a view of
    ``data`` unless its chunk is compressed.

    Raises:
        McapDamage: ``data`` does not begin as an MCAP file; or, while iterating, after
            everything before the damage has come.
    """

    def __init__(self, data: Any) -> None:
        """Read ``data``, bytes or a memory map."""
        self._data = memoryview(data)
        if bytes(self._data[:len(MAGIC)]) != MAGIC:
            raise McapDamage('it does not begin as an MCAP file')
        self._schemas: dict[int, tuple[str, str]] = {}
        self._channels: dict[int, McapChannel] = {}

    def __iter__(self) -> Iterator[tuple[McapChannel, int, memoryview]]:
        yield from self._records(self._data, len(MAGIC), in_chunk=False)

    def _records(self, data: memoryview, position: int, *,
                 in_chunk: bool) -> Iterator[tuple[McapChannel, int, memoryview]]:
        """Follow records from ``position`` to the end of the data section or of the chunk."""
        end = len(data)
        while position < end:
            if end - position < _RECORD_HEAD.size:
                raise McapDamage(f'it ends inside a record, at byte {end}')
            kind, size = _RECORD_HEAD.unpack_from(data, position)
            position += _RECORD_HEAD.size
            content = data[position:position + size]
            if kind == _CHUNK and not in_chunk:
                yield from self._chunk(content, size)
            if len(content) < size:
                raise McapDamage(f'it ends inside a record, at byte {end} of {position + size}')
            if kind in (_DATA_END, _FOOTER):
                return
            if kind == _MESSAGE:
                yield self._message(content)
            elif kind in (_SCHEMA, _CHANNEL):
                self._name(kind, content)
            position += size
        if not in_chunk:
            raise McapDamage('it has no end, its writer was interrupted')

    def _message(self, content: memoryview) -> tuple[McapChannel, int, memoryview]:
        if len(content) < _MESSAGE_HEAD.size:
            raise McapDamage(f'a message of {len(content)} bytes')
        number, _, log_ns, _ = _MESSAGE_HEAD.unpack_from(content)
        if number not in self._channels:
            raise McapDamage(f'a message of channel {number}, which is not described')
        return self._channels[number], log_ns, content[_MESSAGE_HEAD.size:]

    def _chunk(self, content: memoryview,
               size: int) -> Iterator[tuple[McapChannel, int, memoryview]]:
        """Messages of a chunk; one that is cut off gives what it has, unless compressed."""
        if len(content) < _CHUNK_HEAD.size:
            raise McapDamage('it ends inside the head of a chunk')
        unpacked = _CHUNK_HEAD.unpack_from(content)[2]
        if unpacked > MAX_CHUNK_BYTES:
            raise McapDamage(f'a chunk of {unpacked} bytes, {MAX_CHUNK_BYTES} are read at most')
        name, position = _text(content, _CHUNK_HEAD.size)
        packed = content[position + 8:]
        if name and len(content) < size:
            raise McapDamage(f'it ends inside a chunk, which is compressed ({name:.20})')
        yield from self._records(_unpacked(packed, name, unpacked), 0, in_chunk=True)

    def _name(self, kind: int, content: memoryview) -> None:
        """Take a schema or a channel."""
        number = int.from_bytes(content[:2], 'little')
        if kind == _SCHEMA:
            name, position = _text(content, 2)
            _, position = _text(content, position)
            self._schemas[number] = (name, _text(content, position)[0])
        else:
            schema = self._schemas.get(int.from_bytes(content[2:4], 'little'), ('', ''))
            topic, position = _text(content, 4)
            self._channels[number] = McapChannel(
                topic, *schema, encoding=_text(content, position)[0])
        if len(self._schemas) + len(self._channels) > MAX_NAMES:
            raise McapDamage(f'over {MAX_NAMES} channels and schemas')


def _text(content: memoryview, position: int) -> tuple[str, int]:
    """Return the string at ``position`` and where it ends."""
    size = int.from_bytes(content[position:position + 4], 'little')
    text = content[position + 4:position + 4 + size]
    if position + 4 > len(content) or len(text) < size:
        raise McapDamage('a string beyond the end of its record')
    try:
        return bytes(text).decode(), position + 4 + size
    except UnicodeDecodeError as error:
        raise McapDamage(f'a name that is no text: {error}') from error


def _unpacked(packed: memoryview, compression: str, size: int) -> memoryview:
    """Return the records of a chunk, at most ``size`` bytes."""
    try:
        if compression == '':
            return packed[:size]
        if compression == 'lz4':
            return memoryview(lz4.frame.LZ4FrameDecompressor().decompress(packed, size))
        if compression == 'zstd':
            return memoryview(zstd.ZstdDecompressor().decompress(packed, size))
    except (EOFError, RuntimeError, zstd.ZstdError) as error:
        raise McapDamage(f'a chunk that cannot be unpacked: {error}') from error
    raise McapDamage(f'a chunk is compressed with {compression!r:.40}, lz4 and zstd are known')
