# SPDX-License-Identifier: Apache-2.0
"""What processes use of the machine, as the kernel counts it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

KIB_PER_MB = 1e6 / 1024


@dataclasses.dataclass(frozen=True)
class MemoryUse:
    """Memory of one process, megabytes.

    Attributes:
        resident_mb: all pages that it has in memory (RSS).
        proportional_mb: the same, with each shared page divided among those who share it (PSS).
        private_mb: pages that it has written and shares with nobody, in swap too. Clean pages of
            files do not count: they are its own when the last other process that maps them ends.
    """

    resident_mb: float
    proportional_mb: float
    private_mb: float


def memory_use(pid: int) -> MemoryUse:
    """Return what a process uses now.

    Raises:
        ProcessLookupError: there is no such process, or it has ended.
    """
    fields = memory_fields_kib(pid, 'smaps_rollup')
    private_kib = fields['Private_Dirty'] + fields['Swap']
    return MemoryUse(fields['Rss'] / KIB_PER_MB, fields['Pss'] / KIB_PER_MB,
                     private_kib / KIB_PER_MB)


def memory_fields_kib(pid: int, file: str) -> dict[str, int]:
    """Return the sizes in ``/proc/<pid>/<file>`` (status or smaps_rollup), kibibytes by name.

    Raises:
        ProcessLookupError: there is no such process, or it has ended.
    """
    try:
        lines = Path(f'/proc/{pid}/{file}').read_text('ascii', errors='replace').splitlines()
    except FileNotFoundError:
        raise ProcessLookupError(f'there is no process {pid}') from None
    words = (line.split() for line in lines if line.endswith(' kB'))
    return {name.rstrip(':'): int(size) for name, size, _ in words}


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time that a process has had so far, all its threads.

    Raises:
        OSError: there is no such process.
    """
    stat = Path(f'/proc/{pid}/stat').read_text('ascii', errors='replace')
    numbers = stat.rpartition(')')[2].split()  # the name before it may hold anything
    user, system = int(numbers[11]), int(numbers[12])
    return (user + system) / os.sysconf('SC_CLK_TCK')

