# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.learning.recipe import Recipe

SHIPPED = Path(__file__).parents[2] / 'config' / 'recipes' / 'imitation.yaml'


@pytest.mark.parametrize('file', sorted(SHIPPED.parent.glob('*.yaml')), ids=lambda file: file.stem)
def test_every_shipped_recipe_is_read(file):
    recipe = Recipe.read(file)
    assert recipe.houses.plan(recipe.bake)


def test_shipped_recipe_is_read_in_full():
    recipe = Recipe.read(SHIPPED)
    assert recipe.contract.audio_channels == TWO_EARS_WITH_INTERAURAL
    assert recipe.with_system('av_nav').contract.system == 'av_nav'


@pytest.mark.parametrize('text, message', [
    ('- houses', 'must be a mapping'),
    ('rooms: 3', "unknown \\['rooms'\\]"),
    ('imitation: {epochs: 3}', "section 'imitation'"),
    ('imitation: {samples: 0}', 'samples must be positive, got 0'),
])
def test_bad_recipes_are_refused_in_one_line(tmp_path, text, message):
    file = tmp_path / 'recipe.yaml'
    file.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        Recipe.read(file)
    assert '\n' not in str(error.value)
