# SPDX-License-Identifier: Apache-2.0
"""The client's end of one connection to a habitat server: handshake, then call after call."""

from __future__ import annotations

from pathlib import Path
import socket
from typing import Any

from sim_bridge.habitat.protocol import PROTOCOL
from sim_bridge.habitat.protocol import ProtocolError
from sim_bridge.habitat.protocol import receive_message
from sim_bridge.habitat.protocol import send_message
from sim_bridge.habitat.protocol import VERSION

HANDSHAKE_TIMEOUT_S = 30.0


class Refused(ValueError):
    """The server is well and says why it does not do what was asked."""


class Connection:
    """Calls a server, one at a time.

    description : what the server said of itself: pid, python, numpy and backend.
    """

    def __init__(self, address: Path | tuple[str, int], *,
                 timeout_s: float = HANDSHAKE_TIMEOUT_S) -> None:
        """Connect to a Unix socket, or to a host and port, and agree on the version.

        Raises:
            OSError: nobody listens there.
            ProtocolError: the server speaks another version, or something else.
        """
        kind = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self._socket = socket.socket(kind, socket.SOCK_STREAM)
        self._calls = 0
        try:
            self._socket.settimeout(timeout_s)
            self._socket.connect(address if isinstance(address, tuple) else str(address))
            send_message(self._socket, {'protocol': PROTOCOL, 'version': VERSION})
            self.description = self._agree(receive_message(self._socket, wait_s=timeout_s))
        except BaseException:
            self.close()
            raise

    def call(self, name: str, *, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Return the result of a call.

        Raises:
            Refused: the server's own reason.
            ProtocolError, Disconnected, TimedOut: the connection is of no use any more.
        """
        self._calls += 1
        send_message(self._socket, {'id': self._calls, 'call': name, 'arguments': arguments})
        reply = receive_message(self._socket, wait_s=timeout_s)
        error = reply.get('error')
        if isinstance(error, dict) and reply.get('id') in (self._calls, None):
            message = f'{error.get("message", "no reason given")!s:.500}'
            if reply['id'] is None:
                raise ProtocolError(f'the server gave up: {message}')
            raise Refused(f'{name}: {message} ({error.get("kind", "error")!s:.40})')
        if reply.get('id') != self._calls or not isinstance(reply.get('result'), dict):
            raise ProtocolError(f'no answer to call {self._calls}, {name}, but {reply!r:.200}')
        return reply['result']

    def close(self) -> None:
        """Leave; a server that serves one client ends."""
        self._socket.close()

    def _agree(self, hello: dict[str, Any]) -> dict[str, Any]:
        if isinstance(hello.get('error'), dict):
            raise ProtocolError(f'{hello["error"].get("message")!s:.300}')
        if hello.get('protocol') != PROTOCOL or hello.get('version') != VERSION:
            raise ProtocolError(f'the client speaks {PROTOCOL} version {VERSION}, the server '
                                f'{hello.get("protocol")!r:.40} version '
                                f'{hello.get("version")!r:.40}')
        return hello
