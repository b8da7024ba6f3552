# SPDX-License-Identifier: Apache-2.0
"""What a long run has shown: memory, actions, stamps and diagnostics, beside what is wanted."""

from __future__ import annotations

import collections
from collections.abc import Sequence
import dataclasses
import statistics
from typing import Any

from asgf_nav_ros.faults.cases import NODES
from asgf_nav_ros.ros_processes.process_usage import MemoryUse

# Shares of the run: until then it warms up, and so long are its beginning and its end.
WARM_UP, EDGE = 0.1, 0.1
# Of the memory that a process shares with nobody: the kernel takes pages of files away and gives
# them back as it likes. The simulator is no part of a robot, and its houses differ in size.
GROWTH_WANTED_PERCENT = 5.0
# Actions and with them windows begin at a tick of the simulation, so that a stamp that drifts
# leaves the ticks. How far the clock has run on when an action is seen hangs on the machine too.
TICK_S, OFF_TICK_WANTED_S = 0.02, 0.001
DRIFT_WANTED_S = 0.1  # a block of the simulated audio
LEAST_AT_EDGE = 5  # actions: a median of fewer is the machine's, not a drift
POINTS_KEPT = 240  # of each curve of memory
ERROR_LEVEL = 2  # of diagnostic_msgs/DiagnosticStatus
LAST_WORDS = 3  # of a node after the last episode: its numbers are final then

Event = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class MemorySample:
    """Memory of each process by name at ``clock_s`` of the simulation."""

    clock_s: float
    use: dict[str, MemoryUse]


