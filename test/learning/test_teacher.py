# SPDX-License-Identifier: Apache-2.0
import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.learning.teacher import Teacher

FORWARD_OR_LEFT = np.array([[False, True, True, False]])
STOP_HERE = np.array([[True, False, False, False]])


def choose(teacher, student, optimal, *, guided=False, draws=400):
    rng = np.random.default_rng(0)
    rows = np.repeat(optimal, draws, axis=0)
    return teacher.choose(np.full(draws, student), rows, np.full(draws, guided), rng)


def test_guided_episodes_follow_only_optimal_actions_and_use_all_of_them():
    actions = choose(Teacher(), Action.STOP, FORWARD_OR_LEFT, guided=True)
    assert set(actions) == {Action.MOVE_FORWARD, Action.TURN_LEFT}


def test_a_wrong_stop_is_never_carried_out():
    actions = choose(Teacher(oracle_steps=0.0), Action.STOP, FORWARD_OR_LEFT)
    assert Action.STOP not in actions


def test_a_missed_stop_is_forced_half_of_the_time():
    actions = choose(Teacher(oracle_steps=0.0), Action.MOVE_FORWARD, STOP_HERE)
    assert 0.4 < np.mean(actions == Action.STOP) < 0.6


def test_a_student_is_left_alone_otherwise():
    actions = choose(Teacher(oracle_steps=0.0), Action.TURN_RIGHT, FORWARD_OR_LEFT)
    assert set(actions) == {Action.TURN_RIGHT}


def test_guidance_fades_out():
    teacher, rng = Teacher(guided_fraction=0.5), np.random.default_rng(0)
    shares = [np.mean([teacher.guides(progress, rng) for _ in range(500)])
              for progress in (0.0, 0.25, 0.5, 1.0)]
    assert shares[0] == 1.0
    assert 0.4 < shares[1] < 0.6
    assert shares[2] == shares[3] == 0.0
