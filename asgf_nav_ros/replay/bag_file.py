# SPDX-License-Identifier: Apache-2.0
"""Any recording as raw messages in their order: MCAP, sqlite3 and ROS 1 bags, whole or not."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import mmap
from pathlib import Path
import re
import struct
from typing import Any
from typing import Iterator

from rosbags.highlevel import AnyReader
from rosbags.serde import SerdeError
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores
from rosbags.typesys.store import Typestore

from asgf_nav_ros.replay.audio_messages import register_definition
from asgf_nav_ros.replay.mcap_records import McapDamage
from asgf_nav_ros.replay.mcap_records import McapRecords

MAX_MESSAGE_BYTES = 1 << 26
NANOSECONDS = 10 ** 9
SUFFIXES = ('.mcap', '.db3', '.bag')


class BagError(ValueError):
    """A path that holds no recording."""


@dataclasses.dataclass(frozen=True)
class RawMessage:
    """A message as it was recorded; ``log_ns`` is when, by the recorder's clock."""

    topic: str
    type_name: str
    definition: str
    log_ns: int
    data: Any

    @property
    def stamp_s(self) -> float:
        """Seconds of the header that the message begins with, without reading the rest.

        Raises:
            ValueError: it is too short for one.
        """
        if len(self.data) < 12:
            raise ValueError(f'a message on {self.topic} of {len(self.data)} bytes has no stamp')
        # ROS 1 has a sequence number where CDR says its byte order; both are four bytes.
        order = '>' if bytes(self.data[:4]) == b'\x00\x00\x00\x00' and self._is_cdr else '<'
        sec, nanosec = struct.unpack_from(f'{order}II', self.data, 4)
        return sec + nanosec * 1e-9

    @property
    def _is_cdr(self) -> bool:
        return not self.definition.startswith(_ROS1)


_ROS1 = '#ros1\n'


class BagFile:
    """One recording: a file, or the folder of a rosbag2 with or without its metadata.

    ``damage`` says after a complete ``messages()`` why it ended early, None if it did not.

    Raises:
        BagError: nothing of the kind is there; the message says what was looked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        self._files = _storage_files(path)
        self._audio_types: dict[bool, Typestore] = {}  # two packages share their names

    def messages(self) -> Iterator[RawMessage]:
        """Yield everything that can be read, file by file."""
        self.damage = None
        for file in self._files:
            try:
                yield from _mcap(file) if file.suffix == '.mcap' else _rosbags(file)
            except (McapDamage, OSError) as error:
                self.damage = f'{file.name} is damaged: {_one_line(error)}'

    def deserialize(self, raw: RawMessage) -> Any:
        """Read a message.

        Raises:
            ValueError: its bytes are not what its type says, or are too many.
        """
        if len(raw.data) > MAX_MESSAGE_BYTES:
            raise ValueError(f'a message on {raw.topic} has {len(raw.data)} bytes, '
                             f'{MAX_MESSAGE_BYTES} are read at most')
        ros1 = raw.definition.startswith(_ROS1)
        types = _usual_types(ros1)
        if raw.type_name.startswith('audio_common_msgs/'):
            if ros1 not in self._audio_types:
                self._audio_types[ros1] = _new_types(ros1)
            types = self._audio_types[ros1]
            register_definition(types, raw.type_name, raw.definition.removeprefix(_ROS1))
        read = types.deserialize_ros1 if ros1 else types.deserialize_cdr
        try:
            return read(bytes(raw.data), raw.type_name)
        except (AssertionError, IndexError, KeyError, MemoryError, OverflowError, SerdeError,
                struct.error, ValueError) as error:
            raise ValueError(f'a message on {raw.topic} is no {raw.type_name}: '
                             f'{_one_line(error)}') from error


def _new_types(ros1: bool) -> Typestore:
    return get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_JAZZY)


@functools.lru_cache(maxsize=2)
def _usual_types(ros1: bool) -> Typestore:
    """One for all bags: the readers that it compiles take longer than most messages."""
    return _new_types(ros1)


def _storage_files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise BagError(f'{path} must be a bag ({", ".join(SUFFIXES)}), got a file '
                           f'{path.suffix or "without a suffix"}')
        return [path]
    if not path.is_dir():
        raise BagError(f'{path} must be a bag, there is none')
    files = [file for suffix in SUFFIXES for file in path.glob(f'*{suffix}')]
    if not files:
        packed = ' (unpack *.zstd first)' if list(path.glob('*.zstd')) else ''
        raise BagError(f'{path} must be a rosbag2, it holds no {", ".join(SUFFIXES)}{packed}')
    return sorted(files, key=lambda file: [int(part) if part.isdigit() else 0
                                           for part in re.split(r'(\d+)', file.name)])


def _mcap(file: Path) -> Iterator[RawMessage]:
    with file.open('rb') as stream:
        if not file.stat().st_size:
            raise McapDamage('it is empty')
        # Left to the collector: messages are views of it.
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    for channel, log_ns, data in McapRecords(mapped):
        if channel.encoding == 'cdr':
            yield RawMessage(channel.topic, channel.type_name, channel.definition, log_ns, data)


def _rosbags(file: Path) -> Iterator[RawMessage]:
    """Messages of a sqlite3 or ROS 1 bag, by the rosbags library.

    Raises:
        McapDamage: it gave up, after everything before the damage has come.
    """
    ros1 = _ROS1 if file.suffix == '.bag' else ''
    with contextlib.ExitStack() as stack:
        try:
            types = get_typestore(Stores.ROS2_JAZZY)
            reader = stack.enter_context(AnyReader([file], default_typestore=types))
            for connection, log_ns, data in reader.messages():
                yield RawMessage(connection.topic, connection.msgtype,
                                 ros1 + connection.msgdef.data, log_ns, data)
        except GeneratorExit:
            raise
        except Exception as error:  # those of rosbags and apsw share no other base
            raise McapDamage(_one_line(error)) from error


def _one_line(error: BaseException) -> str:
    return ' '.join(str(error).split())[:300] or type(error).__name__
