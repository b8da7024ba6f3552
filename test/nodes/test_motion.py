# SPDX-License-Identifier: Apache-2.0
import math
import time

from geometry_msgs.msg import Twist
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from std_srvs.srv import Trigger

from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.motion import MotionNode

TICK_S = 0.02
OPEN = np.full((32, 32), 1.9, np.float32)


class Base:
    """An ideal base that sends odometry and waits for the command of the same stamp."""

    def __init__(self, ros, model_path, **parameters):
        self.ros = ros
        self.node = ros.start(MotionNode, model_path=model_path, control_trigger='odometry',
                              cmd_vel_stamped=True, enabled=True, sensor_reliability='reliable',
                              use_sim_time=True, heartbeat_timeout_s=0.0, **parameters)
        ros.listen(TwistStamped, graph.CMD_VEL)
        ros.listen(Header, graph.MOTION_STATE, graph.state_qos())
        self.clock = ros.talk(Clock, graph.CLOCK)
        self.odometry = ros.talk(Odometry, graph.ODOMETRY)
        self.depth = ros.talk(Image, graph.DEPTH)
        self.action = ros.talk(Header, graph.ACTION)
        ros.until(lambda: ros.heard[graph.MOTION_STATE])
        self.now_s, self.pose, self.seen, self.commands = 100.0, Pose(0.0, 0.0, 3.0), OPEN, []

    def tick(self, ticks=1):
        for _ in range(ticks):
            self.now_s += TICK_S
            self.clock.publish(Clock(clock=messages.stamp_of(self.now_s)))
            if self.seen is not None:
                self.depth.publish(messages.depth_message(self.seen, self.now_s, 'camera'))
            self.odometry.publish(messages.odometry_message(self.pose, (0.0, 0.0), self.now_s))
            self.ros.until(self._answered)
            command = self.ros.heard[graph.CMD_VEL][-1].twist
            self._move(command.linear.x, command.angular.z)
            self.commands.append((command.linear.x, command.angular.z))

    def _answered(self):
        heard = self.ros.heard[graph.CMD_VEL]
        return heard and abs(messages.seconds(heard[-1].header.stamp) - self.now_s) < 1e-6

    def _move(self, linear, angular):
        yaw = self.pose.yaw_rad + angular * TICK_S
        self.pose = Pose(self.pose.x_m + linear * math.cos(yaw) * TICK_S,
                         self.pose.y_m + linear * math.sin(yaw) * TICK_S, yaw)

    def act(self, name, stamp_s=None):
        before = self.ros.heard[graph.MOTION_STATE][-1]
        self.action.publish(messages.header(name, self.now_s if stamp_s is None else stamp_s))
        self.ros.until(lambda: self.ros.heard[graph.MOTION_STATE][-1] != before)

    @property
    def state(self):
        return self.ros.heard[graph.MOTION_STATE][-1].frame_id


@pytest.fixture
def base(ros, model_path):
    return Base(ros, model_path)


def test_an_action_is_driven_to_its_goal_and_state_is_told(ros, base):
    base.tick()
    base.act('TURN_LEFT')
    assert base.state == 'moving'
    base.tick(110)
    ros.until(lambda: base.state == 'idle')
    assert base.pose.yaw_rad == pytest.approx(3.0 + math.pi / 2, abs=0.011)


def test_an_action_that_comes_twice_is_executed_once(ros, base):
    base.tick()
    stamp_s = base.now_s
    base.act('MOVE_FORWARD', stamp_s)
    base.tick(100)
    base.action.publish(messages.header('MOVE_FORWARD', stamp_s))
    ros.settle()
    base.tick(60)
    assert math.hypot(base.pose.x_m, base.pose.y_m) == pytest.approx(0.5, abs=0.011)


@pytest.mark.parametrize('name', ['FLY', 'nan', ''])
def test_an_unknown_action_stops_the_robot_and_is_named(ros, base, name):
    base.tick()
    base.act('MOVE_FORWARD')
    base.tick(20)
    base.act(name, base.now_s)
    base.tick()
    assert base.commands[-1] == (0.0, 0.0)
    ros.until(lambda: base.state == 'failed')
    ros.until(lambda: ros.complained('unknown_action'))


def test_a_nan_pose_stops_the_robot_and_is_named(ros, base):
    base.tick()
    base.act('TURN_LEFT')
    base.tick(20)
    base.pose = Pose(math.nan, 0.0, 0.0)
    base.tick()
    assert base.commands[-1] == (0.0, 0.0)
    ros.until(lambda: ros.complained('not_finite'))


def test_a_wall_blocks_a_step_before_it_begins(ros, base):
    base.seen = np.full((32, 32), 0.4, np.float32)
    base.tick()
    base.act('MOVE_FORWARD')
    base.tick(3)
    ros.until(lambda: base.state == 'blocked')
    assert set(base.commands) == {(0.0, 0.0)}
    ros.until(lambda: ros.complained('obstacle'))


def test_forward_stops_when_depth_grows_old(ros, base):
    base.tick()
    base.act('MOVE_FORWARD')
    base.tick(10)
    base.seen = None
    base.tick(28)
    assert base.commands[-1] == (0.0, 0.0)
    ros.until(lambda: ros.complained('stale_depth'))


def test_a_truncated_depth_image_is_refused_in_one_line(ros, base):
    message = messages.depth_message(OPEN, base.now_s, 'camera')
    message.height = 33
    base.depth.publish(message)
    ros.until(lambda: ros.complained('depth/image: refused: '))
    assert '\n' not in ros.complaints()[-1]


