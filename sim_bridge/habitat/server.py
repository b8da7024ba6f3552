# SPDX-License-Identifier: Apache-2.0
"""The habitat server: one command in habitat's own environment.

    python -m sim_bridge.habitat.server --socket /tmp/habitat.sock

It needs numpy and msgpack, and habitat_sim built with audio, and neither torch nor ROS. A crash
inside habitat's library ends this process and nothing else: the client says so and starts it
again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path
import platform
import signal
import socket
import sys
from typing import Any
from typing import Iterator

import numpy as np

from sim_bridge.habitat.backend import Backend
from sim_bridge.habitat.protocol import Disconnected
from sim_bridge.habitat.protocol import PROTOCOL
from sim_bridge.habitat.protocol import ProtocolError
from sim_bridge.habitat.protocol import receive_message
from sim_bridge.habitat.protocol import send_message
from sim_bridge.habitat.protocol import TimedOut
from sim_bridge.habitat.protocol import VERSION
from sim_bridge.habitat.service import Service

LOOPBACK = '127.0.0.1'
HANDSHAKE_TIMEOUT_S = 10.0
FAREWELL_S = 1.0
MOST_UNREAD = 2 ** 16
FIRST_CLIENT_TIMEOUT_S = 60.0  # with --once: whoever started this server may be gone


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit code."""
    options = _parser().parse_args(arguments)
    # A plain kill ends the process between two calls, with the socket's file removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        backend = _backend(options)
        with _listening(options) as listener, contextlib.closing(backend):
            print(f'habitat server {VERSION}: {_where(listener)}', flush=True)
            serve(listener, backend, once=options.once)
    except KeyboardInterrupt:
        return 130
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(f'habitat server: error: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    return 0


def serve(listener: socket.socket, backend: Backend, *, once: bool = False) -> None:
    """Answer one client after the other; with ``once``, return when the first has left."""
    listener.settimeout(FIRST_CLIENT_TIMEOUT_S if once else None)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                _attend(connection, backend)
            except Disconnected:
                pass
            except (ProtocolError, TimedOut) as error:
                print(f'habitat server: client dropped: {error}', file=sys.stderr, flush=True)
                _tell(connection, str(error))
        if once:
            return


def _attend(connection: socket.socket, backend: Backend) -> None:
    hello = receive_message(connection, wait_s=HANDSHAKE_TIMEOUT_S)
    if hello.get('protocol') != PROTOCOL or hello.get('version') != VERSION:
        raise ProtocolError(
            f'the server speaks {PROTOCOL} version {VERSION}, the client '
            f'{hello.get("protocol")!r:.40} version {hello.get("version")!r:.40}: use the same '
            'version of asgf_nav_ros on both sides')
    send_message(connection, {
        'protocol': PROTOCOL, 'version': VERSION, 'pid': os.getpid(),
        'python': platform.python_version(), 'numpy': np.__version__,
        'backend': backend.describe()})
    service = Service(backend)
    while True:
        send_message(connection, service.answer(receive_message(connection, wait_s=None)))


def _tell(connection: socket.socket, reason: str) -> None:
    """Say why the connection ends, to a client that still listens."""
    error = {'kind': 'ProtocolError', 'message': f'{reason:.300}'}
    with contextlib.suppress(Disconnected, TimedOut, OSError):
        send_message(connection, {'id': None, 'error': error}, timeout_s=FAREWELL_S)
        # Closed with bytes unread, a connection is reset, and what was said is lost.
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(FAREWELL_S)
        connection.recv(MOST_UNREAD)


def _backend(options: argparse.Namespace) -> Backend:
    if options.backend == 'embedded':
        from sim_bridge.habitat.embedded_backend import EmbeddedBackend
        return EmbeddedBackend()
    from sim_bridge.habitat.habitat_backend import HabitatBackend
    return HabitatBackend(scene_dataset=options.scene_dataset, materials=options.materials,
                          gpu=options.gpu)


@contextlib.contextmanager
def _listening(options: argparse.Namespace) -> Iterator[socket.socket]:
    if options.port is not None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, options.port))
            listener.listen(1)
            yield listener
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)  # for its owner alone
        try:
            listener.bind(str(options.socket))
        finally:
            os.umask(before)
        try:
            listener.listen(1)
            yield listener
        finally:
            options.socket.unlink()


def _where(listener: socket.socket) -> str:
    address: Any = listener.getsockname()
    return f'{address[0]}:{address[1]}' if isinstance(address, tuple) else str(address)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m sim_bridge.habitat.server',
        description='Serve SoundSpaces 2.0 (habitat-sim with audio) to asgf_nav_ros.',
        epilog='example: python -m sim_bridge.habitat.server --socket /tmp/habitat.sock '
               '--scene-dataset data/scene_datasets/mp3d/mp3d.scene_dataset_config.json',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument('--socket', type=Path, help='Unix socket to create, for its owner alone')
    place.add_argument('--port', type=int, help=f'TCP port on {LOOPBACK}, 0 for a free one')
    parser.add_argument('--backend', choices=('habitat', 'embedded'), default='habitat',
                        help='the embedded world needs no habitat, and this package installed')
    parser.add_argument('--scene-dataset', type=Path, help='scene_dataset_config.json')
    parser.add_argument('--materials', type=Path, help='acoustic materials, JSON of SoundSpaces')
    parser.add_argument('--gpu', type=int, default=0, help='device that renders')
    parser.add_argument('--once', action='store_true', help='end when the first client leaves')
    return parser


if __name__ == '__main__':
    sys.exit(main())
