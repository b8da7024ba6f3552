# SPDX-License-Identifier: Apache-2.0
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import wrap_angle
from asgf_nav_ros.motion.primitives import MotionLimits
from asgf_nav_ros.motion.primitives import PrimitiveExecutor

TICK_S = 0.02
LIMITS = MotionLimits()
CONTRACT = PolicyContract()


class Base:
    """A differential-drive base with a first-order lag."""

    def __init__(self, pose, *, lag_s=0.03, grip=1.0):
        self.pose, self.lag_s, self.grip = pose, lag_s, grip
        self.velocity = (0.0, 0.0)

    def advance(self, command):
        share = 1 - math.exp(-TICK_S / self.lag_s)
        self.velocity = tuple(old + share * (self.grip * new - old)
                              for old, new in zip(self.velocity, command))
        linear, angular = self.velocity
        middle = self.pose.yaw_rad + angular * TICK_S / 2
        self.pose = Pose(self.pose.x_m + linear * math.cos(middle) * TICK_S,
                         self.pose.y_m + linear * math.sin(middle) * TICK_S,
                         wrap_angle(self.pose.yaw_rad + angular * TICK_S))


def drive(executor, base, *, start_s=0.0, limit_s=20.0):
    """Run to the end of the action; the commands given and the time it ended."""
    commands, now_s = [], start_s
    while executor.state == MotionState.MOVING and now_s < start_s + limit_s:
        now_s += TICK_S
        commands.append(executor.command(base.pose, now_s))
        base.advance(commands[-1])
    return commands, now_s


def execute(action, pose, *, contract=CONTRACT, lag_s=0.03, grip=1.0):
    executor, base = PrimitiveExecutor(LIMITS, contract), Base(pose, lag_s=lag_s, grip=grip)
    executor.start(action, base.pose, 0.0)
    commands, _ = drive(executor, base)
    return executor, base, commands


yaws = st.floats(-math.pi, math.pi)


@settings(deadline=None, max_examples=40)
@given(yaw=yaws, x=st.floats(-50, 50), y=st.floats(-50, 50), lag_s=st.floats(0.001, 0.06))
def test_step_forward_ends_within_tolerance_for_any_start(yaw, x, y, lag_s):
    start = Pose(x, y, yaw)
    executor, base, _ = execute(Action.MOVE_FORWARD, start, lag_s=lag_s)
    end = base.pose.seen_from(start)
    assert executor.state == MotionState.IDLE
    assert end.x_m == pytest.approx(0.5, abs=LIMITS.position_tolerance_m + 1e-3)
    assert abs(end.y_m) < 1e-3 and abs(end.yaw_rad) < 1e-3


@settings(deadline=None, max_examples=40)
@given(yaw=yaws, left=st.booleans(), turn_rad=st.sampled_from([math.radians(10), math.pi / 2, 4]))
def test_turn_ends_within_tolerance_across_the_wrap(yaw, left, turn_rad):
    action = Action.TURN_LEFT if left else Action.TURN_RIGHT
    contract = PolicyContract(turn_rad=turn_rad)
    executor, base, commands = execute(action, Pose(0, 0, yaw), contract=contract)
    wanted = yaw + (turn_rad if left else -turn_rad)
    assert executor.state == MotionState.IDLE
    assert abs(wrap_angle(base.pose.yaw_rad - wanted)) <= LIMITS.yaw_tolerance_rad + 1e-3
    assert all(linear == 0 for linear, _ in commands)
    assert (sum(angular for _, angular in commands) > 0) == left


def test_left_turn_is_positive_angular_velocity():
    _, _, commands = execute(Action.TURN_LEFT, Pose(0, 0, math.pi - 0.1))
    assert max(angular for _, angular in commands) > 1.0


@pytest.mark.parametrize('action', [Action.MOVE_FORWARD, Action.TURN_LEFT])
def test_commands_respect_speed_and_acceleration(action):
    _, _, commands = execute(action, Pose(0, 0, 1))
    linear, angular = zip(*commands)
    assert max(linear) <= LIMITS.max_linear_mps
    assert max(map(abs, angular)) <= LIMITS.max_angular_radps
    for values, limit in ((linear, LIMITS.max_linear_mps2), (angular, LIMITS.max_angular_radps2)):
        changes = [abs(b - a) for a, b in zip((0.0, *values), values)]
        assert max(changes) <= limit * TICK_S + 1e-9
    assert min(linear) >= 0


def test_a_push_off_the_heading_is_steered_back():
    executor, base = PrimitiveExecutor(LIMITS, CONTRACT), Base(Pose(0, 0, 0.0))
    executor.start(Action.MOVE_FORWARD, base.pose, 0.0)
    executor.command(base.pose, TICK_S)
    base.pose = Pose(0.0, 0.0, 0.1)
    linear, angular = executor.command(base.pose, 2 * TICK_S)
    assert linear > 0 and angular < 0


