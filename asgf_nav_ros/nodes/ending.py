# SPDX-License-Identifier: Apache-2.0
"""How the process of a node comes to its end: when it is asked to, and in bounded time."""

from __future__ import annotations

import faulthandler
import signal
import sys

import rclpy

# To leave the graph, after the last words: less than launch waits before it insists.
LEAVING_S = 3.0


def requests_to_end() -> list[int]:
    """Numbers of the signals SIGINT and SIGTERM, from now on and as they come."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: asked.append(received))
    return asked


def limit_leaving(limit_s: float = LEAVING_S) -> None:
    """End this process with code 1 and a traceback unless it has left the graph in ``limit_s``.

    Where Fast DDS was built with an old C++ library, as the wheels of rclpy are, it may wait for
    ever, with Python's lock held, if another process leaves at the same moment
    (https://github.com/eProsima/Fast-DDS/issues/6513).
    """
    faulthandler.dump_traceback_later(limit_s, exit=True, file=sys.__stderr__)


def leave_graph() -> None:
    """Shut ROS down, once every node is closed."""
    rclpy.try_shutdown()
    faulthandler.cancel_dump_traceback_later()
