# SPDX-License-Identifier: Apache-2.0
"""What the events around a fault say: did the robot stop in time, and did it wait."""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
import math
from typing import Any

from asgf_nav_ros.motion.causes import MotionState

ZERO_LIMIT_S = 0.5
# Between the steady clock and the stamps of the robot, and between two topics.
SLACK_S = 0.06
# Commands of zero for less than this belong to an action that corrects its last millimetres.
LEAST_REST_S = 0.15

# Intruders on motion_state say other words.
AT_REST = {state.value for state in MotionState} - {MotionState.MOVING.value}

Event = dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """How one fault went.

    Attributes:
        zero_after_s: from the fault to the last motion before the robot stood; None: it did not.
        stopped_by: command, or base where no command came any more.
        cause: what diagnostics said, if they named it.
        resumed_after_s: from the end of the fault to motion; None: there was none.
        failures: what was not as it must be, in words.
        held_up: the trial robot itself did not run for a while meanwhile: what measures was late.
        repeats: tries before this one that were held up.
    """

    zero_after_s: float | None
    stopped_by: str
    cause: str
    resumed_after_s: float | None
    failures: tuple[str, ...]
    held_up: bool = False
    repeats: int = 0

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def judge(events: Sequence[Event], *, began_s: float, ended_s: float, window_s: float,
          words: Sequence[str], deaths: Sequence[str] = ()) -> Verdict:
    """Judge one fault.

    Args:
        events: of the trial robot, in order, from before the fault until motion after it.
        began_s, ended_s: the fault, on the events' clock.
        window_s: length of the listening window: all of it must be from after the robot stood.
        words: diagnostics name the cause if they contain one of these; none are needed if empty.
        deaths: nodes that ended although nothing was done to them.
    """
    stop = _stop(events, began_s)
    cause = next((event['text'] for event in events if event['event'] == 'diagnostics'
                  and event['t'] >= began_s and any(word in event['text'] for word in words)), '')
    resumed_s = next((event['t'] for event in events
                      if event['event'] == 'moving' and event['t'] > ended_s), None)
    failures = [f'{node} ended too' for node in deaths]
    if stop is None:
        failures.append('the robot was not stopped')
    elif stop['after_s'] > ZERO_LIMIT_S:
        failures.append(f'zero came after {stop["after_s"]:.2f} s')
    if words and not cause:
        failures.append('no diagnostics named the cause')
    if resumed_s is None:
        failures.append('work did not resume')
    failures += [f'moved again at {t - began_s:+.2f} s without a new observation'
                 for t in _unfounded(events, began_s, window_s)]
    return Verdict(
        zero_after_s=stop and stop['after_s'], stopped_by=stop['by'] if stop else '',
        cause=cause, resumed_after_s=None if resumed_s is None else resumed_s - ended_s,
        failures=tuple(failures), held_up=any(
            event['event'] == 'held_up' and event['t'] >= began_s for event in events))


def _stop(events: Sequence[Event], began_s: float) -> Event | None:
    """When the robot stood first after the fault began."""
    before = [event for event in events
              if event['event'] in ('moving', 'still') and event['t'] <= began_s]
    if not before or before[-1]['event'] == 'still':
        return {'after_s': 0.0, 'by': 'rest'}
    for event in _rests(events):
        if event['t'] > began_s:
            return {'after_s': event['t'] - began_s, 'by': event['by']}
    return None


def _rests(events: Sequence[Event]) -> list[Event]:
    """Events after which the robot stood for a while."""
    turns = [event for event in events if event['event'] in ('moving', 'still')]
    ends = [event['t'] for event in turns[1:]] + [math.inf]
    return [event for event, end_s in zip(turns, ends)
            if event['event'] == 'still'
            and (event['by'] == 'base' or end_s - event['t'] >= LEAST_REST_S)]


def _unfounded(events: Sequence[Event], began_s: float, window_s: float) -> list[float]:
    """Times at which motion began without an action on what was heard since the last stop."""
    rests_s = [event['t'] for event in _rests(events)]
    rests_s += [event['since'] for event in events
                if event['event'] == 'motion_state' and event['state'] in AT_REST]
    return [event['t'] for event in events
            if event['event'] == 'moving' and event['t'] > began_s
            and not _founded(event['t'], rests_s, events, window_s)]


def _founded(moves_s: float, rests_s: Sequence[float], events: Sequence[Event],
             window_s: float) -> bool:
    stood_s = max((rest_s for rest_s in rests_s if rest_s < moves_s), default=-math.inf)
    return any(event['event'] == 'action' and event['t'] <= moves_s + SLACK_S
               and event['decided_on'] - window_s >= stood_s - SLACK_S for event in events)