@settings(deadline=None, max_examples=15)
@given(yaw=yaws, names=st.lists(st.sampled_from(list(Action)[1:]), min_size=1, max_size=12))
def test_errors_of_many_actions_do_not_add_up(yaw, names):
    executor, base = PrimitiveExecutor(LIMITS, CONTRACT), Base(Pose(3.0, -2.0, yaw))
    x_m, y_m, turns, now_s = 3.0, -2.0, 0, 0.0
    for action in names:
        executor.start(action, base.pose, now_s)
        _, now_s = drive(executor, base, start_s=now_s)
        heading = yaw + turns * math.pi / 2
        if action == Action.MOVE_FORWARD:
            x_m, y_m = x_m + 0.5 * math.cos(heading), y_m + 0.5 * math.sin(heading)
        else:
            turns += 1 if action == Action.TURN_LEFT else -1
    assert base.pose.distance_m(Pose(x_m, y_m, 0.0)) < 0.02
    assert abs(wrap_angle(base.pose.yaw_rad - yaw - turns * math.pi / 2)) < 0.02


def test_a_base_that_was_carried_away_starts_from_where_it_is():
    executor, base = PrimitiveExecutor(LIMITS, CONTRACT), Base(Pose(0, 0, 0))
    executor.start(Action.MOVE_FORWARD, base.pose, 0.0)
    _, now_s = drive(executor, base)
    base.pose = Pose(2.0, 1.0, 0.5)
    executor.start(Action.MOVE_FORWARD, base.pose, now_s)
    drive(executor, base, start_s=now_s)
    end = base.pose.seen_from(Pose(2.0, 1.0, 0.5))
    assert (end.x_m, end.y_m) == pytest.approx((0.5, 0.0), abs=0.012)


def test_stop_is_over_at_once():
    executor = PrimitiveExecutor(LIMITS, CONTRACT)
    executor.start(Action.STOP, Pose(0, 0, 0), 0.0)
    assert executor.state == MotionState.IDLE
    assert executor.command(Pose(0, 0, 0), 1.0) == (0.0, 0.0)


@pytest.mark.parametrize('action', [Action.MOVE_FORWARD, Action.TURN_RIGHT])
def test_a_stuck_base_is_blocked_as_stalled(action):
    executor, _, _ = execute(action, Pose(0, 0, 0), grip=0.0)
    assert (executor.state, executor.cause) == (MotionState.BLOCKED, Cause.STALLED)


def test_a_slow_base_is_not_stalled():
    executor, _, _ = execute(Action.MOVE_FORWARD, Pose(0, 0, 0), grip=0.5)
    assert executor.state == MotionState.IDLE


def moving(action=Action.MOVE_FORWARD):
    executor = PrimitiveExecutor(LIMITS, CONTRACT)
    executor.start(action, Pose(0, 0, 0), 0.0)
    executor.command(Pose(0, 0, 0), TICK_S)
    return executor


@pytest.mark.parametrize('action, pose, now_s, cause', [
    (Action.MOVE_FORWARD, Pose(0, 0.15, 0), 0.04, Cause.SLIPPED),
    (Action.MOVE_FORWARD, Pose(0, 0, 0.4), 0.04, Cause.SLIPPED),
    (Action.TURN_LEFT, Pose(0.15, 0, 0), 0.04, Cause.SLIPPED),
    (Action.MOVE_FORWARD, Pose(1.0, 0, 0), 0.04, Cause.ODOMETRY_JUMP),
    (Action.TURN_LEFT, Pose(0, 0, 2.0), 0.04, Cause.ODOMETRY_JUMP),
    (Action.MOVE_FORWARD, Pose(math.nan, 0, 0), 0.04, Cause.NOT_FINITE),
    (Action.MOVE_FORWARD, Pose(0, 0, 0), math.nan, Cause.NOT_FINITE),
    (Action.MOVE_FORWARD, Pose(0, 0, 0), 15.1, Cause.DEADLINE),
])
def test_faults_end_the_action_with_zero_and_their_name(action, pose, now_s, cause):
    executor = moving(action)
    assert executor.command(pose, now_s) == (0.0, 0.0)
    assert (executor.state, executor.cause) == (MotionState.FAILED, cause)


def test_a_second_action_is_refused_while_one_is_under_way():
    with pytest.raises(ValueError, match='MOVE_FORWARD is under way, cannot start TURN_LEFT'):
        moving().start(Action.TURN_LEFT, Pose(0, 0, 0), 0.1)


def test_a_start_pose_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match='pose must be finite'):
        PrimitiveExecutor(LIMITS, CONTRACT).start(Action.MOVE_FORWARD, Pose(0, math.inf, 0), 0.0)


@pytest.mark.parametrize('field', ['max_linear_mps', 'settle_s', 'jump_rad'])
@pytest.mark.parametrize('value', [0.0, -1.0, math.nan, math.inf])
def test_limits_are_checked_at_the_door(field, value):
    with pytest.raises(ValueError, match=f'{field} must be positive and finite'):
        MotionLimits(**{field: value})
