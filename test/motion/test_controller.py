# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.controller import Command
from asgf_nav_ros.motion.controller import MotionController
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.safety_gate import SafetyLimits

TICK_S = 0.02
OPEN = np.full((32, 32), 1.9, np.float32)  # a wall 1.9 m ahead: no floor in view


class Robot:
    """A controller with an ideal base and sensors that can be broken."""

    def __init__(self, *, enabled=True, **safety):
        self.controller = MotionController(PolicyContract(), safety=SafetyLimits(**safety))
        self.now_s, self.pose, self.depth = 10.0, Pose(0.0, 0.0, 0.0), OPEN
        self.odometry, self.sees = True, True
        self.commands = []
        self.tick()
        if enabled:
            self.controller.enable(self.now_s)
            self.tick()

    def tick(self, ticks=1):
        for _ in range(ticks):
            self.now_s += TICK_S
            if self.odometry:
                self.controller.see_odometry(self.pose, (0.0, 0.0), self.now_s)
            if self.sees:
                self.controller.see_depth(self.depth, self.now_s)
            command = self.controller.step(self.now_s)
            self.commands.append(command)
            yaw = self.pose.yaw_rad + command.angular_radps * TICK_S
            self.pose = Pose(self.pose.x_m + command.linear_mps * math.cos(yaw) * TICK_S,
                             self.pose.y_m + command.linear_mps * math.sin(yaw) * TICK_S, yaw)
        return command

    def act(self, name, stamp_s=None):
        stamp_s = self.now_s if stamp_s is None else stamp_s
        return self.controller.accept(name, stamp_s, self.now_s)

    @property
    def state(self):
        return self.controller.state, self.controller.cause


def test_an_action_is_executed_once_and_ends_idle():
    robot = Robot()
    stamp_s = robot.now_s
    assert robot.act('MOVE_FORWARD') == Cause.NONE
    began_s = robot.controller.state_since_s
    robot.tick(200)
    assert robot.state == (MotionState.IDLE, Cause.NONE)
    assert robot.controller.state_since_s > began_s
    assert robot.act('MOVE_FORWARD', stamp_s) == Cause.DUPLICATE_ACTION
    assert robot.controller.taken == 1
    robot.tick(100)
    assert robot.pose.x_m == pytest.approx(0.5, abs=0.01)


def test_nothing_moves_until_enabled():
    robot = Robot(enabled=False)
    assert robot.act('MOVE_FORWARD') == Cause.NOT_ENABLED
    assert robot.tick() == Command(cause=Cause.NOT_ENABLED)
    assert robot.state == (MotionState.DISABLED, Cause.NOT_ENABLED)


@pytest.mark.parametrize('cause', [Cause.NOT_ENABLED, Cause.STOPPED, Cause.SHUTDOWN])
def test_disabling_stops_at_the_next_tick_and_drops_the_action(cause):
    robot = Robot()
    robot.act('MOVE_FORWARD')
    robot.tick(20)
    robot.controller.disable(cause, robot.now_s)
    assert robot.tick() == Command(cause=cause)
    assert robot.state == (MotionState.DISABLED, cause)


def test_enabling_again_starts_idle_without_the_old_action():
    robot = Robot()
    robot.act('MOVE_FORWARD')
    robot.tick(20)
    robot.controller.disable(Cause.STOPPED, robot.now_s)
    robot.controller.enable(robot.now_s)
    x_m = robot.pose.x_m
    robot.tick(50)
    assert robot.state == (MotionState.IDLE, Cause.NONE)
    assert robot.pose.x_m == x_m


def test_shutdown_is_for_good():
    robot = Robot()
    robot.controller.disable(Cause.SHUTDOWN, robot.now_s)
    robot.controller.enable(robot.now_s)
    assert robot.act('TURN_LEFT') == Cause.SHUTDOWN


def test_stale_odometry_fails_the_action_which_never_goes_on():
    robot = Robot()
    robot.act('TURN_LEFT')
    robot.tick(20)
    robot.odometry = False
    robot.tick(16)  # 0.32 s, the limit is 0.3 s
    assert robot.tick() == Command(cause=Cause.STALE_ODOMETRY)
    assert robot.state == (MotionState.FAILED, Cause.STALE_ODOMETRY)
    robot.odometry = True
    yaw_rad = robot.pose.yaw_rad
    robot.tick(20)
    assert robot.pose.yaw_rad == yaw_rad


def test_odometry_from_the_future_is_as_stale_as_old():
    robot = Robot()
    robot.act('TURN_LEFT')
    robot.odometry = False
    robot.controller.see_odometry(robot.pose, (0.0, 0.0), robot.now_s + 5.0)
    assert robot.tick().cause == Cause.STALE_ODOMETRY


