# SPDX-License-Identifier: Apache-2.0
"""One process of the graph under test: started, listened to, hurt and started again."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
from typing import Any

PATIENCE_S = 10.0


class NodeProcess:
    """A child that may be started several times; what it says on stderr is kept in one log."""

    def __init__(self, name: str, arguments: list[str], *, environment: dict[str, str],
                 log: Path, listener: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.name, self.log = name, log
        self._arguments, self._environment = arguments, environment
        self._listener = listener
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """Of the newest process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs (or is stopped by a signal)."""
        return self._process is not None and self._process.poll() is None

    def start_with(self, **parameters: str) -> None:
        """Start it once with other values of these ROS parameters."""
        more = [word for name, value in parameters.items()
                for word in ('-p', f'{name}:="{value}"')]
        self.start([*self._arguments, *more])

    def start(self, arguments: list[str] | None = None) -> None:
        """Start the process, once with other ``arguments`` if given."""
        with self.log.open('a', encoding='utf-8') as stream:
            self._process = subprocess.Popen(
                [sys.executable, '-u', *(arguments or self._arguments)], text=True,
                env=self._environment, start_new_session=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if self._listener else stream, stderr=stream)
        if self._listener:
            threading.Thread(
                target=self._listen, args=(self._process,), daemon=True).start()

    def order(self, **order: Any) -> None:
        """Write one line of JSON to its stdin."""
        self._process.stdin.write(json.dumps(order) + '\n')
        self._process.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it, if it is there."""
        if self.alive:
            os.kill(self._process.pid, number)

    def ends_within(self, patience_s: float) -> bool:
        """Whether it ends by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        return not self.alive

    def wait(self) -> bool:
        """Give it time to end; whether it did."""
        return self.ends_within(PATIENCE_S)

    def end(self) -> None:
        """Ask it to end, then insist."""
        for number in (signal.SIGCONT, signal.SIGINT, signal.SIGKILL):
            self.send(number)
            if number != signal.SIGCONT and self._process is not None:
                self.wait()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout:
            self._listener(json.loads(line))
