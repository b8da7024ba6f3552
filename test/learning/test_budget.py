# SPDX-License-Identifier: Apache-2.0
import pytest

from asgf_nav_ros.learning.budget import Budget


def test_samples_alone_are_spent_by_samples():
    budget = Budget(200)
    assert budget.progress(0) == 0
    assert budget.progress(50) == 0.25
    assert budget.progress(250) > 1


def test_what_is_nearer_to_its_end_counts():
    now = iter([100.0, 130.0, 160.0, 220.0]).__next__
    budget = Budget(1000, 2.0, clock=now)
    assert budget.progress(100) == 0.1  # time runs from here on
    assert budget.progress(600) == 0.6
    assert budget.progress(300) == 0.5
    assert budget.progress(300) == 1.0


def test_a_resumed_run_has_what_is_left_of_its_time():
    now = iter([100.0, 130.0, 7.0, 22.0]).__next__
    begun = Budget(1000, 1.0, clock=now)
    begun.progress(0)
    resumed = Budget(1000, 1.0, clock=now)
    resumed.go_on(begun.spent_s)
    assert resumed.progress(0) == 0.75


def test_time_must_be_positive():
    with pytest.raises(ValueError, match='minutes must be positive, got 0'):
        Budget(10, 0)
