# SPDX-License-Identifier: Apache-2.0
import pytest

from sim_bridge.house.materials import Material
from sim_bridge.house.materials import MATERIALS


def test_names_are_the_keys():
    assert all(name == material.name for name, material in MATERIALS.items())


def test_soft_surfaces_absorb_more_than_hard_ones_at_1_khz():
    soft, hard = (MATERIALS[name].absorption[3] for name in ('thick_carpet', 'tile_floor'))
    assert soft > 5 * hard  # both with the furnishing that no plan lists


@pytest.mark.parametrize('absorption, scattering, texture, message', [
    ((0.1,) * 5, 0.1, 'plain', '6 bands, got 5'),
    ((0.1,) * 5 + (1.2,), 0.1, 'plain', r'in \[0, 1\]'),
    ((0.1,) * 6, float('nan'), 'plain', r'in \[0, 1\]'),
    ((0.1,) * 6, 0.1, 'stripes', "got 'stripes'"),
])
def test_refuses_impossible_values(absorption, scattering, texture, message):
    with pytest.raises(ValueError, match=message):
        Material('x', absorption, scattering, (0, 0, 0), texture)
