# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.benchmark.probe import constant_probe
from asgf_nav_ros.benchmark.probe import linear_probe


@pytest.fixture
def heard():
    rng = np.random.default_rng(0)
    return (rng.uniform(-np.pi, np.pi, 400), np.exp(rng.uniform(0, 2, 400)),
            rng.integers(6, size=400))


def states_of(azimuth_rad, distance_m, *, noise=0.0):
    """A linear image, 20 wide, of what the probe reads."""
    rng = np.random.default_rng(1)
    told = np.stack([np.cos(azimuth_rad), np.sin(azimuth_rad), np.log(distance_m)], axis=1)
    states = told @ rng.standard_normal((3, 20))
    return states + noise * rng.standard_normal(states.shape)


def test_reads_what_is_there_linearly(heard):
    azimuth_rad, distance_m, house = heard
    found = linear_probe(states_of(azimuth_rad, distance_m), azimuth_rad, distance_m, house)
    assert found['azimuth_error_deg_mean'] < 1
    assert found['front_back_errors'] < 0.02
    assert found['distance_error_share_median'] < 0.01


def test_noise_costs_precision_and_the_intervals_hold_the_error(heard):
    azimuth_rad, distance_m, house = heard
    clean, noisy = (linear_probe(states_of(azimuth_rad, distance_m, noise=noise), azimuth_rad,
                                 distance_m, house) for noise in (0.1, 3.0))
    assert noisy['azimuth_error_deg_median'] > 3 * clean['azimuth_error_deg_median']
    for name, (low, high) in noisy['ci95'].items():
        assert low <= noisy[name] <= high


def test_knowing_nothing_is_a_right_angle_off(heard):
    assert 80 < constant_probe(*heard)['azimuth_error_deg_mean'] < 100


def test_what_identifies_the_house_does_not_help(heard):
    """A state that only names its house tells nothing in houses that were not fitted."""
    azimuth_rad, distance_m, house = heard
    azimuth_rad = house * 1.0  # within a house all sounds come from one direction
    states = np.eye(6)[house]
    assert linear_probe(states, azimuth_rad, distance_m, house)['azimuth_error_deg_median'] > 40


def test_one_house_is_not_enough(heard):
    azimuth_rad, distance_m, house = heard
    with pytest.raises(ValueError, match='an even and an odd house'):
        linear_probe(np.zeros((400, 1)), azimuth_rad, distance_m, 0 * house)
