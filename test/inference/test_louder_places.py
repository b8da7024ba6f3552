# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.inference.louder_places import LouderPlaces


def seeing(*decisions, heard=True):
    places = LouderPlaces()
    for node, level_db, stop in decisions:
        places.see(node, level_db, stop, heard=heard)
    return places


def test_the_goal_was_where_it_was_louder():
    places = seeing(((0, 0), -20, 0.0), ((1, 0), -12, 0.4), ((2, 0), -15, 0.9))
    assert places.louder_beside((2, 0)) == (1, 0)
    assert places.louder_beside((1, 0)) is None
    assert places.louder_beside((7, 7)) is None


@pytest.mark.parametrize(('level_db', 'stop'), [
    (-14.0, 0.4),  # hardly louder
    (-3.0, 0.4),  # so much louder that sound is missing here
    (-12.0, 0.01)])  # the policy would not have stopped there
def test_it_stays_where_there_is_no_goal_beside(level_db, stop):
    assert seeing(((1, 0), level_db, stop), ((2, 0), -15, 0.9)).louder_beside((2, 0)) is None


def test_what_was_long_ago_or_in_silence_does_not_count():
    long_ago = [((1, 0), -12, 0.4), *[((2, 0), -15, 0.0)] * 9]
    assert seeing(*long_ago).louder_beside((2, 0)) is None
    assert seeing(*long_ago[:5]).louder_beside((2, 0)) == (1, 0)
    assert seeing(*long_ago[:5], heard=False).louder_beside((2, 0)) is None


def test_the_loudest_visit_counts():
    places = seeing(((1, 0), -12, 0.4), ((2, 0), -15, 0.5), ((2, 0), -12, 0.9))
    assert places.louder_beside((2, 0)) is None
