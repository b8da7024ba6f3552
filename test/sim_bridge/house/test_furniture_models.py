# SPDX-License-Identifier: Apache-2.0
import pytest

from sim_bridge.house.furnish import WISHES
from sim_bridge.house.furniture_models import furniture_models
from sim_bridge.house.furniture_models import models_of
from sim_bridge.house.materials import MATERIALS


def test_only_free_licences_and_known_materials():
    for model in furniture_models().values():
        assert model.license in ('CC0-1.0', 'CC-BY-3.0', 'CC-BY-3.0-US')
        assert model.material in MATERIALS
        assert model.creator


def test_every_wish_can_be_granted():
    wishes = {wish for wishes in WISHES.values() for wish in wishes} - {'dining_set'}
    assert all(models_of(wish) for wish in wishes)


def test_unknown_category_is_refused():
    with pytest.raises(ValueError, match="got 'throne'"):
        models_of('throne')
