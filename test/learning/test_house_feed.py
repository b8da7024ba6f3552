# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from asgf_nav_ros.learning import house_feed
from asgf_nav_ros.learning.house_feed import HouseFeed
from asgf_nav_ros.learning.training_houses import TrainingHouses
from sim_bridge.bake import BakeSettings
from sim_bridge.job_pool import LocalProcesses
from sim_bridge.resident_houses import ResidentHouses
from sim_bridge.resident_houses import Room

SETTINGS = BakeSettings(sources=2, rays=200, response_s=0.1)


@pytest.fixture
def feed(tiny_contract, tmp_path, monkeypatch):
    monkeypatch.setenv('ASGF_NAV_CACHE', str(tmp_path))
    contract = dataclasses.replace(tiny_contract, image_height=16, image_width=16)

    def build(megabytes, **houses):
        room = Room.in_bytes(megabytes * 1e6, contract, response_samples=1600, sources=2)
        resident = ResidentHouses(contract, room=room, response_samples=1600)
        return resident, HouseFeed(TrainingHouses(**houses), contract, SETTINGS, resident,
                                   pool=LocalProcesses(1))
    return build


def test_houses_come_one_after_the_other(feed):
    resident, houses = feed(100, small=3, first_small=7)
    with houses:
        houses.wait_for(1)
        assert resident.houses[0].name == 'small/train/7'
        houses.wait_for(3)
    assert [house.name for house in resident.houses] == [
        'small/train/7', 'small/train/8', 'small/train/9']


def test_houses_that_find_no_room_stay_outside(feed):
    resident, houses = feed(10, small=6)
    with houses:
        houses.wait_for(6)
        assert 1 <= len(resident.houses) < 6


def test_a_feed_without_room_for_one_house_says_so(feed):
    _, houses = feed(0.1, small=1)
    with pytest.raises(RuntimeError, match='room for one house at least'):
        houses.wait_for(1)


def test_a_bake_that_fails_is_told(feed, monkeypatch):
    def fail(job):
        raise ValueError(f'no walls in {job.house}')
    monkeypatch.setattr(house_feed, 'bake', fail)
    _, houses = feed(10, small=1)
    with pytest.raises(RuntimeError, match='baking failed: no walls in small/train/0'):
        houses.wait_for(1)
    with pytest.raises(RuntimeError, match='baking failed'), houses:
        pass
