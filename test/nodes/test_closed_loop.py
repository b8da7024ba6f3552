# SPDX-License-Identifier: Apache-2.0
"""All four nodes as processes, around the embedded world, in lockstep."""

import json
from pathlib import Path
import signal
import subprocess
import sys

import pytest
from std_msgs.msg import Header
from std_msgs.msg import String
import yaml

from asgf_nav_ros.nodes import graph
from sim_bridge.episode_series import draw_episode
from sim_bridge.episodes import episodes_to_json
from sim_bridge.sounds import load_catalogue

CONFIG = Path(__file__).resolve().parents[2] / 'config'
NODES = ('spectrogram', 'policy', 'motion', 'simulator')
PATIENCE_S = 120
ACTIONS = 4


@pytest.fixture(scope='module')
def episode(contract):
    return draw_episode(0, seed=4, house='small/test/3', split='test', size='small',
                        sounds=load_catalogue().split('test'), step_m=contract.forward_step_m)


def run_graph(ros, folder, model_path, episodes):
    """Run the episodes; what was heard, exit codes and libraries of each process."""
    folder.mkdir()
    (folder / 'episodes.json').write_text(episodes_to_json(episodes))
    own = {'/**': {'ros__parameters': {'model_path': model_path}},
           '/**/simulator': {'ros__parameters': {
               'episodes_file': str(folder / 'episodes.json'), 'episodes': len(episodes),
               'startup_timeout_s': float(PATIENCE_S)}}}
    (folder / 'own.yaml').write_text(yaml.safe_dump(own))
    files = [argument for path in (CONFIG / 'sim.yaml', folder / 'own.yaml')
             for argument in ('--params-file', str(path))]
    processes = {}
    try:
        for name in NODES:
            with (folder / f'{name}.log').open('w') as log:
                processes[name] = subprocess.Popen(
                    [sys.executable, '-m', f'asgf_nav_ros.nodes.{name}', '--ros-args', *files],
                    stderr=log)
        ros.until(lambda: processes['simulator'].poll() is not None
                  or ros.heard[graph.ACTION], timeout_s=PATIENCE_S)
        libraries = {name: Path(f'/proc/{process.pid}/maps').read_text()
                     for name, process in processes.items()}
        ros.until(lambda: processes['simulator'].poll() is not None, timeout_s=PATIENCE_S)
        ros.settle(0.5)
    finally:
        codes = {name: ended(process) for name, process in processes.items()}
    logs = {name: (folder / f'{name}.log').read_text() for name in NODES}
    return codes, libraries, logs


def ended(process):
    """Exit code; one after the other, see nodes/ending.py."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    return process.wait(30)


@pytest.fixture(scope='module')
def runs(tmp_path_factory, open_graph, write_policy, episode):
    """The same episode twice in one graph, and once in another one."""
    folder = tmp_path_factory.mktemp('closed_loop')
    model_path = str(write_policy(folder / 'tiny.onnx', stop_after=ACTIONS))
    found = []
    for number, episodes in enumerate(([episode, episode], [episode])):
        with open_graph() as ros:
            for kind, topic in ((Header, graph.ACTION), (String, graph.DECISION),
                                (String, graph.EPISODE_RESULT)):
                ros.listen(kind, topic)
            found.append((ros.heard, *run_graph(
                ros, folder / str(number), model_path, episodes)))
    return found


def decisions(heard):
    """What each decision rested on, without stamps and durations."""
    told = [json.loads(message.data) for message in heard[graph.DECISION]]
    return [(each['action'], each['probabilities'], each['value']) for each in told]


def test_every_process_ends_with_code_0(runs):
    for _, codes, _, logs in runs:
        assert set(codes.values()) == {0}, logs


def test_the_same_episode_leads_to_the_same_decisions_bit_for_bit(runs):
    twice, once = decisions(runs[0][0]), decisions(runs[1][0])
    assert len(once) == ACTIONS
    assert twice[:ACTIONS] == once
    assert twice[ACTIONS:] == once


def test_actions_carry_the_same_stamps_in_both_graphs(runs):
    actions = [[(action.frame_id, action.stamp) for action in heard[graph.ACTION]][:ACTIONS]
               for heard, *_ in runs]
    assert actions[0] == actions[1]
    assert actions[0][-1][0] == 'STOP'


def test_the_result_tells_the_episode_in_raw_numbers(runs, episode):
    results = [json.loads(message.data) for message in runs[0][0][graph.EPISODE_RESULT]]
    assert [result['last'] for result in results] == [False, True]
    for result in results:
        assert result['actions'] == ACTIONS and result['end'] == 'stop'
        assert result['geodesic_m'] == episode.geodesic_m
        assert result['slips'] == 0 and result['collisions'] == 0
        assert result['realtime_factor'] > 0 and result['sim_time_s'] > ACTIONS


def test_a_step_is_exact(runs, contract):
    result = json.loads(runs[1][0][graph.EPISODE_RESULT][0].data)
    steps = result['action_names'].count('MOVE_FORWARD')
    assert result['path_length_m'] == pytest.approx(steps * contract.forward_step_m, abs=0.02)


def test_no_node_loads_torch(runs):
    for _, _, libraries, _ in runs:
        assert [name for name, maps in libraries.items() if 'libtorch' in maps] == []