def test_a_tick_waits_for_the_depth_that_it_depends_on(ros, model_path):
    base = Base(ros, model_path, depth_wait_s=0.1)
    base.tick()
    base.act('MOVE_FORWARD')
    base.seen = None
    base.tick(5)
    base.now_s += TICK_S
    base.odometry.publish(messages.odometry_message(base.pose, (0.0, 0.0), base.now_s))
    commands = len(ros.heard[graph.CMD_VEL])
    ros.settle()
    assert len(ros.heard[graph.CMD_VEL]) == commands
    base.depth.publish(messages.depth_message(OPEN, base.now_s, 'camera'))
    ros.until(lambda: len(ros.heard[graph.CMD_VEL]) > commands)


def test_stop_disables_until_enabled_again(ros, base):
    base.tick()
    base.act('TURN_LEFT')
    base.tick(20)
    assert ros.call(Trigger, 'motion/stop', Trigger.Request()).success
    base.tick()
    assert base.commands[-1] == (0.0, 0.0)
    ros.until(lambda: base.state == 'disabled')
    assert ros.call(SetBool, 'motion/enable', SetBool.Request(data=True)).message == 'idle'
    base.tick()
    ros.until(lambda: base.state == 'idle')


def test_the_last_command_before_the_end_is_zero(ros, base):
    base.tick()
    base.act('MOVE_FORWARD')
    base.tick(20)
    assert base.commands[-1][0] > 0
    heard = len(ros.heard[graph.CMD_VEL])
    base.node.trigger_deactivate()
    ros.until(lambda: len(ros.heard[graph.CMD_VEL]) > heard)
    last = ros.heard[graph.CMD_VEL][-1].twist
    assert (last.linear.x, last.angular.z) == (0.0, 0.0)
    ros.until(lambda: base.state == 'disabled')


def test_it_moves_again_after_it_was_deactivated_and_activated(ros, base):
    base.tick()
    base.node.trigger_deactivate()
    base.node.trigger_activate()
    ros.until(lambda: base.state == 'idle')
    for publisher in (base.action, base.odometry, base.depth):
        ros.until(lambda publisher=publisher: publisher.get_subscription_count() == 1)
    base.tick()
    base.act('TURN_LEFT')
    assert base.state == 'moving'


def test_by_timer_stale_odometry_is_zero_with_its_cause(ros, model_path):
    node = ros.start(MotionNode, model_path=model_path, enabled=True, heartbeat_timeout_s=0.0)
    ros.listen(Twist, graph.CMD_VEL)
    odometry, action = ros.talk(Odometry, graph.ODOMETRY), ros.talk(Header, graph.ACTION)
    ros.until(lambda: ros.heard[graph.CMD_VEL])

    def send_odometry():
        odometry.publish(messages.odometry_message(Pose(0.0, 0.0, 0.0), (0.0, 0.0), node.now_s))
        return ros.heard[graph.CMD_VEL][-1].angular.z > 0

    send_odometry()
    ros.settle()
    action.publish(messages.header('TURN_LEFT', node.now_s))
    ros.until(send_odometry)
    ros.until(lambda: ros.heard[graph.CMD_VEL][-1].angular.z == 0)
    ros.until(lambda: ros.complained('stale_odometry'))


def test_what_was_decided_before_a_freeze_is_not_commanded_after_it(ros, model_path):
    node = ros.start(MotionNode, model_path=model_path, enabled=True, heartbeat_timeout_s=0.0,
                     cmd_vel_stamped=True)
    ros.listen(TwistStamped, graph.CMD_VEL)
    odometry, action = ros.talk(Odometry, graph.ODOMETRY), ros.talk(Header, graph.ACTION)
    commanded = ros.heard[graph.CMD_VEL]
    ros.until(lambda: commanded)

    def turns():
        odometry.publish(messages.odometry_message(Pose(0.0, 0.0, 0.0), (0.0, 0.0), node.now_s))
        return commanded[-1].twist.angular.z > 0

    turns()
    ros.settle()
    action.publish(messages.header('TURN_LEFT', node.now_s))
    ros.until(turns)
    step, frozen_s = node._controller.step, []

    def frozen_step(now_s, *arguments):
        command = step(now_s, *arguments)
        if not frozen_s and command.angular_radps:
            frozen_s.append(now_s)
            time.sleep(0.4)
        return command

    node._controller.step = frozen_step
    ros.until(lambda: turns() and frozen_s)
    ros.until(lambda: messages.seconds(commanded[-1].header.stamp) > frozen_s[0] + 0.5)
    later = [each.twist.angular.z for each in commanded
             if messages.seconds(each.header.stamp) > frozen_s[0] - 1e-6]
    assert len(later) > 1 and not any(later)
    assert node._controller.state == MotionState.FAILED


def test_it_is_disabled_until_told_otherwise(ros, model_path):
    ros.start(MotionNode, model_path=model_path)
    ros.listen(Header, graph.MOTION_STATE, graph.state_qos())
    ros.until(lambda: ros.heard[graph.MOTION_STATE])
    assert ros.heard[graph.MOTION_STATE][-1].frame_id == 'disabled'
    ros.until(lambda: ros.complained('not_enabled'))


def test_silent_inputs_are_named_within_seconds(ros, model_path):
    ros.start(MotionNode, model_path=model_path, enabled=True)
    ros.until(lambda: ros.complained('nobody publishes /odom'))


def test_a_quality_of_service_that_cannot_match_is_named(ros, model_path):
    ros.probe.create_publisher(Odometry, graph.ODOMETRY, graph.sensor_qos('best_effort'))
    ros.start(MotionNode, model_path=model_path, sensor_reliability='reliable')
    ros.until(lambda: ros.complained('/odom is offered as best effort, but asked for as reliable'))


def test_a_clock_that_never_comes_is_named_within_seconds(ros, model_path):
    ros.start(MotionNode, model_path=model_path, use_sim_time=True)
    ros.until(lambda: ros.complained('nothing has come on /clock'))