def test_stale_depth_holds_forward_motion_only():
    robot = Robot()
    robot.sees = False
    robot.tick(30)
    robot.act('MOVE_FORWARD')
    assert robot.tick() == Command(cause=Cause.STALE_DEPTH)
    robot.tick(60)
    assert robot.state == (MotionState.FAILED, Cause.STALE_DEPTH)
    assert robot.act('TURN_LEFT') == Cause.NONE
    robot.tick(150)
    assert robot.state == (MotionState.IDLE, Cause.NONE)


def test_depth_without_valid_pixels_is_blind():
    robot = Robot()
    robot.depth = np.zeros((32, 32), np.float32)
    robot.act('MOVE_FORWARD')
    robot.tick(3)
    assert robot.commands[-1] == Command(cause=Cause.BLIND_DEPTH)


def test_a_step_into_a_wall_is_blocked_without_moving():
    robot = Robot()
    robot.depth = np.full((32, 32), 0.5, np.float32)
    robot.act('MOVE_FORWARD')
    robot.tick(2)
    assert robot.state == (MotionState.BLOCKED, Cause.OBSTACLE)
    assert robot.pose.x_m == 0.0


def test_an_obstacle_that_appears_stops_the_step_before_it_and_then_blocks():
    robot = Robot()
    robot.act('MOVE_FORWARD')
    robot.tick(10)
    robot.depth = np.full((32, 32), 0.1, np.float32)
    assert robot.tick() == Command(cause=Cause.OBSTACLE)
    robot.tick(55)
    assert robot.state == (MotionState.BLOCKED, Cause.OBSTACLE)


def test_an_obstacle_that_leaves_lets_the_step_go_on():
    robot = Robot()
    robot.act('MOVE_FORWARD')
    robot.tick(10)
    robot.depth = np.full((32, 32), 0.1, np.float32)
    robot.tick(20)
    robot.depth = OPEN
    robot.tick(150)
    assert robot.state == (MotionState.IDLE, Cause.NONE)
    assert robot.pose.x_m == pytest.approx(0.5, abs=0.01)


def test_an_obstacle_does_not_hold_a_turn():
    robot = Robot()
    robot.depth = np.full((32, 32), 0.1, np.float32)
    robot.act('TURN_RIGHT')
    robot.tick(150)
    assert robot.state == (MotionState.IDLE, Cause.NONE)
    assert robot.pose.yaw_rad == pytest.approx(-math.pi / 2, abs=0.01)


def test_speed_falls_towards_an_obstacle():
    robot = Robot(whole_step=False)
    robot.act('MOVE_FORWARD')
    for _ in range(150):
        robot.depth = np.full((32, 32), 0.4 - robot.pose.x_m, np.float32)
        robot.tick()
    assert robot.state == (MotionState.BLOCKED, Cause.OBSTACLE)
    assert 0.2 < robot.pose.x_m < 0.25


@pytest.mark.parametrize('name', ['', 'nan', 'FLY', 'move_forward'])
def test_an_unknown_action_is_zero_with_its_cause(name):
    robot = Robot()
    assert robot.act(name) == Cause.UNKNOWN_ACTION
    assert robot.tick() == Command(cause=Cause.UNKNOWN_ACTION)
    assert robot.state == (MotionState.FAILED, Cause.UNKNOWN_ACTION)


def test_an_unknown_action_ends_the_one_under_way():
    robot = Robot()
    robot.act('MOVE_FORWARD')
    robot.tick(20)
    robot.act('nan')
    assert robot.tick() == Command(cause=Cause.UNKNOWN_ACTION)


@pytest.mark.parametrize('pose, velocity', [
    (Pose(math.nan, 0.0, 0.0), (0.0, 0.0)), (Pose(0.0, 0.0, 0.0), (0.0, math.nan))])
def test_odometry_that_is_not_finite_commands_zero_at_once(pose, velocity):
    robot = Robot()
    robot.act('TURN_LEFT')
    robot.tick(20)
    robot.now_s += TICK_S
    robot.controller.see_odometry(pose, velocity, robot.now_s)
    assert robot.controller.step(robot.now_s) == Command(cause=Cause.NOT_FINITE)
    assert robot.state == (MotionState.FAILED, Cause.NOT_FINITE)


def test_the_deadline_ends_an_action():
    robot = Robot(hold_limit_s=60.0)
    robot.act('MOVE_FORWARD')
    robot.tick(5)
    robot.depth = np.full((32, 32), 0.1, np.float32)
    robot.tick(760)
    assert robot.state == (MotionState.FAILED, Cause.DEADLINE)


