# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import pickle
import pickletools
import sys
import tracemalloc
import types

import networkx
import numpy as np
import pytest

from sim_bridge.soundspaces.pickled_objects import PickleError
from sim_bridge.soundspaces.pickled_objects import StoredGraph
from sim_bridge.soundspaces.pickles import MOST_INSTRUCTIONS
from sim_bridge.soundspaces.pickles import read_pickle
from sim_bridge.soundspaces.scene_graph import MOST_NODES

POINTS = list(zip(np.array([0.25, 0.75, 0.75]), np.zeros(3), np.array([-1.0, -1.0, -1.5])))


@pytest.fixture
def graph():
    graph = networkx.Graph()
    for node, point in zip((4, 5, 9), POINTS):
        graph.add_node(node, point=point)
    graph.add_edges_from([(4, 5), (5, 9)])
    return graph


@pytest.fixture
def observations_class(monkeypatch):
    """A class that pickle knows by the name it has in habitat."""
    for name in ('habitat', 'habitat.core', 'habitat.core.simulator'):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    found = type('Observations', (dict,), {'__module__': 'habitat.core.simulator'})
    sys.modules['habitat.core.simulator'].Observations = found
    return found


@pytest.mark.parametrize('protocol', [3, 4, 5])
def test_reads_a_graph_as_networkx_pickles_it(graph, protocol):
    read = read_pickle(pickle.dumps(graph, protocol))
    assert {node: read.nodes[node]['point'] for node in read.nodes} == dict(zip((4, 5, 9), POINTS))
    assert {node: list(ends) for node, ends in read.adjacency.items()} == {4: [5], 5: [4, 9],
                                                                          9: [5]}


def test_reads_a_graph_that_has_views_of_itself_in_its_cache(graph):
    assert graph.nodes and graph.edges and graph.adj and graph.degree
    graph.node_dict_factory = dict  # older networkx stores it
    assert len(read_pickle(pickle.dumps(graph, 3)).nodes) == 3


@pytest.mark.parametrize('protocol', [3, 4])
@pytest.mark.parametrize('pixels', [4, 128])
def test_observations_are_left_in_the_file_until_they_are_looked_at(
        observations_class, protocol, pixels):
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (pixels, pixels, 4), dtype=np.uint8)[::-1, :, :3]
    depth = rng.uniform(0, 1, (pixels, pixels, 1)).astype(np.float32)
    observation = observations_class()
    observation.update(rgb=color, depth=depth)
    file = pickle.dumps({(7, 270): observation}, protocol)
    read = read_pickle(file)[7, 270]
    np.testing.assert_array_equal(read['rgb'].view(file), color)
    np.testing.assert_array_equal(read['depth'].view(file), depth)
    assert (read['depth'].span is None) == (pixels == 4)


class Runs:
    def __init__(self, function, *arguments):
        self._made_of = function, arguments

    def __reduce__(self):
        return self._made_of


@pytest.mark.parametrize('function, arguments', [
    (os.system, ('touch {}',)), (eval, ('open("{}", "w")',)), (open, ('{}', 'w'))])
@pytest.mark.parametrize('protocol', [0, 2, 3, 4])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path, function, arguments, protocol):
    mark = tmp_path / 'ran'
    arguments = tuple(each.format(mark) for each in arguments)
    with pytest.raises(PickleError):
        read_pickle(pickle.dumps({(0, 0): Runs(function, *arguments)}, protocol))
    assert not mark.exists()


@pytest.mark.parametrize('hidden', [
    np.array([Runs(os.getcwd)], object), np.zeros(2, [('a', 'i4')]), np.array(['text']),
    np.asfortranarray(np.ones((2, 2))), np.zeros(2, '>f4'), {1, 2}, 10**4000],
    ids=['objects', 'records', 'text', 'fortran', 'big endian', 'set', 'huge number'])
def test_anything_but_plain_arrays_and_numbers_is_refused(hidden):
    with pytest.raises(PickleError):
        read_pickle(pickle.dumps({(0, 0): {'depth': hidden}}, 3))


