# SPDX-License-Identifier: Apache-2.0
"""Whether the rest of the graph is fit to move: nodes that must be well, deadman, running clock.

All times are of a steady clock: what is watched here fails together with stamps and clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
import math

from asgf_nav_ros.motion.causes import Cause

SEPARATOR = ': '
LONGEST_COMPLAINT = 200


@dataclasses.dataclass(frozen=True)
class Trouble:
    """A cause and what exactly is wrong, in one line; both empty when all is well."""

    cause: Cause = Cause.NONE
    detail: str = ''


@dataclasses.dataclass(frozen=True, kw_only=True)
class SupervisionLimits:
    """Zero seconds switch a watch off; ``nodes`` must send heartbeats."""

    nodes: Sequence[str] = ()
    heartbeat_timeout_s: float = 0.3
    deadman_timeout_s: float = 0.0
    clock_timeout_s: float = 0.4

    def __post_init__(self) -> None:
        for name in ('heartbeat_timeout_s', 'deadman_timeout_s', 'clock_timeout_s'):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f'{name} must be zero or more and finite, got {value}')


def heartbeat(node: str, complaint: str) -> str:
    """``frame_id`` of a heartbeat: the node, and why it is not well."""
    return f'{node}{SEPARATOR}{complaint[:LONGEST_COMPLAINT]}' if complaint else node


class Supervision:
    """Collects signs of life and says what is amiss."""

    def __init__(self, limits: SupervisionLimits, *, steady_s: float) -> None:
        self._limits = limits
        self._beats = dict.fromkeys(limits.nodes, (steady_s, 'has not sent a heartbeat yet'))
        self._deadman = (-math.inf, False)
        self._clock_s, self._clock_ran_s = -math.inf, steady_s

    def see_heartbeat(self, frame_id: str, steady_s: float) -> None:
        """Take a heartbeat; those of other nodes do not count."""
        node, _, complaint = frame_id[:2 * LONGEST_COMPLAINT].partition(SEPARATOR)
        if node in self._beats:
            self._beats[node] = (steady_s, complaint)

    def see_deadman(self, held: bool, steady_s: float) -> None:
        """Take the state of the deadman switch."""
        self._deadman = (steady_s, held)

    def see_clock(self, clock_s: float, steady_s: float) -> None:
        """Take the time of the graph's clock."""
        if clock_s != self._clock_s:
            self._clock_s, self._clock_ran_s = clock_s, steady_s

    def trouble(self, steady_s: float) -> Trouble:
        """What is amiss now, gravest first."""
        return (self._of_clock(steady_s) or self._of_deadman(steady_s)
                or self._of_nodes(steady_s) or Trouble())

    def _of_clock(self, steady_s: float) -> Trouble | None:
        stood_s = steady_s - self._clock_ran_s
        if not self._limits.clock_timeout_s or stood_s <= self._limits.clock_timeout_s:
            return None
        return Trouble(Cause.CLOCK_STOPPED, 'the clock stands still')

    def _of_deadman(self, steady_s: float) -> Trouble | None:
        seen_s, held = self._deadman
        late = steady_s - seen_s > self._limits.deadman_timeout_s
        if not self._limits.deadman_timeout_s or (held and not late):
            return None
        return Trouble(Cause.NO_DEADMAN, 'the deadman switch is silent' if late
                       else 'the deadman switch is not held')

    def _of_nodes(self, steady_s: float) -> Trouble | None:
        if not self._limits.heartbeat_timeout_s:
            return None
        for node, (seen_s, complaint) in self._beats.items():
            if steady_s - seen_s > self._limits.heartbeat_timeout_s:
                return Trouble(Cause.SILENT_NODE, f'no sign of life from {node}')
            if complaint:
                return Trouble(Cause.UNWELL_NODE, f'{node}: {complaint}')
        return None
