# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.learning.training_houses import TrainingHouses
from asgf_nav_ros.learning.troubles import Troubles
from sim_bridge.bake import BakeSettings
from sim_bridge.conditions import Situation


def situation(bake, seed=0):
    dry = np.random.default_rng(1).uniform(-1, 1, 16000).astype(np.float32)
    return Situation(house=bake, source=0, node=3, heading=1, dry=dry, others=[dry],
                     sample_rate_hz=16000, rng=np.random.default_rng(seed))


def test_troubles_come_with_their_probability_and_grow(tiny_bake):
    troubles = Troubles(dropout=0.5, ease_in_fraction=0.5)
    shares = {progress: np.mean([
        troubles.draw(situation(tiny_bake, seed), progress=progress).lost_audio > 0
        for seed in range(200)]) for progress in (0.0, 0.25, 1.0)}
    assert shares[0.0] == 0
    assert shares[0.25] == pytest.approx(0.25, abs=0.1)
    assert shares[1.0] == pytest.approx(0.5, abs=0.1)


def test_all_troubles_at_once_fit_together(tiny_bake):
    always = Troubles(noise=1, second_sound=1, intermittent=1, ears=1, slip=1, dropout=1)
    drawn = always.draw(situation(tiny_bake))
    assert drawn.noise is not None and drawn.distractor is not None
    assert 15 <= drawn.silent_from <= 120 and abs(drawn.skew_samples) <= 3


def test_everything_comes_at_once_as_severe_as_the_benchmark_has_it(tiny_bake):
    drawn = Troubles(everything=1, everything_share=(0.5, 0.5), ease_in_fraction=0).draw(
        situation(tiny_bake))
    assert drawn.noise is not None and drawn.distractor is not None
    assert (drawn.lost_audio, drawn.slip, drawn.silent_from) == (0.3, 0.08, 40)
    assert abs(drawn.ear_gain_db) == 6 and abs(drawn.skew_samples) <= 3


def test_probabilities_are_checked():
    with pytest.raises(ValueError, match='noise must be in'):
        Troubles(noise=1.5)


def test_house_plans_are_the_same_each_time_and_vary_bodies():
    houses = TrainingHouses(small=40, large=2, spherical_heads=0.3, missed_poses=0.5)
    plan = houses.plan(BakeSettings(sources=4))
    assert plan == houses.plan(BakeSettings(sources=4))
    names = [name for name, _ in plan]
    assert sorted(names) == sorted([*(f'small/train/{index}' for index in range(40)),
                                    *(f'large/train/{index}' for index in range(2))])
    large = [index for index, name in enumerate(names) if name.startswith('large')]
    assert 5 < large[0] < 15 and 25 < large[1] < 36  # in between the small ones
    assert plan[large[0]][1].sources == 2
    spherical = np.mean([settings.head_radius_m > 0 for _, settings in plan])
    missed = np.mean([settings.pose_noise_m > 0 for _, settings in plan])
    assert 0.15 < spherical < 0.5 and 0.3 < missed < 0.7
    assert TrainingHouses(small=2).plan(BakeSettings())[1][1] == BakeSettings()
    later = dataclasses.replace(houses, small=5, first_small=35, large=1, first_large=1)
    every = dict(houses.plan(BakeSettings()))
    assert dict(later.plan(BakeSettings())) == {
        name: every[name] for name in
        [*(f'small/train/{index}' for index in range(35, 40)), 'large/train/1']}


def test_no_houses_are_refused():
    with pytest.raises(ValueError, match='at least one house'):
        TrainingHouses(small=0)
    with pytest.raises(ValueError, match='counted from 0'):
        TrainingHouses(first_large=-1)
