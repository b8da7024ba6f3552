# SPDX-License-Identifier: Apache-2.0
"""One fault, once: wait for motion, break something, mend it, and judge what happened."""

from __future__ import annotations

import random
import time

from asgf_nav_ros.faults import process_faults
from asgf_nav_ros.faults.cases import FaultCase
from asgf_nav_ros.faults.cases import RELIABLE
from asgf_nav_ros.faults.trial_graph import TrialGraph
from asgf_nav_ros.faults.verdict import Event
from asgf_nav_ros.faults.verdict import judge
from asgf_nav_ros.faults.verdict import Verdict

MOTION_S = 60.0  # until the robot moves, before and after
DELAY_S = (0.1, 0.6)  # after motion began
LEAST_S, MOST_S = 2.0, 8.0  # of a fault; it lasts until its cause is named
REST_S = 0.4  # of the second that the robot listens
ATTEMPTS = 5
BLOATED = {'spectrogram': 'audio', 'policy': 'color/image', 'motion': 'depth/image',
           'camera': 'color/image'}


def run_trial(graph: TrialGraph, case: FaultCase, *, window_s: float,
              rng: random.Random) -> Verdict:
    """Try ``case`` on a graph that runs; it runs on afterwards.

    Raises:
        RuntimeError: the robot does not move although nothing is broken.
    """
    graph.forget()
    wait_for_moment(graph, case, rng)
    began_s = time.monotonic()
    if case.process:
        undo = process_faults.begin(case.fault, graph.processes[case.target], model=graph.model)
        if case.fault == 'exhaust' and case.target in BLOATED:
            graph.order(fault='bloat', stream=BLOATED[case.target])
    else:
        graph.order(fault=case.fault, stream=case.target)
        began_s = graph.wait(_fault_began, MOTION_S, began_s) or began_s
    wait_until_named(graph, case, began_s)
    deaths = graph.dead(but=case.target)
    if case.fault == 'exhaust' or not case.process:
        graph.order(fault='')
    if case.process:
        undo()
    return conclude(graph, case, began_s=began_s, ended_s=time.monotonic(), window_s=window_s,
                    deaths=deaths)


def run_start(graph: TrialGraph, case: FaultCase, *, window_s: float) -> Verdict:
    """Start a graph in which ``case`` holds from the beginning."""
    order = {'fault': case.fault, 'stream': case.target}
    if case.graph == RELIABLE:
        order = {'reliability': 'best_effort'}
    began_s = time.monotonic()
    graph.start(**order)
    wait_until_named(graph, case, began_s, most_s=MOTION_S)
    deaths = graph.dead(but='')
    graph.order(**({'reliability': 'reliable'} if case.graph == RELIABLE else {'fault': ''}))
    return conclude(graph, case, began_s=began_s, ended_s=time.monotonic(), window_s=window_s,
                    deaths=deaths)


def conclude(graph: TrialGraph, case: FaultCase, *, began_s: float, ended_s: float,
             window_s: float, deaths: list[str]) -> Verdict:
    """Wait for work to resume and judge."""
    graph.wait_for_motion(MOTION_S, since_s=ended_s)
    time.sleep(0.1)  # the action's own message may be the later one
    return judge(graph.events(), began_s=began_s, ended_s=ended_s, window_s=window_s,
                 words=case.words, deaths=[*deaths, *graph.dead(but=case.target)])


def wait_for_moment(graph: TrialGraph, case: FaultCase, rng: random.Random) -> None:
    """Until the robot is in the middle of an action, or at rest where the case wants that.

    Raises:
        RuntimeError: it does not move.
    """
    for _ in range(ATTEMPTS):
        began_s = time.monotonic()
        if not graph.wait_for_motion(MOTION_S, since_s=began_s, forward=case.forward):
            raise RuntimeError(f'the robot does not move before {case.name}')
        if case.at_rest:
            graph.wait(lambda _: not graph.is_moving(), MOTION_S)
            time.sleep(REST_S)
            return
        time.sleep(rng.uniform(*DELAY_S))
        if graph.is_moving():
            return
    raise RuntimeError(f'the robot never moves for long before {case.name}')


def wait_until_named(graph: TrialGraph, case: FaultCase, began_s: float, *,
                     most_s: float = MOST_S) -> None:
    """Let the fault last until diagnostics have named it, within bounds."""
    graph.wait(lambda events: any(
        event['event'] == 'diagnostics' and any(word in event['text'] for word in case.words)
        for event in events), most_s if case.words else LEAST_S, began_s)
    time.sleep(max(began_s + LEAST_S - time.monotonic(), 0.0))


def _fault_began(events: list[Event]) -> float | None:
    return next((event['t'] for event in events if event['event'] == 'fault'), None)
