# SPDX-License-Identifier: Apache-2.0
"""Several nodes in one process, each with a thread of its own; they end together.

    composed audio_capture camera spectrogram policy --ros-args ...

``motion`` is not among them: what stops the robot must not share the fate of anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent import futures
import importlib
import sys

import rclpy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from asgf_nav_ros.nodes.ending import leave_graph
from asgf_nav_ros.nodes.ending import requests_to_end
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import spin

COMPOSABLE = {'audio_capture': 'AudioCaptureNode', 'camera': 'CameraNode',
              'spectrogram': 'SpectrogramNode', 'policy': 'PolicyNode'}
LOOK_S = 0.2


def kinds(names: Sequence[str]) -> list[type[ManagedNode]]:
    """The classes of these nodes.

    Raises:
        ValueError: none, twice the same, or one that has to run alone.
    """
    unknown = [name for name in names if name not in COMPOSABLE]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(f'composed wants some of {", ".join(COMPOSABLE)}, each once, '
                         f'got {" ".join(names) or "none"}')
    return [getattr(importlib.import_module(f'asgf_nav_ros.nodes.{name}'), COMPOSABLE[name])
            for name in names]


def run_together(members: Sequence[type[ManagedNode]], args: Sequence[str]) -> int:
    """Run them until a signal comes or one of them ends; return the highest exit code."""
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    asked = requests_to_end()
    try:
        with futures.ThreadPoolExecutor(len(members)) as threads:
            running = [threads.submit(spin, kind, asked) for kind in members]
            while not futures.wait(
                    running, timeout=LOOK_S, return_when=futures.FIRST_COMPLETED).done:
                pass
            asked.append(0)  # one has ended: so do the others
            return max(future.result() for future in running)
    finally:
        leave_graph()


def main() -> None:
    """Run the nodes that the command line names."""
    try:
        members = kinds(remove_ros_args(sys.argv)[1:])
    except ValueError as error:
        print(f'composed: error: {error}', file=sys.stderr)
        sys.exit(2)
    sys.exit(run_together(members, sys.argv))


if __name__ == '__main__':
    main()
