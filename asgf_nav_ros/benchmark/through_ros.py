# SPDX-License-Identifier: Apache-2.0
"""Episodes through the whole ROS graph: a continuous world, arbitrary poses, drifting odometry.

Several graphs run side by side, each in a ROS domain of its own and for a few episodes at a time.
Results are kept in a file as they come, so that what was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import itertools
import json
from pathlib import Path
import tempfile
import threading
from typing import Any

from tqdm import tqdm

from asgf_nav_ros.benchmark.houses_v1 import DrawnEpisode
from asgf_nav_ros.benchmark.metrics import EpisodeOutcome
from asgf_nav_ros.benchmark.runner import MAX_ACTIONS
from asgf_nav_ros.benchmark.runner import Run
from asgf_nav_ros.benchmark.ways import Ways
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.ros_processes.node_command import node_arguments
from asgf_nav_ros.ros_processes.node_command import NODES
from asgf_nav_ros.ros_processes.process_group import ChildFailed
from asgf_nav_ros.ros_processes.process_group import ProcessGroup
from asgf_nav_ros.ros_processes.process_group import terminated_as_interrupted
from asgf_nav_ros.ros_processes.process_group import TooSlow
from asgf_nav_ros.ros_processes.ros_domain import free_domain
from asgf_nav_ros.ros_processes.ros_domain import graph_environment
from sim_bridge.arbitrary_pose import at_arbitrary_pose
from sim_bridge.bake import BakeSettings
from sim_bridge.bake import lay_lattice
from sim_bridge.episodes import Episode
from sim_bridge.episodes import episodes_sha256
from sim_bridge.episodes import episodes_to_json
from sim_bridge.episodes import load_house

EPISODES_PER_START = 10  # starting a graph costs some seconds, and a crash the running episode
STARTS_IN_VAIN = 3  # in a row, before the error is given up to
SILENCE_S = 600.0  # an episode of 500 actions on a busy machine
FACTS = ('end', 'collisions', 'slips', 'sim_time_s', 'realtime_factor')


@dataclasses.dataclass(frozen=True, kw_only=True)
class GraphPlan:
    """What all graphs of an evaluation have in common.

    odometry_noise : fields of ``sim_bridge.diff_drive.OdometryNoise``.
    """

    model: Path
    temperature: float
    odometry_noise: Mapping[str, float]
    sound_folder: Path | None = None
    max_actions: int = MAX_ACTIONS

    def parameters(self, node: str, episodes_file: Path, count: int) -> dict[str, Any]:
        """Return the parameters of a node, for the ``count`` episodes of a file."""
        own: dict[str, Any] = {}
        if node == 'policy':
            own = {'temperature': float(self.temperature)}
        if node == 'simulator':
            own = {'episodes_file': str(episodes_file), 'episodes': count, 'own_lattices': True,
                   'max_actions': self.max_actions, 'tell_results': True,
                   'sound_folder': str(self.sound_folder or ''),
                   **{f'odometry_noise_{name}': float(value)
                      for name, value in self.odometry_noise.items()}}
        return {'model_path': str(self.model.resolve()), **own}

    def fingerprint(self, episodes: Sequence[Episode]) -> str:
        """Tell runs apart whose results must not be mixed."""
        facts = [hashlib.sha256(self.model.read_bytes()).hexdigest(), self.temperature,
                 dict(self.odometry_noise), str(self.sound_folder), self.max_actions,
                 episodes_sha256(episodes)]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def at_arbitrary_poses(drawn: Sequence[DrawnEpisode], contract: PolicyContract,
                       settings: BakeSettings) -> list[DrawnEpisode]:
    """Move episodes, each to a lattice of its own, to the nearest start and goal there."""
    moved = []
    for name, group in itertools.groupby(drawn, lambda each: each.episode.house):
        house = load_house(name)
        graph, _ = lay_lattice(house, contract, settings)
        for each in group:
            episode, own = at_arbitrary_pose(each.episode, house, graph)
            ways = Ways.of(house, own, [episode.goal_node])
            moved.append(DrawnEpisode(episode, ways.difficulty(episode)))
    return moved


def evaluate_episodes(episodes: Sequence[Episode], plan: GraphPlan, *, workers: int,
                      results: Path | None = None) -> tuple[list[Run], float]:
    """Run every episode through a graph; return the runs in order.

    Args:
        episodes: at arbitrary poses.
        plan: of the graphs.
        workers: graphs side by side.
        results: file that the evaluation is going to write; beside it, in ``*.partial``, stand
            the results so far until all are there.

    Returns:
        The runs, and the steps that one graph makes in a second of the wall clock.

    Raises:
        ChildFailed, TooSlow: a graph ended or stood still, again and again.
    """
    if workers < 1:
        raise ValueError(f'workers must be positive, got {workers}')
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='asgf_nav_ros_')))
        partial = (results.with_suffix('.partial') if results else folder / 'results.partial')
        store = ResultStore(partial, plan.fingerprint(episodes))
        stack.enter_context(terminated_as_interrupted())
        _Fleet(episodes, plan, store, folder).run(workers)
        rows = store.rows
        partial.unlink()
    runs = [_run(episode, rows[episode.episode_id]) for episode in episodes]
    return runs, (sum(run.outcome.actions for run in runs)
                  / sum(row['wall_time_s'] for row in rows.values()))


class ResultStore:
    """Results by episode, appended to a file as they come; a file of the same plan goes on."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open ``path``; results of another fingerprint are dropped."""
        self._path, self._lock = path, threading.Lock()
        self.rows: dict[str, dict[str, Any]] = {}
        lines = path.read_text(encoding='utf-8').splitlines() if path.exists() else []
        if lines[:1] == [fingerprint]:
            self.rows = {row['episode']: row for row in map(_parsed, lines[1:]) if row}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('\n'.join([fingerprint, *map(json.dumps, self.rows.values())]) + '\n',
                        encoding='utf-8')

    def add(self, row: dict[str, Any]) -> None:
        """Keep a result."""
        with self._lock, self._path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(row) + '\n')
            self.rows[row['episode']] = row


