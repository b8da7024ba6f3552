# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.corridor import Corridor
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.safety_gate import SafetyGate
from asgf_nav_ros.motion.safety_gate import SafetyLimits
from asgf_nav_ros.motion.safety_gate import Verdict

HERE = Pose(0.0, 0.0, 0.0)
FORWARD, TURN, REST = (0.3, 0.1), (0.0, 1.0), (0.0, 0.0)


@pytest.fixture
def gate():
    """Enabled, with odometry and an open way seen at 10 s."""
    gate = SafetyGate(SafetyLimits(), Corridor())
    gate.enable()
    gate.see_odometry(HERE, REST, 10.0)
    gate.see_depth(np.full((32, 32), 1.9, np.float32), 10.0)
    return gate


@pytest.mark.parametrize('command', [FORWARD, TURN, REST])
def test_what_is_safe_passes_unchanged(gate, command):
    assert gate.check(command, 10.0) == Verdict(*command)


@pytest.mark.parametrize('break_it, command, cause', [
    (lambda gate: gate.disable(Cause.NOT_ENABLED), REST, Cause.NOT_ENABLED),
    (lambda gate: gate.disable(Cause.STOPPED), TURN, Cause.STOPPED),
    (lambda gate: gate.disable(Cause.SHUTDOWN), FORWARD, Cause.SHUTDOWN),
    (lambda gate: gate.see_odometry(HERE, REST, 9.6), TURN, Cause.STALE_ODOMETRY),
    (lambda gate: gate.see_odometry(HERE, REST, 10.4), TURN, Cause.STALE_ODOMETRY),
    (lambda gate: gate.see_odometry(HERE, (math.nan, 0.0), 10.0), REST, Cause.NOT_FINITE),
    (lambda gate: gate.see_depth(np.ones((4, 4)), 9.5), FORWARD, Cause.STALE_DEPTH),
    (lambda gate: gate.see_depth(np.zeros((4, 4)), 10.0), FORWARD, Cause.BLIND_DEPTH),
    (lambda gate: gate.see_depth(np.full((9, 9), 0.1), 10.0), FORWARD, Cause.OBSTACLE),
    (lambda gate: None, (math.nan, 0.0), Cause.NOT_FINITE),
    (lambda gate: gate.forget(), TURN, Cause.STALE_ODOMETRY),
])
def test_each_cause_is_zero_under_its_name(gate, break_it, command, cause):
    break_it(gate)
    verdict = gate.check(command, 10.0)
    assert (verdict.linear_mps, verdict.angular_radps, verdict.cause) == (0.0, 0.0, cause)


def test_depth_does_not_hold_turns(gate):
    gate.see_depth(np.full((9, 9), 0.1), 1.0)
    assert gate.check(TURN, 10.0).cause == Cause.NONE


def test_only_an_obstacle_is_waited_for(gate):
    gate.see_depth(np.ones((4, 4)), 9.0)
    assert gate.check(FORWARD, 10.0) == Verdict(0.0, 0.0, Cause.STALE_DEPTH, 0.0, True)
    assert gate.check(TURN, 10.0, Cause.NO_DEADMAN).give_up


def test_an_obstacle_that_stays_gives_up(gate):
    gate.see_depth(np.full((9, 9), 0.1), 10.0)
    held = [gate.check(FORWARD, 10.0), gate.check(FORWARD, 10.2)]
    assert [verdict.give_up for verdict in held] == [False, False]
    assert held[1].held_s == pytest.approx(0.2)
    gate.see_odometry(HERE, REST, 11.0)
    gate.see_depth(np.full((9, 9), 0.1), 11.0)
    assert gate.check(FORWARD, 11.0).give_up


def test_shutdown_cannot_be_undone(gate):
    gate.disable(Cause.SHUTDOWN)
    gate.enable()
    gate.disable(Cause.STOPPED)
    assert gate.check(TURN, 10.0).cause == Cause.SHUTDOWN


def test_speed_is_what_can_be_braked_before_the_obstacle(gate):
    gate.see_depth(np.full((9, 9), 0.2, np.float32), 10.0)
    assert gate.check((2.0, 0.0), 10.0).linear_mps == pytest.approx(math.sqrt(2 * 0.8 * 0.05))


def test_the_way_since_the_image_was_taken_counts(gate):
    gate.see_depth(np.full((9, 9), 0.6, np.float32), 9.7)
    room_m = 0.6 - 0.9 * 0.3 - 0.15
    assert gate.check((0.9, 0.0), 10.0).linear_mps == pytest.approx(
        math.sqrt(2 * 0.8 * room_m), abs=1e-6)


@pytest.mark.parametrize('ahead_m, blocked', [(0.6, True), (0.64, False)])
def test_a_step_needs_its_whole_length(gate, ahead_m, blocked):
    gate.see_depth(np.full((9, 9), ahead_m, np.float32), 10.0)
    assert gate.step_blocked(0.5, 10.0) == blocked


def test_whether_a_step_is_clear_is_left_to_the_gate_without_fresh_depth(gate):
    gate.see_depth(np.full((9, 9), 0.2, np.float32), 9.0)
    assert not gate.step_blocked(0.5, 10.0)
