# SPDX-License-Identifier: Apache-2.0
"""Messages between the habitat server and its client: length-prefixed msgpack, bounded and timed.

A message is four bytes of length, big endian, and that many bytes of msgpack. Arrays travel as an
extension type with dtype, shape and bytes. Nothing in a message is ever executed. This module and
those that the server needs run on Python 3.8 with numpy and msgpack alone.
"""

from __future__ import annotations

import math
import socket
import struct
import time
from typing import Any

import msgpack
import numpy as np

PROTOCOL = 'asgf_nav_habitat'
VERSION = 1
LARGEST_MESSAGE = 16 * 2 ** 20  # bytes; ten seconds of stereo at 44.1 kHz are 3.5 MB
MESSAGE_TIMEOUT_S = 30.0  # from its first byte to its last
_LENGTH = struct.Struct('>I')
_ARRAY_CODE = 1
_DTYPES = ('<f4', '<f8', '|u1')
_MOST_AXES = 4
_LIMITS = {'max_array_len': 4096, 'max_map_len': 256, 'max_str_len': 65536, 'max_bin_len': 0}


class ProtocolError(ConnectionError):
    """The other side sent what is no message of this protocol."""


class Disconnected(ConnectionError):
    """The other side is gone."""


class TimedOut(ConnectionError):
    """The other side did not answer in time."""


def send_message(connection: socket.socket, message: dict[str, Any], *,
                 timeout_s: float = MESSAGE_TIMEOUT_S) -> None:
    """Send one message.

    Args:
        message: names to None, bool, int, float, str, lists, such mappings, and arrays of
            float32, float64 or uint8.

    Raises:
        ProtocolError: the message is over ``LARGEST_MESSAGE``.
        Disconnected, TimedOut: the other side is gone, or takes nothing.
    """
    body = msgpack.packb(message, default=_pack_array)
    if len(body) > LARGEST_MESSAGE:
        raise ProtocolError(
            f'a message must be at most {LARGEST_MESSAGE} bytes, got {len(body)}')
    try:
        connection.settimeout(timeout_s)
        connection.sendall(_LENGTH.pack(len(body)) + body)
    except TimeoutError as error:
        raise TimedOut(f'a message was not taken within {timeout_s} s') from error
    except OSError as error:
        raise Disconnected(f'the connection broke while sending: {error}') from error


def receive_message(connection: socket.socket, *,
                    wait_s: float | None = MESSAGE_TIMEOUT_S) -> dict[str, Any]:
    """Receive one message.

    Args:
        wait_s: for its first byte; None waits forever. The rest must come within
            ``MESSAGE_TIMEOUT_S``.

    Raises:
        ProtocolError: too long, cut off, or not a message.
        Disconnected: the connection ended before a message began.
        TimedOut: nothing came, or only a part of it.
    """
    first = _receive(connection, 1, None if wait_s is None else time.monotonic() + wait_s)
    if not first:
        raise Disconnected('the other side closed the connection')
    deadline = time.monotonic() + MESSAGE_TIMEOUT_S
    header = first + _receive(connection, _LENGTH.size - 1, deadline)
    if len(header) < _LENGTH.size:
        raise ProtocolError('a message was cut off in its length')
    length = _LENGTH.unpack(header)[0]
    if not 0 < length <= LARGEST_MESSAGE:
        raise ProtocolError(
            f'a message must have 1 to {LARGEST_MESSAGE} bytes, {length} were announced')
    body = _receive(connection, length, deadline)
    if len(body) < length:
        raise ProtocolError(f'a message of {length} bytes was cut off after {len(body)}')
    return _unpack(body)


def _receive(connection: socket.socket, count: int, deadline_s: float | None) -> bytes:
    """Return ``count`` bytes, or fewer where the connection ended."""
    received = bytearray()
    while len(received) < count:
        left_s = None if deadline_s is None else deadline_s - time.monotonic()
        if left_s is not None and left_s <= 0:
            raise TimedOut('the other side did not answer in time')
        try:
            connection.settimeout(left_s)
            part = connection.recv(min(count - len(received), 2 ** 20))
        except TimeoutError as error:
            raise TimedOut('the other side did not answer in time') from error
        except OSError as error:
            raise Disconnected(f'the connection broke: {error}') from error
        if not part:
            break
        received += part
    return bytes(received)


def _unpack(body: bytes) -> dict[str, Any]:
    try:
        message = msgpack.unpackb(body, ext_hook=_unpack_array, strict_map_key=True, **_LIMITS)
    except ProtocolError:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f'a message must be msgpack: {error!s:.200}') from error
    if not isinstance(message, dict):
        raise ProtocolError(f'a message must be a mapping, got {type(message).__name__}')
    return message


def _pack_array(value: Any) -> msgpack.ExtType:
    if not isinstance(value, np.ndarray) or value.dtype.str not in _DTYPES:
        raise TypeError(f'cannot send {type(value).__name__}, '
                        f'arrays must be of {", ".join(_DTYPES)}')
    head = msgpack.packb([value.dtype.str, list(value.shape)])
    return msgpack.ExtType(_ARRAY_CODE, bytes([len(head)]) + head + value.tobytes())


def _unpack_array(code: int, content: bytes) -> np.ndarray:
    if code != _ARRAY_CODE or not content:
        raise ProtocolError(f'unknown extension type {code}')
    size = content[0]
    try:
        dtype, shape = msgpack.unpackb(content[1:1 + size])
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f'an array has a broken head: {error!s:.200}') from error
    if dtype not in _DTYPES:
        raise ProtocolError(f'an array must be of {", ".join(_DTYPES)}, got {dtype!r:.40}')
    if (not isinstance(shape, list) or len(shape) > _MOST_AXES
            or not all(type(side) is int and side >= 0 for side in shape)):
        raise ProtocolError(f'an array has the impossible shape {shape!r:.80}')
    bytes_wanted = math.prod(shape) * np.dtype(dtype).itemsize
    values = content[1 + size:]
    if len(values) != bytes_wanted:
        raise ProtocolError(f'an array of shape {shape} must have {bytes_wanted} bytes, '
                            f'got {len(values)}')
    return np.frombuffer(values, dtype).reshape(shape)
