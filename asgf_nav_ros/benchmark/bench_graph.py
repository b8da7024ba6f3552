# SPDX-License-Identifier: Apache-2.0
"""How fast the deployed graph decides and commands, and what it takes of the processor."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import importlib
import itertools
import json
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

from asgf_nav_ros.benchmark.graph_timing import command_jitter_ms
from asgf_nav_ros.benchmark.graph_timing import decision_times_ms
from asgf_nav_ros.benchmark.graph_timing import percentiles
from asgf_nav_ros.contract import Action
from asgf_nav_ros.faults.cases import NODES
from asgf_nav_ros.faults.cases import PLAIN
from asgf_nav_ros.faults.trial_graph import RECORDER
from asgf_nav_ros.faults.trial_graph import TrialGraph
from asgf_nav_ros.ros_processes.process_group import terminated_as_interrupted
from asgf_nav_ros.ros_processes.process_usage import cpu_s
from asgf_nav_ros.share import share_directory

DEFAULT_MODEL = 'asgf_nav.onnx'
TOPICS, ACTION = 'audio,action,cmd_vel', 'action'
FIRST_EPISODE, WHOLE_EPISODE = 'until it is recorded', 'recorded from its beginning'
LATENCY_WANTED_MS, JITTER_WANTED_MS, CORES_WANTED, REPLAY_WANTED = 25.0, 5.0, 0.6, 20.0
SOUND_LEVEL = 0.01  # some rooms away; where the trial robot's own is, a policy says STOP
WARM_UP = 3  # decisions
RECORDED = 30  # decisions in the recording that is replayed
STARTING_S, SILENCE_S, WITHOUT_ACTION_S = 90.0, 60.0, 6.0
LAST_WORDS_S = 0.5
POLL_S = 0.05


def measure(model: Path | None = None, *, decisions: int, seed: int) -> dict[str, Any]:
    """Let the trial robot drive by the clock of the machine and time what the nodes publish.

    Args:
        model: exported policy, None for the shipped one.
        decisions: how many are timed.
        seed: of the robot's noise.

    Raises:
        ModuleNotFoundError: a package for recordings is missing.
        RuntimeError: the graph decides nothing, or the recording cannot be replayed.
        ValueError: decisions is not positive.
    """
    if decisions < 1:
        raise ValueError(f'decisions must be positive, got {decisions}')
    importlib.import_module('rosbags')  # missed now rather than after the timed run
    model = (model or share_directory('models') / DEFAULT_MODEL).resolve()
    with terminated_as_interrupted(), tempfile.TemporaryDirectory() as folder:
        times = _timed_run(model, Path(folder) / 'timed', decisions=decisions, seed=seed)
        bag = _recorded_run(model, Path(folder) / 'recorded', min(decisions, RECORDED), seed=seed)
        return {**times, 'replay': _replay(bag, model)}


def table(figures: dict[str, Any]) -> str:
    """Return lines for people."""
    cores, replay = figures['cpu_cores'], figures['replay']
    nodes = ', '.join(f'{name} {share:.2f}' for name, share in cores['nodes'].items())
    rows = [f'{"decisions timed":<32} {figures["decisions"]:6} ({figures["moves"]} of them moves)']
    rows += [_percentile_row(name, figures[key]) for name, key in (
        ('last audio block to action', 'audio_to_action_ms'),
        ('last sample to action', 'sample_to_action_ms'),
        ('jitter of the 50 Hz commands', 'command_jitter_ms'),
        ('the same while it decides', 'command_jitter_at_decisions_ms'))]
    return '\n'.join([
        *rows,
        f'{"processor of the graph":<32} {cores["sum"]:6.2f} cores ({nodes}), wanted under '
        f'{cores["wanted"]:g}',
        f'{"replay of a recording":<32} {replay["speed_vs_realtime"]:6.0f}x real time '
        f'({replay["agree"]} of {replay["decisions"]} decisions as recorded), wanted '
        f'{replay["wanted"]:g}x'])


def _percentile_row(name: str, values: dict[str, Any]) -> str:
    wanted = f', wanted under {values["p99_wanted"]:g} ms' if 'p99_wanted' in values else ''
    return (f'{name:<32} {values["p99"]:6.1f} ms p99, {values["p50"]:.1f} ms p50 of '
            f'{values["count"]}{wanted}')


def _timed_run(model: Path, folder: Path, *, decisions: int, seed: int) -> dict[str, Any]:
    with TrialGraph(PLAIN, model=model, folder=folder, seed=seed, witnessed=TOPICS,
                    sound_level=SOUND_LEVEL) as graph:
        graph.start()
        _drive(graph, WARM_UP, _decided_actions)
        graph.forget()
        cpu_before_s, began_s, began_at_s = _cpu_s(graph), time.monotonic(), time.time()
        _drive(graph, decisions, _decided_actions)
        cpu_after_s, wall_s = _cpu_s(graph), time.monotonic() - began_s
        time.sleep(LAST_WORDS_S)  # what the witness has not told yet
        seen = [event for event in graph.witnessed() if event['event'] != 'ready'
                and event['published_s'] >= began_at_s]
    streams = {topic: [event for event in seen if event['event'] == topic]
               for topic in TOPICS.split(',')}
    return {'decisions': len(streams[ACTION]), 'moves': _moves(streams[ACTION]),
            'wall_s': wall_s, **_times(streams),
            'cpu_cores': _cores(cpu_before_s, cpu_after_s, wall_s)}


def _moves(actions: Sequence[dict[str, Any]]) -> int:
    return sum(action['name'] != Action.STOP.name for action in actions)


def _times(streams: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    audio, samples = decision_times_ms(streams['audio'], streams[ACTION])
    all_jitter, at_decisions = command_jitter_ms(streams['cmd_vel'], streams[ACTION])
    return {'audio_to_action_ms': percentiles(audio, wanted=LATENCY_WANTED_MS),
            'sample_to_action_ms': percentiles(samples, wanted=LATENCY_WANTED_MS),
            'command_jitter_ms': percentiles(all_jitter, wanted=JITTER_WANTED_MS),
            'command_jitter_at_decisions_ms': percentiles(at_decisions, wanted=JITTER_WANTED_MS)}


def _cpu_s(graph: TrialGraph) -> dict[str, float]:
    return {name: cpu_s(graph.processes[name].pid) for name in NODES}


def _cores(before_s: dict[str, float], after_s: dict[str, float],
           wall_s: float) -> dict[str, Any]:
    nodes = {name: (after_s[name] - before_s[name]) / wall_s for name in NODES}
    return {'nodes': nodes, 'sum': sum(nodes.values()), 'wanted': CORES_WANTED}


def _recorded_run(model: Path, folder: Path, decisions: int, *, seed: int) -> Path:
    """Record so many decisions, from the beginning of an episode on, and return the bag."""
    with TrialGraph(PLAIN, model=model, folder=folder, seed=seed, recorded=True,
                    sound_level=SOUND_LEVEL) as graph:
        graph.start()
        _drive(graph, 1, _recorded_actions)
        for episode in (FIRST_EPISODE, WHOLE_EPISODE):  # of the second it hears all
            graph.order(episode=episode)
            _wait_for_record(graph, episode)
        _drive(graph, decisions, lambda graph: _recorded_actions(graph, since=WHOLE_EPISODE))
        time.sleep(LAST_WORDS_S)  # an action comes before what else is told of its decision
        graph.processes[RECORDER].end()
    [bag] = folder.glob('bag_*')
    return bag


def _wait_for_record(graph: TrialGraph, episode: str) -> None:
    if not graph.wait(lambda _: any(event.get('name') == episode for event in graph.recorded()),
                      STARTING_S):
        raise RuntimeError(f'the recorder heard of no episode for {STARTING_S:.0f} s')


def _recorded_actions(graph: TrialGraph, since: str = '') -> int:
    """How many actions are in the bag, those after the beginning of the episode ``since``."""
    events = graph.recorded()
    if since:
        events = itertools.dropwhile(lambda event: event.get('name') != since, events)
    return sum(event['event'] == ACTION for event in events)


def _replay(bag: Path, model: Path) -> dict[str, Any]:
    document = bag.parent / 'replay.json'
    done = subprocess.run(
        [sys.executable, '-m', 'asgf_nav_ros.cli', 'replay', str(bag), '--model', str(model),
         '--json', str(document)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False)
    if done.returncode != 0:
        raise RuntimeError(f'the recording cannot be replayed: {done.stderr.strip()}')
    replay = json.loads(document.read_text('utf-8'))
    return {**{name: replay[name] for name in (
        'speed_vs_realtime', 'recorded_s', 'decisions', 'agree')}, 'wanted': REPLAY_WANTED}


def _decided_actions(graph: TrialGraph) -> int:
    return len(_actions(graph, 0.0))


def _drive(graph: TrialGraph, decisions: int,
           count: Callable[[TrialGraph], int]) -> None:
    """Until ``count`` has grown by so many; STOP, or silence, is followed by a new episode.

    Raises:
        RuntimeError: no decisions come.
    """
    began_s, episodes, wanted = time.monotonic(), itertools.count(), count(graph) + decisions
    heard_s = begun_s = began_s
    while count(graph) < wanted:
        time.sleep(POLL_S)
        actions, now_s = _actions(graph, began_s), time.monotonic()
        heard_s = actions[-1]['t'] if actions else heard_s
        patience_s = SILENCE_S if actions else STARTING_S
        if now_s - heard_s > patience_s:
            raise RuntimeError(f'no decision for {patience_s:.0f} s; dead: {graph.dead(but="")}')
        stopped = bool(actions) and actions[-1]['name'] == Action.STOP.name
        over = stopped and heard_s > begun_s
        if over or now_s - max(heard_s, begun_s) > WITHOUT_ACTION_S:
            begun_s = now_s
            with contextlib.suppress(BrokenPipeError):
                graph.order(episode=f'bench {began_s:.0f} {next(episodes)}')


def _actions(graph: TrialGraph, since_s: float) -> Sequence[dict[str, Any]]:
    return [event for event in graph.events(since_s) if event['event'] == ACTION]