@pytest.mark.parametrize('by_s', [0.4, 10.0, -10.0])
def test_after_a_pause_of_the_ticks_an_action_does_not_go_on(by_s):
    robot = Robot()
    robot.act('MOVE_FORWARD')
    robot.tick(20)
    robot.now_s += by_s
    assert robot.tick() == Command(cause=Cause.PAUSED)
    assert robot.state == (MotionState.FAILED, Cause.PAUSED)


def test_trouble_outside_ends_the_action_and_names_it():
    robot = Robot()
    robot.act('TURN_LEFT')
    robot.tick(20)
    command = robot.controller.step(robot.now_s, Cause.SILENT_NODE)
    assert command == Command(cause=Cause.SILENT_NODE)
    assert robot.state == (MotionState.FAILED, Cause.SILENT_NODE)
    assert robot.tick() == Command(cause=Cause.SILENT_NODE)


def test_an_action_decided_before_the_robot_came_to_rest_is_refused():
    robot = Robot()
    robot.act('STOP')
    decided_s = robot.now_s
    robot.tick(5)
    robot.controller.disable(Cause.STOPPED, robot.now_s)
    robot.controller.enable(robot.now_s)  # as a process that was started again
    assert robot.act('MOVE_FORWARD', decided_s + 0.01) == Cause.STALE_ACTION
    assert robot.act('MOVE_FORWARD') == Cause.NONE


class StuckRobot(Robot):
    """Its wheels turn, but something that no camera sees holds it."""

    held = True

    def tick(self, ticks=1):
        for _ in range(ticks):
            before = self.pose
            super().tick()
            if self.held:
                self.pose = Pose(before.x_m, before.y_m, self.pose.yaw_rad)


def test_a_step_that_stalled_is_not_tried_again_from_the_same_place():
    robot = StuckRobot()
    robot.act('MOVE_FORWARD')
    robot.tick(80)
    assert robot.state == (MotionState.BLOCKED, Cause.STALLED)
    robot.commands.clear()
    robot.act('MOVE_FORWARD')
    robot.tick(80)
    assert robot.state == (MotionState.BLOCKED, Cause.STALLED)
    assert {(command.linear_mps, command.angular_radps) for command in robot.commands} == {(0, 0)}


def test_after_a_stall_a_turn_frees_the_way():
    robot = StuckRobot()
    robot.act('MOVE_FORWARD')
    robot.tick(80)
    robot.held = False
    robot.act('TURN_LEFT')
    robot.tick(150)
    robot.act('MOVE_FORWARD')
    robot.tick(150)
    assert robot.state == (MotionState.IDLE, Cause.NONE)
    assert robot.pose.y_m == pytest.approx(0.5, abs=0.02)


def test_a_frozen_camera_stops_a_step():
    robot = Robot()
    robot.depth = np.linspace(1.8, 1.9, 1024, dtype=np.float32).reshape(32, 32)
    robot.act('MOVE_FORWARD')
    robot.tick(30)
    assert robot.state == (MotionState.FAILED, Cause.FROZEN_DEPTH)
    assert 0.05 <= robot.pose.x_m < 0.1


def test_a_second_action_while_moving_is_refused():
    robot = Robot()
    robot.act('MOVE_FORWARD')
    robot.tick()
    assert robot.act('TURN_LEFT') == Cause.BUSY


@pytest.mark.parametrize('age_s, cause', [(6.0, Cause.STALE_ACTION), (math.nan, Cause.NOT_FINITE)])
def test_an_action_decided_long_ago_is_refused(age_s, cause):
    robot = Robot()
    assert robot.act('TURN_LEFT', robot.now_s - age_s) == cause


def test_stop_is_taken_and_stays_idle():
    robot = Robot()
    before_s = robot.controller.state_since_s
    assert robot.act('STOP') == Cause.NONE
    assert robot.state == (MotionState.IDLE, Cause.NONE)
    assert robot.controller.state_since_s > before_s
    assert robot.tick() == Command()


def test_a_clock_that_went_back_forgets_stamps():
    robot = Robot()
    robot.act('TURN_LEFT')
    robot.tick(20)
    robot.now_s = 0.0
    robot.controller.forget(robot.now_s)
    robot.tick()
    assert robot.state == (MotionState.IDLE, Cause.NONE)
    assert robot.act('TURN_LEFT') == Cause.NONE


@pytest.mark.parametrize('fields', [{'odometry_timeout_s': 0.0}, {'stop_distance_m': math.nan}])
def test_limits_are_checked_at_the_door(fields):
    with pytest.raises(ValueError, match='must be positive and finite'):
        SafetyLimits(**fields)
