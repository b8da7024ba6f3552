# SPDX-License-Identifier: Apache-2.0
"""Servers as a client sees them: one that it starts and may start again, or one that runs."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from typing import Mapping
from typing import Protocol
from typing import Sequence

from sim_bridge.habitat.connection import Connection
from sim_bridge.habitat.protocol import Disconnected

START_TIMEOUT_S = 120.0  # importing habitat_sim from a cold disk takes long
_STOP_TIMEOUT_S = 10.0
_DEATH_S = 10.0
_POLL_S = 0.02
_LAST_WORDS = 2000  # bytes of stderr
_PACKAGES = ('sim_bridge', 'asgf_nav_ros')
_QUIET = {'HABITAT_SIM_LOG': 'quiet', 'MAGNUM_LOG': 'quiet', 'GLOG_minloglevel': '2'}


class Server(Protocol):
    """Something that can be connected to, and asked how it ended."""

    def connect(self) -> Connection:
        """Connect, starting the server where that is possible."""

    def obituary(self) -> str:
        """What happened to it, for a message: 'died of SIGABRT: ...'."""

    def stop(self) -> None:
        """End what ``connect`` began."""


class RunningServer:
    """A server that somebody else started and looks after."""

    def __init__(self, address: Path | tuple[str, int]) -> None:
        """Args: address is a Unix socket, or host and port."""
        self._address = address

    def connect(self) -> Connection:
        """Connect to it."""
        return Connection(self._address)

    def obituary(self) -> str:
        """All that is known from outside."""
        return f'at {self._address} left or fell silent'

    def stop(self) -> None:
        """Leave it alone."""


class OwnServer:
    """A server process in another Python environment, on a private Unix socket."""

    def __init__(self, python: Path | str, *, arguments: Sequence[str] = (),
                 start_timeout_s: float = START_TIMEOUT_S) -> None:
        """Describe the server; ``connect`` starts it.

        Args:
            python: interpreter that has numpy, msgpack and habitat_sim.
            arguments: of ``python -m sim_bridge.habitat.server``, without its address.
            start_timeout_s: until it must answer.
        """
        self._command = [str(python), '-m', 'sim_bridge.habitat.server', *arguments]
        self._start_timeout_s = start_timeout_s
        self._folder: tempfile.TemporaryDirectory | None = None
        self._process: subprocess.Popen | None = None
        self._ended = 'was not started'

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running else None

    def connect(self) -> Connection:
        """Start a fresh process and connect to it.

        Raises:
            Disconnected: it ended before it listened, or did not answer in time; the message
                has its last words.
            ProtocolError: it is of another version.
        """
        self.stop()
        self._folder = tempfile.TemporaryDirectory(prefix='habitat-')
        folder = Path(self._folder.name)
        # Only these packages: the folder that they are installed in may hold a numpy for this
        # Python, which habitat's Python must not see.
        modules = folder / 'modules'
        modules.mkdir()
        for package in _PACKAGES:
            (modules / package).symlink_to(Path(__file__).resolve().parents[2] / package)
        address = folder / 'socket'
        with (folder / 'stderr').open('wb') as errors:
            try:
                self._process = subprocess.Popen(
                    [*self._command, '--socket', str(address), '--once'],
                    env=server_environment(os.environ, modules), stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
            except OSError as error:
                raise Disconnected(
                    f'cannot start {self._command[0]}: {error.strerror}') from error
        return self._first_connection(address)

    def obituary(self) -> str:
        """How the process ended, with the last words that it wrote."""
        if self._process is None:
            return self._ended
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_DEATH_S)  # a socket closes before its process is gone
        code = self._process.poll()
        if code is None:
            return 'does not answer'
        how = f'died of {_signal_name(-code)}' if code < 0 else f'ended with exit code {code}'
        words = self._last_words()
        return f'{how}: {words}' if words else how

    def stop(self) -> None:
        """End the process, gently, then not, and remove its folder."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._ended = self.obituary()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _first_connection(self, address: Path) -> Connection:
        deadline_s = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline_s and self._process.poll() is None:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                return Connection(address, timeout_s=deadline_s - time.monotonic())
            time.sleep(_POLL_S)
        raise Disconnected(f'the habitat server {self.obituary()}')

    def _last_words(self) -> str:
        with (Path(self._folder.name) / 'stderr').open('rb') as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_WORDS))
            lines = file.read().decode(errors='replace').split('\n')
        return ' / '.join(line.strip() for line in lines if line.strip())[-400:]


def server_environment(ours: Mapping[str, str], modules: Path) -> dict[str, str]:
    """Return the environment for another Python, without what belongs to this one.

    ROS puts its own modules into PYTHONPATH and libraries into LD_LIBRARY_PATH, where they would
    take the place of habitat's. habitat-sim is told to be quiet unless somebody decided already.
    """
    environment = {**_QUIET, **ours, 'PYTHONPATH': str(modules)}
    folders = ours.get('LD_LIBRARY_PATH', '').split(os.pathsep)
    kept = [folder for folder in folders if folder and not folder.startswith(sys.prefix)]
    environment['LD_LIBRARY_PATH'] = os.pathsep.join(kept)
    return environment


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f'signal {number}'
