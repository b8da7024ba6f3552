# SPDX-License-Identifier: Apache-2.0
"""Files that nobody should be able to do harm with, and files that are merely broken."""

import gzip
import json
import logging
import pickle
import tracemalloc

import networkx
import numpy as np
import pytest
from scipy.io import wavfile

from sim_bridge.soundspaces import json_stream
from sim_bridge.soundspaces.episode_files import draw_episodes
from sim_bridge.soundspaces.episode_files import heading_of
from sim_bridge.soundspaces.episode_files import read_episodes
from sim_bridge.soundspaces.episode_files import stored_episode
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.layout import read_points
from sim_bridge.soundspaces.layout import safe
from sim_bridge.soundspaces.layout import scene_of
from sim_bridge.soundspaces.observations import SceneObservations
from sim_bridge.soundspaces.recordings import read_recording
from sim_bridge.soundspaces.responses import Responses
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene import place_episode
from sim_bridge.soundspaces.scene_graph import UNREACHABLE

RATE_HZ = 16000
EPISODE = {
    'episode_id': 0, 'scene_id': 'room/habitat/mesh_semantic.ply',
    'start_position': [0, 0, 0], 'start_rotation': [0, 0, 0, 1],
    'goals': [{'position': [0.5, 0, 0], 'radius': 1e-05}],
    'info': {'geodesic_distance': 0.5, 'num_action': 3, 'sound': 'telephone'}}


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path, 'replica')


def write_graph(layout, edges, *, points=None, scene='room'):
    graph = networkx.Graph()
    points = points or {node: (node * 0.5, 0.0, 0.0) for edge in edges for node in edge}
    for node, point in points.items():
        graph.add_node(node, point=point)
    graph.add_edges_from(edges)
    layout.graph(scene).parent.mkdir(parents=True, exist_ok=True)
    layout.graph(scene).write_bytes(pickle.dumps(graph, 4))


def write_text(layout, text, *, scene='room', split='test'):
    path = layout.content(split) / f'{scene}.json.gz'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text, 1))
    return path


def write_response(layout, samples, rate_hz=RATE_HZ):
    path = layout.response('room', 0, 1, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate_hz, samples)
    return path


