# SPDX-License-Identifier: Apache-2.0
"""What may happen to a process, and how it is undone as a launch file with respawn would."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from pathlib import Path
import resource
import signal
import tempfile

import onnxruntime

from asgf_nav_ros.faults.node_process import NodeProcess

DISK_LEFT = 1 << 16
DYING_S = 3.0
FOREIGN_MODEL = Path(onnxruntime.__file__).parent / 'datasets' / 'sigmoid.onnx'

Undo = Callable[[], None]


def begin(fault: str, process: NodeProcess, *, model: Path) -> Undo:
    """Do ``fault`` to a process and return what undoes it.

    Raises:
        ValueError: there is no such fault.
    """
    if fault.endswith('_model'):
        return _other_model(fault, process, model)
    if fault not in _FAULTS:
        raise ValueError(f'fault must be one of {", ".join(_FAULTS)}, got {fault!r}')
    return _FAULTS[fault](process)


def _kill(process: NodeProcess) -> Undo:
    process.send(signal.SIGKILL)
    process.wait()
    return process.start


def _restart(process: NodeProcess) -> Undo:
    process.send(signal.SIGINT)
    process.wait()
    return process.start


def _freeze(process: NodeProcess) -> Undo:
    process.send(signal.SIGSTOP)
    return lambda: process.send(signal.SIGCONT)


def _exhaust(process: NodeProcess) -> Undo:
    """Grant it no page more than it has: a message of some megabytes is too much."""
    pages = int(Path(f'/proc/{process.pid}/statm').read_text('ascii').split()[0])
    limit = pages * resource.getpagesize()
    before = resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    return lambda: _unlimit(process, resource.RLIMIT_AS, before)


def _fill_disk(process: NodeProcess) -> Undo:
    """Its files cannot grow any more, which writing reports as a full disk does: an OSError."""
    before = resource.prlimit(
        process.pid, resource.RLIMIT_FSIZE, (DISK_LEFT, resource.RLIM_INFINITY))
    return lambda: _unlimit(process, resource.RLIMIT_FSIZE, before)


def _unlimit(process: NodeProcess, kind: int, before: tuple[int, int]) -> None:
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(process.pid, kind, before)
    if process.ends_within(DYING_S):
        process.start()


def _other_model(fault: str, process: NodeProcess, model: Path) -> Undo:
    """Start it again with a file that is not the model that it was."""
    _kill(process)
    content = model.read_bytes()
    bad = {'corrupt_model': content[:1000] + bytes(byte ^ 0x5A for byte in content[1000:]),
           'truncated_model': content[:len(content) // 2],
           'foreign_model': FOREIGN_MODEL.read_bytes()}[fault]
    folder = Path(tempfile.mkdtemp(prefix='asgf-nav-faults-'))
    path = folder / 'bad.onnx'
    path.write_bytes(bad)
    process.start_with(model_path=str(path))

    def undo() -> None:
        process.end()
        path.unlink()
        folder.rmdir()
        process.start()

    return undo


_FAULTS: dict[str, Callable[[NodeProcess], Undo]] = {
    'kill': _kill, 'restart': _restart, 'freeze': _freeze, 'exhaust': _exhaust,
    'fill_disk': _fill_disk}
