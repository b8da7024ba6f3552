# SPDX-License-Identifier: Apache-2.0
"""The contract of a model file without loading its weights: for nodes that do not run it.

An ONNX file is one protobuf message (onnx.proto, ``ModelProto``); its metadata are pairs of
strings in field 14. Everything else is skipped, so that a node needs neither ONNX Runtime nor
the memory for a graph.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO
from typing import Iterator
from typing import Mapping

from asgf_nav_ros.contract import CONTRACT_KEY
from asgf_nav_ros.contract import ContractMismatch
from asgf_nav_ros.contract import PolicyContract

MAX_METADATA_BYTES = 1_000_000
_METADATA_FIELD, _KEY_FIELD, _VALUE_FIELD = 14, 1, 2
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


class NoModel(ValueError):
    """A file that cannot be read, or that is not an ONNX model."""


def read_contract_of_file(path: str | os.PathLike[str]) -> PolicyContract:
    """Read what the policy in a file wants.

    Raises:
        NoModel: the file cannot be read or is not an ONNX model.
        ContractMismatch: it has no contract, or one that is none.
    """
    return contract_of_metadata(read_metadata(path))


def contract_of_metadata(metadata: Mapping[str, str]) -> PolicyContract:
    """The contract among the metadata properties of a model.

    Raises:
        ContractMismatch: there is none, or it is not a contract.
    """
    if CONTRACT_KEY not in metadata:
        raise ContractMismatch(f'the model has no {CONTRACT_KEY} in its metadata: only files '
                               'written by asgf-nav export can be deployed')
    return PolicyContract.from_json(metadata[CONTRACT_KEY])


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the metadata properties of an ONNX file.

    Raises:
        NoModel: the file cannot be read or is not an ONNX model.
    """
    try:
        with Path(path).open('rb') as file:
            entries = [content for field, content in _fields(file, wanted=_METADATA_FIELD)
                       if field == _METADATA_FIELD]
        return dict(map(_entry, entries))
    except OSError as error:
        raise NoModel(f'model {path} cannot be read: {error.strerror}') from error
    except (EOFError, KeyError, ValueError) as error:
        raise NoModel(f'model {path} is not an ONNX file') from error


def _entry(content: bytes) -> tuple[str, str]:
    """Return key and value of a ``StringStringEntryProto``."""
    fields = dict(_fields(io.BytesIO(content)))
    return fields[_KEY_FIELD].decode(), fields.get(_VALUE_FIELD, b'').decode()


def _fields(stream: BinaryIO, *, wanted: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of the byte fields of a message; other fields are skipped.

    The content of fields that are not ``wanted`` (None wants all) is skipped and empty.

    Raises:
        EOFError: the message ends within a field.
        ValueError: this is no protobuf message.
    """
    end = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if end == 0:
        raise EOFError
    while stream.tell() < end:
        key = _varint(stream)
        field, kind = key >> 3, key & 7
        size = _size(stream, kind)
        if stream.tell() + size > end:
            raise EOFError
        takes = kind == _BYTES and wanted in (None, field)
        if takes and size > MAX_METADATA_BYTES:
            raise ValueError(f'metadata of {size} bytes')
        content = stream.read(size) if takes else b''
        if not takes:
            stream.seek(size, os.SEEK_CUR)
        if kind == _BYTES:
            yield field, content


def _size(stream: BinaryIO, kind: int) -> int:
    """Return how many bytes the value takes that begins here; varints are read at once."""
    if kind == _BYTES:
        return _varint(stream)
    if kind == _VARINT:
        _varint(stream)
        return 0
    if kind in (_FIXED_32, _FIXED_64):
        return 4 if kind == _FIXED_32 else 8
    raise ValueError(f'unknown wire type {kind}')


def _varint(stream: BinaryIO) -> int:
    """Read a number of 7 bits a byte, the lowest first."""
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        byte = stream.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 0x7F) << 7 * index
        if byte[0] < 0x80:
            return value
    raise ValueError('a number of over 10 bytes')