def responses(layout):
    return Responses(layout, 'room', sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize('name', ['..', '.', '', '/etc', 'a/b', 'a\\b', 'a\0', '~', '-x', 'a\n',
                                  None, 3])
def test_names_that_lead_elsewhere_are_refused(layout, name):
    with pytest.raises(DatasetError, match='a name must be'):
        safe(name)
    for path in (layout.graph, layout.observations, layout.responses, layout.content):
        with pytest.raises(DatasetError):
            path(name)


@pytest.mark.parametrize('scene_id', ['../secret/x.ply', '/etc/passwd', 'room/../../x', '', None])
def test_scenes_outside_are_refused(layout, scene_id):
    with pytest.raises(DatasetError):
        scene_of(scene_id)
    write_text(layout, json.dumps({'episodes': [{**EPISODE, 'scene_id': scene_id}]}).encode())
    with pytest.raises(DatasetError, match='episode 0'):
        list(read_episodes(layout, 'test', 'room'))


def test_a_scene_is_the_first_folder_of_its_mesh():
    assert scene_of('room/habitat/mesh_semantic.ply') == 'room'
    assert scene_of('data/scene_dataset/17DRP5sb8fy/17DRP5sb8fy.glb') == '17DRP5sb8fy'


@pytest.mark.parametrize('sound', ['../../etc/passwd', '/etc/passwd', ''])
def test_sounds_outside_are_refused(sound):
    with pytest.raises(DatasetError):
        stored_episode({**EPISODE, 'info': {**EPISODE['info'], 'sound': f'{sound}/x'}})


def test_a_bomb_of_spaces_is_stopped_in_little_memory(layout, monkeypatch):
    monkeypatch.setattr(json_stream, 'LARGEST_BYTES', 64 * 2**20)
    write_text(layout, b'{"episodes": [' + b' ' * (80 * 2**20))
    tracemalloc.start()
    with pytest.raises(DatasetError, match='at most 64 MiB of text'):
        list(read_episodes(layout, 'test', 'room'))
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_an_object_without_end_is_stopped(layout):
    write_text(layout, b'{"episodes": [{"episode_id": "' + b'x' * (3 * 2**20))
    with pytest.raises(DatasetError, match='an object must be at most'):
        list(read_episodes(layout, 'test', 'room'))


def test_a_million_episodes_are_refused_in_little_memory(layout, monkeypatch):
    monkeypatch.setattr('sim_bridge.soundspaces.episode_files.MOST_EPISODES', 20_000)
    thousand = (json.dumps(EPISODE) + ',').encode() * 1000
    path = write_text(layout, b'{"episodes": [')
    path.write_bytes(path.read_bytes() + gzip.compress(thousand) * 1000)
    tracemalloc.start()
    with pytest.raises(DatasetError, match='at most 20000 episodes'):
        draw_episodes(layout, 'test', count=100, rng=np.random.default_rng(0))
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_many_episodes_are_drawn_from_without_being_held(layout):
    text = [json.dumps({**EPISODE, 'episode_id': number}) for number in range(3000)]
    write_text(layout, ('{"content_scenes_path": "x", "episodes": [' + ',\n'.join(text)
                        + ']}').encode())
    drawn = draw_episodes(layout, 'test', count=50, rng=np.random.default_rng(0))
    numbers = [int(each.identifier) for each in drawn]
    assert len(set(numbers)) == 50 and numbers == sorted(numbers) and max(numbers) > 2000
    every = draw_episodes(layout, 'test', count=5000, rng=np.random.default_rng(0))
    assert [int(each.identifier) for each in every] == list(range(3000))


@pytest.mark.parametrize('text', [
    b'', b'[]', b'{"episodes": [', b'{"episodes": [3]}', b'{"other": 1}', b'{"episodes": {}}',
    b'\xff\xfe', b'{"episodes": [' + b'[' * 200_000,
    b'{"episodes": [{"a": ' + b'9' * 5000 + b'}]}'])
def test_damaged_episodes_are_one_clear_error(layout, text):
    path = write_text(layout, text)
    with pytest.raises(DatasetError, match=str(path)):
        list(read_episodes(layout, 'test', 'room'))
    path.write_bytes(gzip.compress(json.dumps({'episodes': [EPISODE]}).encode())[:-9])
    with pytest.raises(DatasetError, match=str(path)):
        list(read_episodes(layout, 'test', 'room'))


@pytest.mark.parametrize('change', [
    {'start_rotation': [0, 0.1, 0, 1]}, {'start_rotation': [0, 0, 1]}, {'goals': []},
    {'goals': [EPISODE['goals'][0]] * 2}, {'start_position': [0, float('nan'), 0]},
    {'info': {'sound': 'telephone', 'num_action': 0}}, {'info': None}, {'start_position': 3}])
def test_an_episode_that_makes_no_sense_is_named(layout, change):
    write_text(layout, json.dumps({'episodes': [{**EPISODE, **change}]}).encode())
    with pytest.raises(DatasetError, match='room.json.gz: episode 0'):
        list(read_episodes(layout, 'test', 'room'))


@pytest.mark.parametrize('quarters', range(4))
def test_rotations_are_quarter_turns(quarters):
    half = quarters * np.pi / 4
    assert heading_of([0, np.sin(half), 0, np.cos(half)]) == quarters


def test_a_cyclic_graph_with_loops_is_a_graph(layout):
    square = {0: (0, 0, 0), 1: (0.5, 0, 0), 2: (0.5, 0, -0.5), 3: (0, 0, -0.5)}
    write_graph(layout, [(0, 1), (1, 2), (2, 3), (3, 0), (0, 0)], points=square)
    graph = open_graph(layout, 'room')
    assert graph.distances_m()[0].tolist() == [0, 0.5, 1.0, 0.5]
    assert graph.neighbors[0].tolist() == [3, -1, -1, 1]  # ahead is -z, then left, back, right


def test_a_way_that_does_not_exist_is_refused(layout):
    write_graph(layout, [(0, 1), (4, 5)])
    graph = open_graph(layout, 'room')
    assert (graph.actions_to(0)[2:] == UNREACHABLE).all()
    assert not graph.optimal_actions(0)[2:].any()
    apart = stored_episode({**EPISODE, 'goals': [{'position': [2.5, 0, 0]}]})
    with pytest.raises(DatasetError, match='no way leads from start to goal'):
        place_episode(apart, graph, seed=0, folder=layout.root)
    nowhere = stored_episode({**EPISODE, 'goals': [{'position': [2.5, 0.3, 0]}]})
    with pytest.raises(DatasetError, match='no node lies at'):
        place_episode(nowhere, graph, seed=0, folder=layout.root)


@pytest.mark.parametrize('points', [
    {0: (0, 0, 0), 1: (float('nan'), 0, 0)}, {0: (0, 0), 1: (1, 0)},
    {'a': (0, 0, 0), 1: (1, 0, 0)}, {0: (0, 0, 0), 1: (0.5, 0, 0.5)}])
def test_a_graph_that_is_not_one_of_points_is_refused(layout, points):
    write_graph(layout, [tuple(points)], points=points)
    with pytest.raises(DatasetError):
        open_graph(layout, 'room')


def test_points_that_stand_for_more_than_the_memory_holds_are_refused(layout):
    deep = ()
    for _ in range(40):
        deep = (deep, deep)
    write_graph(layout, [(0, 1)], points={0: deep, 1: deep})
    with pytest.raises(DatasetError, match='points must be numbers'):
        open_graph(layout, 'room')


def test_edges_that_are_no_dictionary_are_refused(layout, monkeypatch):
    monkeypatch.setattr(networkx.Graph, 'add_edges_from', lambda graph, edges: graph._adj.update(
        {0: (((1,),),), 1: ()}))
    write_graph(layout, [(0, 1)])
    with pytest.raises(DatasetError, match='edges of a node must be a dictionary'):
        open_graph(layout, 'room')


def test_a_graph_of_more_nodes_than_any_scene_has_is_refused(layout, monkeypatch):
    monkeypatch.setattr('sim_bridge.soundspaces.scene_graph.MOST_NODES', 3)
    write_graph(layout, [(0, 1), (1, 2)])
    assert len(open_graph(layout, 'room')) == 3
    write_graph(layout, [(0, 1), (1, 2), (2, 3)])
    with pytest.raises(DatasetError, match='a graph of 2 to 3 nodes'):
        open_graph(layout, 'room')


def test_a_graph_in_a_file_of_many_gigabytes_is_refused_unread(layout):
    write_graph(layout, [(0, 1)])
    with layout.graph('room').open('r+b') as stream:
        stream.truncate(2**36)  # a hole: it takes no room on the disk
    with pytest.raises(DatasetError, match='at most 256 MiB'):
        open_graph(layout, 'room')


@pytest.mark.filterwarnings('ignore:.*input contained no data')
@pytest.mark.parametrize('text', ['', 'a\tb\tc\td\n', '0\t1\t2\n', '0\t1\tnan\t2\n', '0\t1\n'])
def test_points_that_are_not_four_numbers_are_refused(layout, text):
    layout.points('room').parent.mkdir(parents=True)
    layout.points('room').write_text(text)
    with pytest.raises(DatasetError):
        read_points(layout.points('room'), layout.facts)


@pytest.mark.parametrize('content', [b'', b'RIFF', b'RIFFxxxxWAVEdata', b'\0' * 1000])
def test_an_unreadable_response_is_silence(layout, caplog, content):
    path = write_response(layout, np.ones((10, 2), np.float32))
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert not responses(layout).get(0, 1, 2).any()
    assert 'taken for silence' in caplog.text


def test_an_empty_response_is_silence_and_a_cut_one_counts_as_far_as_it_goes(layout):
    write_response(layout, np.ones((0, 2), np.float32))
    assert not responses(layout).get(0, 1, 2).any()
    path = write_response(layout, np.ones((10, 2), np.float32))
    path.write_bytes(path.read_bytes()[:-16])
    assert responses(layout).get(0, 1, 2).shape == (2, 8)
    with pytest.warns(wavfile.WavFileWarning):
        assert len(wavfile.read(path)[1]) == 8


def test_a_response_that_is_not_finite_is_silence(layout, caplog):
    write_response(layout, np.array([[0, 1], [np.nan, 0]], np.float32))
    assert not responses(layout).get(0, 1, 2).any()
    assert 'not finite' in caplog.text


@pytest.mark.parametrize('samples, rate_hz, message', [
    (np.zeros((600 * RATE_HZ, 2), np.float32), RATE_HZ, 'at most 20 s'),
    (np.zeros((10, 2), np.float32), 44100, 'at 44100'),
    (np.zeros((10, 2), np.int16), RATE_HZ, '32-bit floats'),
    (np.zeros(10, np.float32), RATE_HZ, '2 channels')])
def test_a_response_of_another_kind_is_refused(layout, samples, rate_hz, message):
    write_response(layout, samples, rate_hz)
    with pytest.raises(DatasetError, match=message):
        responses(layout).get(0, 1, 2)


def test_kept_responses_are_bounded(layout):
    write_response(layout, np.ones((1000, 2), np.float32))
    folder = layout.response('room', 0, 1, 2).parent
    for receiver in range(3, 20):
        (folder / f'{receiver}_2.wav').hardlink_to(folder / '1_2.wav')
    found = Responses(layout, 'room', sample_rate_hz=RATE_HZ, kept_bytes=20_000)
    for receiver in range(3, 20):
        assert found.get(0, receiver, 2).shape == (2, 1000)
    assert found.bytes <= 20_000
    assert found.get(0, 19, 2) is found.get(0, 19, 2)


@pytest.mark.parametrize('length_s, message', [
    (600, 'at most 300 s'), (0.5, 'at least a second')])
def test_sounds_of_the_wrong_length_are_refused(tmp_path, length_s, message):
    samples = np.resize(np.float32([0.1, -0.1]), int(8000 * length_s))
    wavfile.write(tmp_path / 'a.wav', 8000, samples)
    with pytest.raises(DatasetError, match=message):
        read_recording(tmp_path / 'a.wav', sample_rate_hz=8000)


def test_sounds_that_are_not_finite_are_refused(tmp_path):
    wavfile.write(tmp_path / 'a.wav', 8000, np.full(8000, np.nan, np.float32))
    with pytest.raises(DatasetError, match='finite'):
        read_recording(tmp_path / 'a.wav', sample_rate_hz=8000)


@pytest.mark.parametrize('stored', [
    {}, [], {(0, 0): {'rgb': np.zeros((4, 4, 3), np.uint8)}}, {(0, 0): 3},
    {(0, 0): {'rgb': np.zeros((4, 4, 3), np.uint8), 'depth': np.zeros((5, 4), np.float32)}},
    {(0, 0): {'rgb': np.zeros((4, 4), np.uint8), 'depth': np.zeros((4, 4), np.float32)}}])
def test_observations_of_another_kind_are_refused(layout, stored):
    path = layout.observations('room')
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(stored, 4))
    with pytest.raises(DatasetError, match='room.pkl'):
        SceneObservations(path).view(0, 0)
