# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from sim_bridge.grid_world import Placement
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.episode_files import read_episodes
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene import place_episode
from sim_bridge.soundspaces.scene import Scene
from sim_bridge.soundspaces.world import Hearing
from sim_bridge.soundspaces.world import SoundSpacesWorld


@pytest.fixture(scope='module')
def scene(written, scene_name, tiny_contract, tiny_bake):
    return Scene(written, scene_name, tiny_contract, tiny_bake.source_nodes)


def test_the_graph_is_the_lattice(scene, tiny_bake):
    np.testing.assert_array_equal(scene.neighbors, tiny_bake.neighbors)
    np.testing.assert_array_equal(scene.distances_m, tiny_bake.distances_m)
    np.testing.assert_array_equal(scene.optimal, tiny_bake.optimal)
    for index, source in enumerate(tiny_bake.source_nodes):
        np.testing.assert_array_equal(scene.graph.actions_to(source), tiny_bake.actions_to[index])


def test_every_view_and_response_is_the_baked_one(scene, tiny_bake):
    for node in range(len(tiny_bake.nodes)):
        for heading in range(4):
            for read, baked in zip(scene.view(node, heading), tiny_bake.view(node, heading)):
                np.testing.assert_array_equal(read, baked)
            for source in range(len(tiny_bake.source_nodes)):
                np.testing.assert_array_equal(scene.response(source, node, heading),
                                              tiny_bake.response(source, node, heading))


def test_every_observation_is_that_of_the_grid_world(scene, tiny_bake, tiny_contract, clips):
    """Two worlds, the same walk, sounds of one second and of two."""
    worlds = [SoundSpacesWorld([house], tiny_contract, count=2) for house in (scene, tiny_bake)]
    rng = np.random.default_rng(0)
    start = rng.integers(len(tiny_bake.nodes), size=2)
    for world in worlds:
        for slot, name in enumerate(('hiss', 'long')):
            world.begin(slot, Placement(
                house=0, source=slot, node=start[slot], heading=slot, dry=clips[name],
                rng=np.random.default_rng(0)), Hearing(clips[name]))
    for _ in range(60):
        read, baked = (world.observe() for world in worlds)
        assert (read.rgb == baked.rgb).all() and (read.depth == baked.depth).all()
        np.testing.assert_allclose(read.spectrogram, baked.spectrogram, atol=1e-6)
        np.testing.assert_array_equal(worlds[0].geodesic_m(), worlds[1].geodesic_m())
        actions = rng.choice([Action.MOVE_FORWARD, Action.TURN_LEFT, Action.TURN_RIGHT], size=2,
                             p=[0.6, 0.2, 0.2])
        for world in worlds:
            world.act(actions)
        np.testing.assert_array_equal(worlds[0].moved, worlds[1].moved)


def test_episodes_come_back(written, scene_name, drawn):
    graph = open_graph(written, scene_name)
    read = [place_episode(stored, graph, seed=0, folder=written.root)
            for stored in read_episodes(written, 'test_multiple_unheard', scene_name)]
    assert len(read) == len(drawn)
    for back, episode in zip(read, drawn):
        for field in ('start_node', 'start_heading', 'goal_node', 'oracle_actions'):
            assert getattr(back, field) == getattr(episode, field)
        assert back.geodesic_m == pytest.approx(episode.geodesic_m)
    assert {back.sound for back in read} == {'1s_all/hiss.wav', '1s_all/rain_soft.wav'}


def test_the_other_dataset_has_another_height_and_the_same_floor(tiny_bake, tmp_path):
    from sim_bridge.soundspaces.layout import read_points
    for name in ('replica', 'mp3d'):
        layout = Layout(tmp_path, name)
        writer._write_points(tiny_bake, layout, 'house')
        points = read_points(layout.points('house'), layout.facts)
        np.testing.assert_array_equal(points[:, 1], 0)


@pytest.mark.parametrize('change, message', [
    ({'forward_step_m': 0.25}, 'steps of 0.5 m'), ({'turn_rad': 0.2}, 'turns by pi/2'),
    ({'image_width': 32}, 'square images')])
def test_a_contract_that_soundspaces_has_not_is_refused(tiny_contract, tmp_path, change, message):
    with pytest.raises(DatasetError, match=message):
        writer.check_contract(dataclasses.replace(tiny_contract, **change),
                              Layout(tmp_path, 'replica'))
