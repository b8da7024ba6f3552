# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive their parent's interest: started, watched, ended."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import Iterator
from typing import Mapping
from typing import Sequence

TAIL_LINES = 12
PATIENCE_S = 4.0  # how long a child may take to end after each request
POLL_S = 0.2
REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class ChildFailed(RuntimeError):
    """A child ended on its own although it was still needed."""


class TooSlow(RuntimeError):
    """Nothing was heard for too long."""


@dataclasses.dataclass(frozen=True)
class _Child:
    name: str
    process: subprocess.Popen[str]
    log: Path
    listener: threading.Thread | None


class ProcessGroup:
    """Children that are started together and end together; use it as a context manager.

    What they write on stderr, and on stdout unless it is listened to, goes to
    ``folder/<name>.log``.
    """

    def __init__(self, folder: Path, *, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **environment}
        self._children: list[_Child] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, arguments: Sequence[str], *, listened: bool = False) -> int:
        """Start ``python arguments`` and return its process id.

        Lines that a ``listened`` child prints come out of ``lines``.
        """
        log = self._folder / f'{name}.log'
        with log.open('w', encoding='utf-8') as stream:
            process = subprocess.Popen(
                [sys.executable, '-u', *arguments], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if listened else stream, stderr=stream, text=True,
                env=self._environment, start_new_session=True)
        listener = None
        if listened:
            listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
            listener.start()
        self._children.append(_Child(name, process, log, listener))
        return process.pid

    def lines(self, *, silence_s: float) -> Iterator[str]:
        """Yield what listened children print, until one that did ends well.

        Raises:
            ChildFailed: a child ended before that, or not well.
            TooSlow: no line came for ``silence_s``.
        """
        deadline_s = time.monotonic() + silence_s
        while True:
            with contextlib.suppress(queue.Empty):
                yield self._lines.get(timeout=POLL_S)
                deadline_s = time.monotonic() + silence_s
                continue
            if self._finished():
                return
            if time.monotonic() > deadline_s:
                raise TooSlow(f'nothing happened for {silence_s:.0f} s; see {self._folder}')

    def stop(self) -> None:
        """Ask every child to end, then insist; return when none is left."""
        for request in REQUESTS:
            running = [child for child in self._children if child.process.poll() is None]
            for child in running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.process.pid, request)
            deadline_s = time.monotonic() + PATIENCE_S
            for child in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(deadline_s - time.monotonic(), 0.0))

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout:
            self._lines.put(line.rstrip('\n'))

    def _finished(self) -> bool:
        """Whether a listened child is done and everything that it said was taken."""
        ended = [child for child in self._children if child.process.poll() is not None]
        for child in ended:
            if child.listener is None or child.process.returncode != 0:
                raise ChildFailed(f'{child.name} ended with code {child.process.returncode}: '
                                  f'{tail(child.log) or "it said nothing"}')
        heard = all(not child.listener.is_alive() for child in ended)
        return bool(ended) and heard and self._lines.empty()


def tail(log: Path, *, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log file, joined by ' | '."""
    text = log.read_text(encoding='utf-8', errors='replace')
    return ' | '.join(line.strip() for line in text.splitlines()[-lines:] if line.strip())


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end this process as Ctrl-C does: with every child ended."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
