# SPDX-License-Identifier: Apache-2.0
"""How much memory the deployed graph takes at its peak, while it really decides."""

from __future__ import annotations

import contextlib
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

from asgf_nav_ros.ros_processes.process_usage import KIB_PER_MB
from asgf_nav_ros.ros_processes.process_usage import memory_fields_kib

DEPLOYED = ('spectrogram', 'policy', 'motion')
WANTED_MB = 600.0
SAMPLE_PERIOD_S = 0.1


def measure(model: Path | None = None) -> dict[str, Any]:
    """Run one episode of ``asgf-nav demo`` and watch the processes that a robot would run.

    Returns:
        ``nodes``: peak resident megabytes of each node, ``sum_of_peaks_mb``, which counts
        shared libraries once a process, and ``peak_proportional_mb``, which shares them out.

    Raises:
        RuntimeError: the demo failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'asgf_nav_ros.cli', 'demo', '--episodes', '1',
                   '--out', folder, *(['--model', str(model)] if model else [])]
        demo = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)
        peaks = _watch(demo)
        if demo.wait() != 0:
            raise RuntimeError(f'the demo failed: {demo.stderr.read().strip()}')
    return peaks


def table(memory: dict[str, Any]) -> str:
    """Return a line for people."""
    nodes = ', '.join(f'{name} {peak_mb:.0f}' for name, peak_mb in memory['nodes'].items())
    return (f'{"memory of the deployed graph":<32} {memory["sum_of_peaks_mb"]:6.0f} MB ({nodes}; '
            f'{memory["peak_proportional_mb"]:.0f} MB with shared libraries shared out), '
            f'wanted under {WANTED_MB:.0f} MB')


def _watch(demo: subprocess.Popen[str]) -> dict[str, Any]:
    peaks_kib = dict.fromkeys(DEPLOYED, 0)
    proportional_kib = 0
    while demo.poll() is None:
        shares_kib = 0
        for name, pid in _deployed(demo.pid).items():
            with contextlib.suppress(OSError):  # it may end while we look
                peak_kib = memory_fields_kib(pid, 'status').get('VmHWM', 0)
                peaks_kib[name] = max(peaks_kib[name], peak_kib)
                shares_kib += memory_fields_kib(pid, 'smaps_rollup').get('Pss', 0)
        proportional_kib = max(proportional_kib, shares_kib)
        time.sleep(SAMPLE_PERIOD_S)
    nodes = {name: kib / KIB_PER_MB for name, kib in peaks_kib.items()}
    return {'nodes': nodes, 'sum_of_peaks_mb': sum(nodes.values()),
            'peak_proportional_mb': proportional_kib / KIB_PER_MB, 'wanted_mb': WANTED_MB}


def _deployed(parent: int) -> dict[str, int]:
    """Return the process ids of the deployed nodes among the children of ``parent``."""
    found = {}
    for task in Path(f'/proc/{parent}/task').glob('*/children'):
        with contextlib.suppress(OSError):
            for pid in map(int, task.read_text().split()):
                words = Path(f'/proc/{pid}/cmdline').read_text().split('\0')
                node = next((word for word in words if '.nodes.' in word), '').rpartition('.')[2]
                if node in DEPLOYED:
                    found[node] = pid
    return found

