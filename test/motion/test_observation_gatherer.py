# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.observation_gatherer import ObservationGatherer

RGB, DEPTH, SPECTROGRAM = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4)), np.ones((65, 26, 2))


@pytest.fixture
def gatherer():
    return ObservationGatherer(PolicyContract(), tolerance_s=0.2)


def look(gatherer, stamp_s):
    gatherer.see_color(RGB, stamp_s)
    gatherer.see_depth(DEPTH, stamp_s)


def test_an_observation_is_complete_with_all_three(gatherer):
    gatherer.hear(SPECTROGRAM, 11.0)
    gatherer.see_color(RGB, 11.0)
    assert gatherer.gather(10.0) is None
    gatherer.see_depth(DEPTH, 11.1)
    observation = gatherer.gather(10.0)
    assert observation.stamp_s == 11.0
    assert observation.rgb is RGB and observation.depth is DEPTH


def test_the_earliest_window_that_fits_is_taken(gatherer):
    look(gatherer, 11.15)
    for end_s in (10.9, 11.0, 11.1):
        gatherer.hear(SPECTROGRAM, end_s)
    assert gatherer.gather(10.0).stamp_s == 11.0
    assert gatherer.gather(10.05).stamp_s == 11.1


def test_a_window_that_grew_too_old_for_the_images_is_passed_over(gatherer):
    gatherer.hear(SPECTROGRAM, 11.0)
    gatherer.hear(SPECTROGRAM, 11.5)
    look(gatherer, 11.5)
    assert gatherer.gather(10.0).stamp_s == 11.5


@pytest.mark.parametrize('stamp_s', [9.99, 10.79, 11.21])
def test_images_from_another_time_do_not_fit(gatherer, stamp_s):
    gatherer.hear(SPECTROGRAM, 11.0)
    look(gatherer, stamp_s)
    assert gatherer.gather(10.0) is None


def test_a_window_may_begin_before_the_images_but_not_end_before_them(gatherer):
    look(gatherer, 11.15)
    for end_s in (10.9, 11.0, 11.1):
        gatherer.hear(SPECTROGRAM, end_s)
    assert gatherer.gather(11.05, heard_since_s=5.0).stamp_s == 11.1
    assert gatherer.gather(11.05, heard_since_s=10.2) is None
    assert gatherer.missing(11.2, heard_since_s=5.0) == [
        'a spectrogram of 1 s that ends after 11.20 s']


def test_what_is_missing_is_said(gatherer):
    assert gatherer.missing(10.0) == ['a spectrogram of 1 s after 10.00 s']
    gatherer.hear(SPECTROGRAM, 11.0)
    gatherer.see_depth(DEPTH, 11.0)
    assert gatherer.missing(10.0) == ['color from within 0.2 s of 11.00 s']


def test_after_clear_nothing_is_left(gatherer):
    gatherer.hear(SPECTROGRAM, 11.0)
    look(gatherer, 11.0)
    gatherer.clear()
    assert gatherer.gather(10.0) is None


def test_a_tolerance_must_be_positive():
    with pytest.raises(ValueError, match='tolerance_s must be positive'):
        ObservationGatherer(PolicyContract(), tolerance_s=0.0)
