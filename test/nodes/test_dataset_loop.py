# SPDX-License-Identifier: Apache-2.0
"""The whole graph, with the shipped policy, on a dataset in the files of SoundSpaces."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.nodes.simulator import SimulatorNode
from asgf_nav_ros.nodes.simulator_parameters import SimulatorParameters
from asgf_nav_ros.ros_processes.node_command import node_arguments
from asgf_nav_ros.ros_processes.node_command import NODES
from asgf_nav_ros.ros_processes.process_group import ProcessGroup
from asgf_nav_ros.ros_processes.ros_domain import free_domain
from asgf_nav_ros.ros_processes.ros_domain import graph_environment
from sim_bridge.bake import BakeSettings
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.layout import Layout

MODEL = Path(__file__).parents[2] / 'models' / 'asgf_nav.onnx'
SPLIT = 'test_telephone'
EPISODES, MAX_ACTIONS = 2, 60
SILENCE_S = 900.0


@pytest.fixture(scope='module')
def layout(tiny_bake, tmp_path_factory):
    """One scene, and episodes with the telephone."""
    from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
    layout = Layout(tmp_path_factory.mktemp('data'), 'replica')
    telephone = load_catalogue().heard
    drawn = draw_episodes([tiny_bake.name], [telephone], read_contract_of_file(MODEL),
                          settings=BakeSettings(sources=2), count=EPISODES, seed=3)
    writer.write_scene(tiny_bake, layout, sample_rate_hz=16000)
    writer.write_sound(layout, telephone.name, load_sound(telephone, 16000), sample_rate_hz=16000)
    writer.write_episodes(layout, SPLIT, [each.episode for each in drawn],
                          {tiny_bake.name: tiny_bake})
    return layout


@pytest.fixture(scope='module')
def results(layout, tmp_path_factory):
    """What the simulator tells of each episode of a graph of processes in lockstep."""
    simulator = {'dataset_root': str(layout.root), 'dataset_split': SPLIT, 'episodes': EPISODES,
                 'max_actions': MAX_ACTIONS, 'tell_results': True, 'startup_timeout_s': SILENCE_S,
                 'handshake_timeout_s': 600.0}
    with ProcessGroup(tmp_path_factory.mktemp('graph'),
                      environment=graph_environment(free_domain())) as processes:
        for node in NODES:
            own = simulator if node == 'simulator' else {}
            processes.start(node, node_arguments(node, {'model_path': str(MODEL), **own}),
                            listened=node == 'simulator')
        return [json.loads(line) for line in processes.lines(silence_s=SILENCE_S)]


def test_the_robot_finds_the_sound(results):
    assert len(results) == EPISODES
    for result in results:
        assert (result['end'], result['success']) == ('stop', True)
        assert result['house'] == 'small_train_11' and result['slips'] == 0
        assert result['distance_to_goal_m'] < 1.0


def test_it_drives_from_node_to_node(results, tiny_bake, layout):
    from sim_bridge.soundspaces.scene import open_graph
    nodes = open_graph(layout, 'small_train_11').nodes
    for result in results:
        xy = np.array(result['poses'])[:, :2]
        off_m = np.hypot(*(xy[:, None] - nodes[None]).transpose(2, 0, 1)).min(axis=1)
        assert off_m.max() < 0.03
        steps = result['action_names'].count('MOVE_FORWARD')
        assert result['path_length_m'] == pytest.approx(
            0.5 * (steps - result['collisions']), abs=0.1 * (1 + steps))
        assert result['path_length_m'] >= result['geodesic_m'] - 1.1


@pytest.mark.parametrize('change, text', [
    ({'dataset_root': '/nowhere'}, 'holds no episodes'),
    ({'dataset_split': '../x'}, 'a name must be'),
    ({'dataset_name': 'mp3d'}, 'holds no episodes')])
def test_a_dataset_that_cannot_be_is_refused_in_configure(ros, layout, change, text):
    node = ros.start(SimulatorNode, autostart=False, **{
        'model_path': str(MODEL), 'dataset_root': str(layout.root), 'dataset_split': SPLIT,
        **change})
    assert not node.autostart()
    ros.until(lambda: ros.complained(text))


def test_a_policy_of_another_step_cannot_begin(ros, layout, write_policy, contract, tmp_path):
    model = write_policy(tmp_path / 'far.onnx',
                         contract=dataclasses.replace(contract, forward_step_m=1.0))
    node = ros.start(SimulatorNode, model_path=str(model), dataset_root=str(layout.root),
                     dataset_split=SPLIT, lockstep=False, wait_for_graph=False,
                     startup_settle_s=0.0)
    ros.until(lambda: node.finished)
    assert node.exit_code == 1
    ros.until(lambda: ros.complained('the policy steps 1.0 m'))


@pytest.mark.parametrize('name', ['house', 'sound_folder', 'episodes_file'])
def test_a_dataset_brings_houses_and_sounds_of_its_own(name):
    with pytest.raises(ValueError, match=f'{name} is not for a dataset_root'):
        SimulatorParameters(dataset_root='/data', **{name: 'mine'})