def test_arrays_that_claim_to_be_larger_than_their_data_are_refused():
    file = pickle.dumps(np.zeros((100, 100), np.float32), 3)
    assert read_pickle(file).shape == (100, 100)
    with pytest.raises(PickleError, match='must hold 2800 bytes'):
        read_pickle(file.replace(b'KdKd', b'KdK\x07'))


def test_damaged_pickles_are_refused(graph):
    file = pickle.dumps(graph, 4)
    for length in range(0, len(file) - 1, 7):
        with pytest.raises(PickleError):
            read_pickle(file[:length])
    rng = np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(file)
        damaged[rng.integers(len(file))] = rng.integers(256)
        with contextlib.suppress(PickleError):
            read_pickle(bytes(damaged))


def test_a_deeply_nested_key_does_not_overflow_the_stack():
    nested = b'\x80\x03})' + b'\x85' * 1_000_000 + b'Ns.'
    with pytest.raises(PickleError, match='keys'):
        read_pickle(nested)


def test_a_program_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr('sim_bridge.soundspaces.pickles.MOST_INSTRUCTIONS', 1000)
    with pytest.raises(PickleError, match='more than 1000 instructions'):
        read_pickle(b'\x80\x03' + b'N' * 2000 + b'.')


@pytest.mark.parametrize('instructions', [b'}', b']', b'(', b'N\x94'],
                         ids=['dictionaries', 'lists', 'marks', 'memo'])
def test_programs_that_only_fill_memory_are_stopped_in_little_of_it(monkeypatch, instructions):
    most = 100_000
    monkeypatch.setattr('sim_bridge.soundspaces.pickles.MOST_INSTRUCTIONS', most)
    file = b'\x80\x04N' + instructions * most
    tracemalloc.start()
    with pytest.raises(PickleError, match='instructions'):
        read_pickle(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / most * MOST_INSTRUCTIONS < 2**29


@pytest.mark.parametrize('code', [b'X', b'B'], ids=['text', 'data'])
def test_more_text_than_any_file_has_is_refused(monkeypatch, code):
    monkeypatch.setattr('sim_bridge.soundspaces.pickles.MOST_KEPT_BYTES', 1000)
    program = code + (200).to_bytes(4, 'little') + b'x' * 200
    assert read_pickle(b'\x80\x03' + program * 5 + b'.')
    with pytest.raises(PickleError, match='more than 1000 bytes of text'):
        read_pickle(b'\x80\x03' + program * 6 + b'.')


@pytest.mark.parametrize('protocol', [3, 4])
def test_the_largest_scene_stays_within_the_bounds(observations_class, protocol):
    views = {}
    for node, rotation in ((node, rotation) for node in range(50) for rotation in range(4)):
        views[node, rotation] = observations_class()
        views[node, rotation].update(rgb=np.zeros((2, 2, 3), np.uint8)[::-1],
                                     depth=np.zeros((2, 2, 1), np.float32),
                                     semantic=np.zeros((2, 2), np.uint8))
    instructions = sum(1 for _ in pickletools.genops(pickle.dumps(views, protocol)))
    assert instructions / 50 * MOST_NODES < MOST_INSTRUCTIONS


def test_a_graph_without_nodes_is_refused():
    with pytest.raises(PickleError, match='nodes and edges'):
        read_pickle(b'\x80\x03cnetworkx.classes.graph\nGraph\n)\x81}b.')
    assert isinstance(read_pickle(pickle.dumps(networkx.Graph(), 3)), StoredGraph)


def test_a_key_without_a_value_is_refused():
    with pytest.raises(PickleError, match='a key without a value'):
        read_pickle(b'\x80\x03}(K\x01u.')


SHARED = b')' + b'q\x00h\x00\x86' * 60  # tuples of the same tuple twice: 2 ** 60 of them in text


@pytest.mark.parametrize('program', [
    b'\x80\x04' + SHARED + b'\x8c\x01a\x93.',
    b'\x80\x04\x8c\x05numpy\x8c\x05dtype\x93' + SHARED + b'\x85R.'], ids=['name', 'type'])
def test_values_that_would_be_endless_as_text_are_not_shown(program):
    with pytest.raises(PickleError, match='no text|plain numbers, got tuple'):
        read_pickle(program)
