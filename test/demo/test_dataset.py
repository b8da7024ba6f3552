# SPDX-License-Identifier: Apache-2.0
"""What the demo makes of a dataset: checks before it starts, plans for its maps."""

import dataclasses

import pytest

from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.demo import command
from asgf_nav_ros.demo.graph import DemoPlan
from asgf_nav_ros.demo.result import episode_row
from sim_bridge.bake import BakeSettings
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout

EPISODES = 2


@pytest.fixture(scope='module')
def layout(tiny_bake, tiny_contract, tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp('data'), 'replica')
    telephone = load_catalogue().heard
    drawn = draw_episodes([tiny_bake.name], [telephone], tiny_contract,
                          settings=BakeSettings(sources=2), count=EPISODES, seed=3)
    writer.write_scene(tiny_bake, layout, sample_rate_hz=16000)
    writer.write_sound(layout, telephone.name, load_sound(telephone, 16000), sample_rate_hz=16000)
    writer.write_episodes(layout, 'test_telephone', [each.episode for each in drawn],
                          {tiny_bake.name: tiny_bake})
    return layout


@pytest.fixture
def plan(layout, model):
    return DemoPlan(model=model, dataset_root=str(layout.root), episodes=EPISODES)


def test_a_dataset_that_fits_is_accepted_and_has_plans(plan, tiny_contract, tiny_bake):
    command.check_world(plan, tiny_contract)
    house = command.plan_reader(plan)(writer.scene_name(tiny_bake.name))
    assert len(house.rooms) == len(tiny_bake.nodes) and house.walls()


def test_more_episodes_than_there_are_are_refused(plan, tiny_contract):
    with pytest.raises(ValueError, match='holds 2 episodes, got --episodes 3'):
        command.check_world(dataclasses.replace(plan, episodes=3), tiny_contract)


@pytest.mark.parametrize('change, message', [
    ({'image_height': 128, 'image_width': 128}, '128'), ({'sample_rate_hz': 44100}, '44100')])
def test_a_model_of_another_contract_is_refused(plan, tiny_contract, change, message):
    with pytest.raises(DatasetError, match=message):
        command.check_world(plan, dataclasses.replace(tiny_contract, **change))


def test_a_stop_at_a_metre_counts_in_houses_and_not_in_datasets():
    result = {'stopped': True, 'geodesic_m': 4.0, 'distance_to_goal_m': 1.0, 'path_length_m': 3.0,
              'actions': 5, 'oracle_actions': 5, 'seed': 0, 'realtime_factor': 1.0, 'house': 'h',
              'sound': 's', 'end': 'stop', 'collisions': 0}
    assert episode_row(result, [])['success'] and episode_row(result, [])['spl'] > 0
    below = episode_row({**result, 'success_radius_m': 0.999}, [])
    assert not below['success'] and below['spl'] == below['sna'] == 0
