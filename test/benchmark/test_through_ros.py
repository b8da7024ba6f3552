# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import os
from pathlib import Path
import signal

import numpy as np
import pytest

from asgf_nav_ros.benchmark import through_ros
from asgf_nav_ros.benchmark.houses_v1 import Benchmark
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.parallel import System
from asgf_nav_ros.benchmark.result_document import result_document
from asgf_nav_ros.benchmark.through_ros import GraphPlan
from asgf_nav_ros.benchmark.through_ros import ResultStore
from asgf_nav_ros.nodes.simulator_parameters import SimulatorParameters
from asgf_nav_ros.ros_processes.process_group import ChildFailed
from asgf_nav_ros.ros_processes.process_group import ProcessGroup
from sim_bridge.sounds import load_catalogue

MODEL = Path('models/av_nav.onnx').resolve()
MAX_ACTIONS = 3


@pytest.fixture(scope='module')
def plan():
    return GraphPlan(model=MODEL, temperature=0.5, max_actions=MAX_ACTIONS,
                     odometry_noise=Benchmark.read().odometry_noise)


@pytest.fixture(scope='module')
def moved():
    contract = System(name='av_nav', model=MODEL, temperature=0.5).build().contract
    settings = Benchmark.read().bake
    drawn = draw_episodes(['small/val/3'], load_catalogue().split('val'), contract,
                          settings=settings, count=3, seed=1)
    return through_ros.at_arbitrary_poses(drawn, contract, settings)


@pytest.fixture(scope='module')
def episodes(moved):
    return [each.episode for each in moved]


@pytest.fixture(scope='module')
def driven(plan, episodes, tmp_path_factory):
    """Two graphs, and the policy of the first one dies."""
    file = tmp_path_factory.mktemp('ros') / 'r.json'
    start, killed = ProcessGroup.start, []

    def start_and_kill_once(group, name, arguments, **options):
        pid = start(group, name, arguments, **options)
        if name == 'policy' and not killed:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)
        return pid

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProcessGroup, 'start', start_and_kill_once)
        runs, steps_per_second = through_ros.evaluate_episodes(
            episodes, plan, workers=2, results=file)
    assert killed and steps_per_second > 0
    return file, runs


def test_every_episode_ends_although_a_graph_died(driven, episodes):
    file, runs = driven
    assert [run.episode for run in runs] == episodes
    assert all(1 <= run.outcome.actions <= MAX_ACTIONS for run in runs)
    assert not file.with_suffix('.partial').exists()


def test_robots_start_off_the_lattice_where_their_episode_says(driven, episodes):
    _, runs = driven
    for run in runs:
        assert len(run.poses) == run.outcome.actions
        assert run.poses[0][2] % (np.pi / 2) > 1e-3  # turned against the house
        start = np.hypot(*(np.array(run.poses[0][:2]) - run.source_xy))
        assert run.outcome.geodesic_start_m == run.episode.geodesic_m >= start - 0.01
        assert run.facts['slips'] == 0


def test_the_document_is_that_of_the_grid_world(driven, moved):
    _, runs = driven
    document = result_document({}, runs, [each.difficulty for each in moved], seed=1,
                               trajectories=True)
    assert {'metrics', 'strict', 'ci95', 'difficulty', 'runs'} <= set(document)
    assert {'success_rate', 'geodesic_m', 'trajectory', 'collisions'} <= set(document['runs'][0])
    json.dumps(document)


def test_a_graph_that_always_dies_ends_the_evaluation_with_its_name(plan, episodes, tmp_path,
                                                                    monkeypatch):
    monkeypatch.setattr(ProcessGroup, 'start', lambda group, name, arguments, **_: None)

    def lines(group, **_):
        raise ChildFailed('policy ended with code 1: no model')
        yield

    monkeypatch.setattr(ProcessGroup, 'lines', lines)
    with pytest.raises(ChildFailed, match='policy ended with code 1: no model'):
        through_ros.evaluate_episodes(episodes, plan, workers=2, results=tmp_path / 'r.json')


def test_what_was_interrupted_goes_on(tmp_path):
    path = tmp_path / 'r.partial'
    store = ResultStore(path, 'print')
    store.add({'episode': 'a', 'actions': 3})
    with path.open('a') as file:
        file.write('{"episode": "b", "act')  # the power went out
    again = ResultStore(path, 'print')
    assert again.rows == {'a': {'episode': 'a', 'actions': 3}}
    again.add({'episode': 'b', 'actions': 4})
    assert set(ResultStore(path, 'print').rows) == {'a', 'b'}
    assert ResultStore(path, 'of another plan').rows == {}


def test_only_episodes_without_a_result_are_run(plan, episodes, tmp_path, monkeypatch):
    row = {'stopped': True, 'geodesic_m': 4.0, 'distance_to_goal_m': 0.5, 'path_length_m': 5.0,
           'actions': 3, 'oracle_actions': 3, 'poses': [[0, 0, 0]], 'source_xyz': [1, 1, 1],
           'wall_time_s': 1.0, **dict.fromkeys(through_ros.FACTS, 0)}
    store = ResultStore(tmp_path / 'r.partial', plan.fingerprint(episodes))
    for episode in episodes[:2]:
        store.add({'episode': episode.episode_id, **row})
    started = []
    monkeypatch.setattr(ProcessGroup, 'start', lambda *_, **__: started.append(1))
    monkeypatch.setattr(ProcessGroup, 'lines', lambda *_, **__: iter(
        [json.dumps({'episode': episodes[2].episode_id, **row})]))
    runs, _ = through_ros.evaluate_episodes(episodes, plan, workers=1,
                                            results=tmp_path / 'r.json')
    assert len(runs) == 3 and len(started) == 4  # one graph


def test_a_plan_names_parameters_that_the_nodes_have(plan):
    fields = {field.name for field in dataclasses.fields(SimulatorParameters)}
    parameters = plan.parameters('simulator', Path('e.json'), 3)
    assert set(parameters) <= fields
    assert parameters['odometry_noise_linear_m_per_sqrt_m'] > 0
    assert plan.parameters('policy', Path('e.json'), 3)['temperature'] == 0.5


def test_results_of_another_plan_are_told_apart(plan, episodes):
    prints = {each.fingerprint(episodes) for each in (
        plan, dataclasses.replace(plan, temperature=0.0),
        dataclasses.replace(plan, odometry_noise={}))}
    assert len(prints | {plan.fingerprint(episodes[:1])}) == 4
