# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.acoustics.tracer import BIN_S
from sim_bridge.house.generate import generate_house
from sim_bridge.house.navigation import build_navigation_graph


@pytest.fixture(scope='module')
def house_field():
    house = generate_house(1)
    nodes = build_navigation_graph(house).nodes
    field = AcousticScene(house).sound_field([*nodes[3], 1.25], nodes, height_m=1.25, rays=5000,
                                             rng=np.random.default_rng(0))
    return house, nodes, field


def test_reverberation_of_generated_houses_is_plausible(house_field, reverberation_time_s):
    _, _, field = house_field
    for band in range(6):
        decay = field.late_energy[..., band].sum(axis=(0, 1))
        assert 0.2 < reverberation_time_s(decay, BIN_S) < 1.0


def test_sound_gets_weaker_from_room_to_room(house_field):
    house, nodes, field = house_field
    energy = (np.sum(field.arrivals.band_gain ** 2, axis=(1, 2))
              + field.late_energy.sum(axis=(1, 2, 3)))
    rooms = house.rooms_at(nodes)
    level_db = [10 * np.log10(energy[rooms == room].mean()) for room in range(len(house.rooms))]
    assert np.argmax(level_db) == rooms[3]
    assert -40 < min(level_db) - max(level_db) < -8


def test_a_source_at_a_listeners_place_is_no_marker(house_field, kemar):
    _, nodes, field = house_field
    assert 0.1 <= np.hypot(*(field.source_xyz[:2] - nodes[3])) <= 0.2
    responses = field.responses(3, np.arange(4) * np.pi / 2, kemar, 16000,
                                np.random.default_rng(0))
    left, right = np.moveaxis(np.sum(responses ** 2, axis=2), 1, 0)
    assert np.abs(10 * np.log10(left / right)).max() > 3.0


def test_a_source_away_from_all_listeners_stays_where_it_is(shoebox):
    field = AcousticScene(shoebox(5, 4)).sound_field(
        [1.0, 1.0, 1.2], [[3.0, 3.0]], height_m=1.25, rays=10, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(field.source_xyz, [1.0, 1.0, 1.2])


def test_a_source_at_a_wall_does_not_step_through_it(shoebox):
    scene = AcousticScene(shoebox(5, 4))
    for seed in range(20):
        field = scene.sound_field([0.16, 0.16, 1.25], [[0.16, 0.16]], height_m=1.25, rays=1,
                                  rng=np.random.default_rng(seed))
        assert (field.source_xyz[:2] > 0.0).all()


def test_the_same_seed_gives_the_same_field(shoebox, kemar):
    scene = AcousticScene(shoebox(5, 4))
    a, b = (scene.sound_field([1.0, 1.0, 1.2], [[1.0, 1.0]], height_m=1.25, rays=200, rng=rng)
            .responses(0, [0.0], kemar, 16000, rng)
            for rng in (np.random.default_rng(4), np.random.default_rng(4)))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize('change, message', [
    ({'source_xyz': [1.0, np.nan, 1.2]}, 'finite'),
    ({'source_xyz': [1.0, 1.0, 3.0]}, r'source height must be in \(0, 2.5\) m, got 3.0'),
    ({'receivers': np.empty((0, 2))}, 'at least one receiver'),
    ({'height_m': 0.0}, 'height_m must be in'),
    ({'duration_s': 0.0}, 'must be positive'),
    ({'rays': 0}, 'must be positive')])
def test_bad_arguments_are_refused(shoebox, change, message):
    arguments = {'source_xyz': [1.0, 1.0, 1.2], 'receivers': [[3.0, 3.0]], 'height_m': 1.25,
                 'duration_s': 0.1, 'rays': 10, 'rng': np.random.default_rng(0)} | change
    with pytest.raises(ValueError, match=message):
        AcousticScene(shoebox(5, 4)).sound_field(**arguments)
