# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.listener import ContinuousListener
from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import build_navigation_graph


@pytest.fixture(scope='module')
def world(kemar):
    house = generate_house(5)
    nodes = build_navigation_graph(house).nodes
    listener = ContinuousListener(AcousticScene(house), np.array([*nodes[10], 1.25]), nodes,
                                  hrtf=kemar, rays=4000, rng=np.random.default_rng(0))
    return house, nodes, listener


def _band_energy(response):
    """(2, 5, 26): ears, fifths of the spectrum, 15 ms frames."""
    frames = response[:, :6240].reshape(2, 26, 240)
    power = np.abs(np.fft.rfft(frames)[:, :, 1:]) ** 2
    return power.reshape(2, 26, 5, -1).sum(axis=3)


def test_a_small_move_is_a_small_change(world):
    _, nodes, listener = world
    pose = nodes[30] + [0.07, 0.11]
    before, after = listener.response(pose, 0.4), listener.response(pose + 0.002, 0.401)
    assert np.linalg.norm(after - before) < 0.12 * np.linalg.norm(before)


def test_energy_changes_smoothly_on_a_walk_between_nodes(world):
    _, nodes, listener = world
    start = nodes[30]
    neighbor = nodes[np.argsort(np.hypot(*(nodes - start).T))[1]]
    energies = [_band_energy(listener.response(start + share * (neighbor - start), 0.3)).sum()
                for share in np.linspace(0, 1, 26)]
    assert np.abs(np.diff(10 * np.log10(energies))).max() < 1.5


def test_at_a_node_the_response_is_as_strong_as_on_the_grid(world, kemar):
    _, nodes, listener = world
    for node in (0, 20, 40):
        grid = listener.field.responses(node, [0.5], kemar, 16000, np.random.default_rng(0))[0]
        free = listener.response(nodes[node], 0.5)
        assert 10 * np.log10(np.sum(free ** 2) / np.sum(grid ** 2)) == pytest.approx(0, abs=2.0)


def test_coming_back_sounds_the_same(world):
    _, nodes, listener = world
    before = listener.response(nodes[5], 0.0)
    for node in nodes:
        listener.response(node, 1.0)
    np.testing.assert_array_equal(listener.response(nodes[5], 0.0), before)


def test_first_arrival_is_exact_between_nodes(shoebox, kemar):
    scene = AcousticScene(shoebox(20, 20, absorption=1.0))
    listener = ContinuousListener(scene, np.array([5.0, 10.0, 1.25]),
                                  np.array([[7.0, 10.0], [8.0, 10.0]]), hrtf=kemar, rays=10,
                                  rng=np.random.default_rng(0))
    response = listener.response(np.array([7.43, 10.0]), np.pi)
    pair = kemar.pair(0.0)
    lag = np.correlate(response[0], pair[0], 'full').argmax() - (len(pair[0]) - 1)
    assert lag + kemar.origin == pytest.approx(2.43 / 343 * 16000, abs=1.0)
    assert response.shape == (2, 6400) and response.dtype == np.float32


def test_a_pose_that_is_not_finite_is_refused(world):
    with pytest.raises(ValueError, match='pose must be finite'):
        world[2].response(np.array([np.nan, 0.0]), 0.0)
