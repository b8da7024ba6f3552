# SPDX-License-Identifier: Apache-2.0
import dataclasses

from heard_window import tone
import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.inference.goal_likeness import GoalLikeness

CONTRACT = PolicyContract(goal_windows=3, hidden_size=512 + 66)


def hearing(*windows, contract=CONTRACT):
    likeness = GoalLikeness(contract)
    for window in windows:
        likeness.hear(window)
    return likeness


def test_another_sound_is_told_from_the_goal_and_the_goal_from_itself():
    goal, other = tone(10), tone(50)
    assert hearing(goal, goal, goal, other).another
    assert not hearing(goal, goal, goal, tone(10, level=5.0)).mixed
    again = hearing(goal, goal, goal, other, goal)
    assert not again.another and not again.mixed


def test_the_goal_with_another_sound_is_mixed_and_still_may_be_the_goal():
    both = np.log1p(np.expm1(tone(10)) + np.expm1(tone(30, level=0.02)))
    likeness = hearing(tone(10), tone(10), tone(10), both)
    assert likeness.mixed and not likeness.another


def test_its_first_windows_are_the_goal_whatever_they_are():
    assert not hearing(tone(10), tone(50), tone(30)).another


def test_a_goal_that_changes_may_go_on_changing():
    assert not hearing(tone(10), tone(50), tone(30), tone(20)).another


@pytest.mark.parametrize('beginning', [tone(10, floor=0.2),  # mostly noise
                                       tone(10, level=1e-3, floor=1e-8)])  # faint
def test_a_beginning_that_says_little_says_nothing(beginning):
    assert not hearing(beginning, beginning, beginning, tone(50)).another


def test_policies_that_remember_no_goal_compare_nothing():
    contract = dataclasses.replace(CONTRACT, goal_windows=0)
    assert not hearing(tone(10), tone(10), tone(10), tone(50), contract=contract).another


def test_a_new_episode_has_a_new_goal():
    likeness = hearing(tone(10), tone(10), tone(10), tone(50))
    likeness.begin()
    assert not likeness.another
    for _ in range(4):
        likeness.hear(tone(50))
    assert not likeness.another
