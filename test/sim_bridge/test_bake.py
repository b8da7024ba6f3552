# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.bake import bake_house
from sim_bridge.bake import bake_key
from sim_bridge.bake import BakeSettings
from sim_bridge.bake import choose_source_nodes
from sim_bridge.bake import RESPONSE_SCALE
from sim_bridge.episodes import load_house


def test_arrays_agree_in_shape_and_are_mapped_not_loaded(tiny_bake):
    nodes, sources = len(tiny_bake.nodes), len(tiny_bake.source_nodes)
    assert tiny_bake.rgb.shape == (nodes, 4, 64, 64, 3)
    assert tiny_bake.depth_mm.shape == (nodes, 4, 64, 64)
    assert tiny_bake.responses.shape == (sources, nodes, 4, 2, 3200)
    assert tiny_bake.optimal.shape == (sources, nodes, 4, 4)
    assert isinstance(tiny_bake.responses, np.memmap)


def test_a_second_call_opens_the_same_bake(tiny_bake, tiny_contract):
    again = bake_house(load_house('small/train/11'), tiny_contract,
                       directory=tiny_bake.path.parent,
                       settings=BakeSettings(sources=2, rays=1000, response_s=0.2))
    assert again.path == tiny_bake.path
    assert not list(tiny_bake.path.parent.glob('.baking-*'))


def test_key_changes_with_whatever_shapes_the_arrays(tiny_contract):
    house, settings = load_house('small/train/11'), BakeSettings()
    key = bake_key(house, tiny_contract, settings)
    assert key != bake_key(load_house('small/train/12'), tiny_contract, settings)
    assert key != bake_key(house, dataclasses.replace(tiny_contract, hfov_rad=1.0), settings)
    assert key != bake_key(house, tiny_contract, BakeSettings(rays=7))
    assert key == bake_key(house, dataclasses.replace(tiny_contract, system='av_nav'), settings)


def test_responses_are_finite_and_louder_near_the_source(tiny_bake):
    responses = np.asarray(tiny_bake.responses[0, :, 0], np.float32) / RESPONSE_SCALE
    energy = (responses ** 2).sum(axis=(1, 2))
    assert np.isfinite(energy).all()
    distance_m = np.asarray(tiny_bake.path_length_m[0])
    assert energy[distance_m < 1.1].mean() > 1.5 * energy[distance_m > 2.5].mean()


def test_another_seed_draws_other_late_fields_at_the_same_places(tiny_bake, tiny_contract):
    other = bake_house(load_house('small/train/11'), tiny_contract,
                       directory=tiny_bake.path.parent,
                       settings=BakeSettings(sources=2, rays=1000, response_s=0.2, seed=1))
    np.testing.assert_array_equal(other.nodes, tiny_bake.nodes)
    np.testing.assert_array_equal(other.source_nodes, tiny_bake.source_nodes)
    late = [np.asarray(bake.responses[0, :, 0, 0, 1600:], np.float64).ravel()
            for bake in (tiny_bake, other)]
    assert abs(np.corrcoef(*late)[0, 1]) < 0.1
    assert np.std(late[0]) == pytest.approx(np.std(late[1]), rel=0.3)


def test_refuses_turns_that_leave_the_lattice(tmp_path):
    with pytest.raises(ValueError, match='turns of pi/2'):
        bake_house(load_house('small/train/11'), PolicyContract(turn_rad=0.1),
                   settings=BakeSettings(), directory=tmp_path)


def test_source_nodes_are_distinct_and_spread(tiny_bake):
    graph = tiny_bake.graph
    chosen = choose_source_nodes(graph, 6, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 6
    with pytest.raises(ValueError, match='more than'):
        choose_source_nodes(graph, len(graph.nodes), np.random.default_rng(0))
