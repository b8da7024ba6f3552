# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from sim_bridge.bake import BakeSettings
from sim_bridge.bake_pool import Bake
from sim_bridge.bake_pool import bake_houses
from sim_bridge.bake_pool import make_bakes
from sim_bridge.job_pool import LocalProcesses

NAMES = ['small/train/11', 'small/train/23']
SETTINGS = BakeSettings(sources=2, rays=1000, response_s=0.2)


@pytest.fixture(scope='module')
def made(tiny_bake, tiny_contract):
    return make_bakes(NAMES, tiny_contract, settings=SETTINGS, pool=LocalProcesses(2),
                      directory=tiny_bake.path.parent, progress=False)


def test_processes_send_back_where_a_bake_lies(made, tiny_bake):
    assert made[0] == Bake(tiny_bake.path, len(tiny_bake.nodes))
    assert made[1].path.is_dir() and made[1].path != tiny_bake.path


def test_houses_are_opened_in_their_order_and_mapped(made, tiny_bake, tiny_contract):
    houses = bake_houses(NAMES[::-1], tiny_contract, settings=SETTINGS, workers=1,
                         directory=tiny_bake.path.parent, progress=False)
    assert [house.name for house in houses] == NAMES[::-1]
    assert [house.path for house in houses] == [made[1].path, made[0].path]
    assert isinstance(houses[0].responses, np.memmap)


def test_each_house_may_have_settings_of_its_own(made, tiny_bake, tiny_contract):
    options = {'workers': 1, 'directory': tiny_bake.path.parent, 'progress': False}
    other = dataclasses.replace(SETTINGS, sources=1)
    houses = bake_houses([NAMES[0]] * 2, tiny_contract, settings=[SETTINGS, other], **options)
    assert [len(house.source_nodes) for house in houses] == [2, 1]
    with pytest.raises(ValueError, match='shorter|longer'):
        bake_houses(NAMES, tiny_contract, settings=[SETTINGS], **options)