class SoakRecord:
    """Collects what a witness tells and what the kernel says while a graph runs."""

    def __init__(self) -> None:
        self.results: list[Event] = []
        self.memory: list[MemorySample] = []
        self._windows: list[tuple[float, float]] = []  # clock and its lead over the window's end
        self._decided: set[float] = set()
        self._values: dict[str, dict[str, str]] = {}
        self._texts: collections.Counter[tuple[int, str, str]] = collections.Counter()
        self._said: dict[str, str] = {}
        self._last_words: collections.Counter[str] = collections.Counter()

    def take(self, event: Event) -> None:
        """Take an event of ``witness``."""
        take = {'action': self._on_action, 'diagnostics': self._on_diagnostics,
                'episode_result': self.results.append}.get(event['event'])
        if take is not None:
            take(event)

    def _on_action(self, event: Event) -> None:
        if event['stamp_s'] not in self._decided:  # else it was sent again
            self._decided.add(event['stamp_s'])
            self._windows.append((event['clock_s'], event['clock_s'] - event['stamp_s']))

    def _on_diagnostics(self, event: Event) -> None:
        self._values[event['node']] = event['values']
        self._last_words[event['node']] += self.ended
        if event['level'] and self._said.get(event['node']) != event['text']:
            self._texts[event['level'], event['node'], event['text']] += 1
        self._said[event['node']] = event['text'] if event['level'] else ''

    @property
    def ended(self) -> bool:
        """Whether the last episode is over."""
        return bool(self.results) and self.results[-1]['last']

    @property
    def settled(self) -> bool:
        """Whether policy and motion have told their final numbers."""
        return min(self._last_words[node] for node in ('policy', 'motion')) >= LAST_WORDS

    def report(self, *, wall_s: float) -> dict[str, Any]:
        """Return the document; ``failures`` says in words what is not as it is wanted."""
        ends_s = [result['clock_s'] for result in self.results[-1:]]
        sim_s = max([*ends_s, *(sample.clock_s for sample in self.memory[-1:])], default=0.0)
        document = {
            'sim_time_s': sim_s, 'wall_time_s': wall_s, 'episodes': len(self.results),
            'found': sum(result['success'] for result in self.results),
            'actions': self._actions(), 'stamps': self._stamps(), 'memory': self._memory(),
            'diagnostics': [{'level': level, 'node': node, 'text': text, 'count': count}
                            for (level, node, text), count in self._texts.most_common(50)]}
        failures = list(self._failures(document))
        return {**document, 'failures': failures, 'passed': not failures}

    def _actions(self) -> dict[str, Any]:
        """Counts of those who send, carry out and see them; none may be missing anywhere."""
        sent = int(self._values.get('policy', {}).get('actions_sent', 0))
        taken = int(self._values.get('motion', {}).get('actions_taken', 0))
        again = int(self._values.get('policy', {}).get('actions_sent_again', 0))
        return {'sent': sent, 'taken': taken, 'lost': sent - taken, 'sent_again': again,
                'seen': len(self._decided),
                'seen_by_simulator': sum(result['actions'] for result in self.results),
                'slips': sum(result['slips'] for result in self.results), 'lost_wanted': 0}

    def _stamps(self) -> dict[str, Any]:
        """How far ends of windows leave the ticks and the clock; a short run tells no drift."""
        wanted = {'drift_wanted_s': DRIFT_WANTED_S, 'off_tick_wanted_s': OFF_TICK_WANTED_S}
        if not self._windows:
            return {'drift_s': None, 'off_tick_most_s': None, **wanted}
        begin, end = edges([clock_s for clock_s, _ in self._windows], warm_up=0.0)
        leads = [lead_s for _, lead_s in self._windows]
        begin_s, end_s = statistics.median(leads[begin]), statistics.median(leads[end])
        told = min(len(leads[begin]), len(leads[end])) >= LEAST_AT_EDGE
        return {'clock_ahead_at_begin_s': begin_s, 'clock_ahead_at_end_s': end_s,
                'clock_ahead_least_s': min(leads), 'clock_ahead_most_s': max(leads),
                'off_tick_most_s': max(map(off_tick_s, self._decided)),
                'drift_s': end_s - begin_s if told else None, **wanted}

    def _memory(self) -> dict[str, Any]:
        if not self.memory:
            return {}
        clock_s = [sample.clock_s for sample in self.memory]
        begin, end = edges(clock_s, warm_up=WARM_UP)
        step = -(-len(self.memory) // POINTS_KEPT)
        found = {}
        for name in self.memory[0].use:
            curves = {kind: [getattr(sample.use[name], kind) for sample in self.memory]
                      for kind in ('resident_mb', 'proportional_mb', 'private_mb')}
            growth = {f'{kind}_growth_percent': growth_percent(curve[begin], curve[end])
                      for kind, curve in curves.items()}
            wanted = GROWTH_WANTED_PERCENT if name in NODES else None
            found[name] = {**growth, 'private_mb_growth_wanted_percent': wanted,
                           'clock_s': clock_s[::step],
                           **{kind: curve[::step] for kind, curve in curves.items()}}
        return found

    def _failures(self, document: dict[str, Any]):
        actions, stamps = document['actions'], document['stamps']
        if not self.ended:
            yield 'the run ended before its time'
        if not actions['sent']:
            yield 'no action was sent'
        if actions['lost'] or actions['slips']:
            yield (f'{actions["sent"]} actions were sent, {actions["taken"]} were taken, '
                   f'{actions["slips"]} came out of step')
        if stamps['drift_s'] is not None and abs(stamps['drift_s']) > DRIFT_WANTED_S:
            yield (f'stamps drifted by {stamps["drift_s"]:+.3f} s, wanted {DRIFT_WANTED_S} s '
                   'at most')
        if (stamps['off_tick_most_s'] or 0.0) > OFF_TICK_WANTED_S:
            yield (f'a window ended {1e3 * stamps["off_tick_most_s"]:.1f} ms off the ticks, '
                   f'wanted {1e3 * OFF_TICK_WANTED_S:g} ms at most')
        for name, use in document['memory'].items():
            grown = use['private_mb_growth_percent']
            if name in NODES and grown > GROWTH_WANTED_PERCENT:
                yield (f'{name} grew by {grown:.1f} %, wanted {GROWTH_WANTED_PERCENT:g} % '
                       'at most')
        for told in document['diagnostics']:
            if told['level'] >= ERROR_LEVEL:
                yield f'{told["node"]} reported an error: {told["text"]}'


def edges(clock_s: Sequence[float], *, warm_up: float) -> tuple[slice, slice]:
    """The parts of a run from its share ``warm_up`` on and at its end, each with a sample."""
    span_s = clock_s[-1] - clock_s[0]
    first = _index(clock_s, clock_s[0] + warm_up * span_s)
    until = _index(clock_s, clock_s[0] + (warm_up + EDGE) * span_s)
    last = _index(clock_s, clock_s[-1] - EDGE * span_s)
    return slice(first, max(until, first + 1)), slice(last, None)


def growth_percent(before: Sequence[float], after: Sequence[float]) -> float:
    """From one median to the other."""
    return 100 * (statistics.median(after) / statistics.median(before) - 1)


def off_tick_s(stamp_s: float) -> float:
    """Distance of a stamp from the nearest tick."""
    return abs(stamp_s - TICK_S * round(stamp_s / TICK_S))


def summary(document: dict[str, Any]) -> str:
    """Return some lines for the terminal."""
    actions, stamps = document['actions'], document['stamps']
    memory = ', '.join(f'{name} {use["private_mb"][-1]:.0f} MB '
                       f'({use["private_mb_growth_percent"]:+.1f} %)'
                       for name, use in document['memory'].items())
    drift = 'unknown' if stamps['drift_s'] is None else (
        f'{1e3 * stamps["drift_s"]:+.1f} ms, {1e3 * stamps["off_tick_most_s"]:.2f} ms off the '
        'ticks at most')
    speed = document['sim_time_s'] / document['wall_time_s']
    return '\n'.join([
        f'{document["sim_time_s"]:.0f} s of simulated time in {document["episodes"]} episodes, '
        f'{speed:.1f}x real time',
        f'{actions["sent"]} actions sent, {actions["taken"]} taken, {actions["lost"]} lost',
        f'drift of stamps {drift}', f'memory of their own: {memory}',
        *(f'FAIL {failure}' for failure in document['failures'])])


def _index(clock_s: Sequence[float], time_s: float) -> int:
    """Of the first one at this time or later, at most of the last one."""
    return next((i for i, each_s in enumerate(clock_s) if each_s >= time_s), len(clock_s) - 1)