def _parsed(line: str) -> dict[str, Any] | None:
    """The row of a line, None where a crash cut it short."""
    try:
        return json.loads(line)
    except ValueError:
        return None


class _Fleet:
    """Graphs in threads of this process, which only watch them."""

    def __init__(self, episodes: Sequence[Episode], plan: GraphPlan, store: ResultStore,
                 folder: Path) -> None:
        self._plan, self._store, self._folder = plan, store, folder
        self._total = len(episodes)
        self._waiting = [each for each in episodes if each.episode_id not in store.rows]
        self._lock = threading.Lock()
        self._graphs: dict[int, ProcessGroup] = {}  # by domain
        self._ended = False
        self._starts = self._in_vain = 0

    def run(self, workers: int) -> None:
        """Return when every episode has a result."""
        per_worker = -(-len(self._waiting) // workers)
        self._share = max(1, min(EPISODES_PER_START, per_worker))
        with (tqdm(total=self._total, initial=len(self._store.rows), desc='episodes') as bar,
              concurrent.futures.ThreadPoolExecutor(workers) as pool):
            futures = [pool.submit(self._work, bar) for _ in range(workers)]
            try:
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            finally:
                self._end()

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            graphs = list(self._graphs.values())
        for graph in graphs:
            graph.stop()

    def _work(self, bar: tqdm) -> None:
        while share := self._take():
            done = set()
            try:
                for row in self._drive(share):
                    self._store.add(row)
                    done.add(row['episode'])
                    bar.update()
            except (ChildFailed, TooSlow) as error:
                if self._ended:
                    return
                self._failed(error, progress=bool(done))
            finally:
                self._give_back([each for each in share if each.episode_id not in done])

    def _take(self) -> list[Episode]:
        with self._lock:
            share, self._waiting = self._waiting[:self._share], self._waiting[self._share:]
            return [] if self._ended else share

    def _give_back(self, left: Sequence[Episode]) -> None:
        with self._lock:
            self._waiting = [*left, *self._waiting]

    def _failed(self, error: Exception, *, progress: bool) -> None:
        with self._lock:
            self._in_vain = 0 if progress else self._in_vain + 1
            if self._in_vain >= STARTS_IN_VAIN:
                raise error
        tqdm.write(f'a graph ended early and is started again: {error}')

    def _drive(self, episodes: Sequence[Episode]) -> Iterator[dict[str, Any]]:
        """Start a graph for some episodes and yield their results."""
        with self._graph() as (processes, folder):
            file = folder / 'episodes.json'
            file.write_text(episodes_to_json(episodes), encoding='utf-8')
            for node in NODES:
                parameters = self._plan.parameters(node, file, len(episodes))
                processes.start(node, node_arguments(node, parameters),
                                listened=node == 'simulator')
            for line in processes.lines(silence_s=SILENCE_S):
                yield json.loads(line)

    @contextlib.contextmanager
    def _graph(self) -> Iterator[tuple[ProcessGroup, Path]]:
        with self._lock:
            if self._ended:
                raise ChildFailed('the evaluation ends')
            self._starts += 1
            folder = self._folder / str(self._starts)
            domain = free_domain(self._graphs)
            processes = ProcessGroup(folder, environment=graph_environment(domain))
            self._graphs[domain] = processes
        try:
            with processes:
                yield processes, folder
        finally:
            with self._lock:
                del self._graphs[domain]


def _run(episode: Episode, result: Mapping[str, Any]) -> Run:
    return Run(episode, EpisodeOutcome.of_result(result),
               poses=tuple(map(tuple, result['poses'])),
               source_xy=tuple(round(value, 3) for value in result['source_xyz'][:2]),
               facts={name: result[name] for name in FACTS})
