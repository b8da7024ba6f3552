# SPDX-License-Identifier: Apache-2.0
import json
import math

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes import visuals
from asgf_nav_ros.nodes.visuals import VisualsNode
from asgf_nav_ros.replay.live_picture import live_picture
from asgf_nav_ros.replay.live_picture import LiveMoment

DECISION = {'stamp_s': 11.0, 'action': 'TURN_LEFT', 'sound_azimuth_rad': 1.0,
            'sound_distance_m': 3.0, 'gate': 0.4, 'attention': [0.5, 0.5],
            'frame_weights': [0.1] * 10, 'probabilities': {'STOP': 0.1, 'TURN_LEFT': 0.9}}


class Tools:
    """What RViz would listen to, and the robot that it looks at."""

    def __init__(self, ros):
        self.ros, self.driven = ros, 0
        self.node = ros.start(VisualsNode, sensor_reliability='reliable', path_period_s=0.05,
                              dashboard_period_s=0.05)
        latched = graph.state_qos()
        for kind, topic in ((Path, visuals.PATH), (PoseStamped, visuals.ACTION_ARROW),
                            (PoseStamped, visuals.SOUND_DIRECTION), (Image, visuals.DASHBOARD)):
            ros.listen(kind, topic, latched)
        self.odometry = ros.talk(Odometry, graph.ODOMETRY)
        self.decision = ros.talk(String, graph.DECISION)

    def drive(self, *poses):
        for pose in poses:
            self.driven += 1
            stamp_s = 10.0 + self.driven / 10
            self.odometry.publish(
                messages.odometry_message(Pose(*pose), (0.0, 0.0), stamp_s))
            self.ros.until(lambda stamp_s=stamp_s: self.node._odometry is not None and (
                self.node._odometry.header.stamp == messages.stamp_of(stamp_s)))

    def decide(self, **changes):
        self.decision.publish(String(data=json.dumps({**DECISION, **changes})))

    def arrow(self, topic):
        self.ros.until(lambda: self.ros.heard[topic])
        return self.ros.heard[topic][-1]


@pytest.fixture
def tools(ros):
    return Tools(ros)


def direction(stamped):
    """Where the x axis of a pose points, (3,)."""
    q = stamped.pose.orientation
    return np.array([1 - 2 * (q.y ** 2 + q.z ** 2), 2 * (q.x * q.y + q.w * q.z),
                     2 * (q.x * q.z - q.w * q.y)])


def test_the_path_has_a_pose_every_few_centimetres(ros, tools):
    tools.drive(*((k / 100, 0.0, 0.0) for k in range(101)))
    ros.until(lambda: ros.heard[visuals.PATH] and len(ros.heard[visuals.PATH][-1].poses) >= 17)
    path = ros.heard[visuals.PATH][-1]
    xs = [each.pose.position.x for each in path.poses]
    assert np.diff(xs).min() > 0.049 and path.header.frame_id == 'odom'


def test_a_new_episode_begins_a_new_path(ros, tools):
    tools.drive((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    ros.talk(Header, graph.EPISODE, graph.state_qos()).publish(messages.header('2', 11.0))
    ros.until(lambda: tools.node._episode == ('2', 11.0))
    tools.drive((5.0, 0.0, 0.0))
    ros.until(lambda: ros.heard[visuals.PATH] and [
        each.pose.position.x for each in ros.heard[visuals.PATH][-1].poses] == [5.0])


@pytest.mark.parametrize('action, wanted', [
    ('MOVE_FORWARD', (0, 1, 0)), ('TURN_LEFT', (-1, 0, 0)), ('TURN_RIGHT', (1, 0, 0)),
    ('STOP', (0, 0, 1))])
def test_the_arrow_points_where_the_action_leads(tools, action, wanted):
    tools.drive((2.0, 3.0, math.pi / 2))
    tools.decide(action=action)
    arrow = tools.arrow(visuals.ACTION_ARROW)
    assert direction(arrow) == pytest.approx(wanted, abs=1e-6)
    assert (arrow.pose.position.x, arrow.pose.position.y) == (2.0, 3.0)
    assert arrow.header.frame_id == 'odom'


def test_the_believed_direction_turns_with_the_robot(tools):
    tools.drive((0.0, 0.0, 0.5))
    tools.decide(sound_azimuth_rad=1.0)
    found = direction(tools.arrow(visuals.SOUND_DIRECTION))
    assert found == pytest.approx((math.cos(1.5), math.sin(1.5), 0), abs=1e-6)


def test_the_dashboard_is_a_picture(ros, tools):
    tools.decide()
    ros.until(lambda: ros.heard[visuals.DASHBOARD] and tools.node._moment.decision)
    before = len(ros.heard[visuals.DASHBOARD])
    ros.until(lambda: len(ros.heard[visuals.DASHBOARD]) > before + 1)
    picture = messages.color_of(ros.heard[visuals.DASHBOARD][-1])
    assert picture.shape == (540, 960, 3) and len(np.unique(picture)) > 20


def test_a_decision_that_is_none_is_refused(ros, tools):
    for text in ('no JSON', '[' * 20000, '{"action": "FLY", "stamp_s": 1.0}'):
        tools.decision.publish(String(data=text))
    ros.until(lambda: ros.complained('a decision must have an action'))
    tools.drive((0.0, 0.0, 0.0))
    assert not ros.heard[visuals.ACTION_ARROW]


@pytest.mark.parametrize('changes', [
    {}, {'frame_weights': 'many'}, {'attention': []}, {'probabilities': [1]}, {'gate': None},
    {'frame_weights': [math.nan]}, {'sound_azimuth_rad': 'left'},
    {'probabilities': {'STOP': 'x', 'é' * 50: 1e9}}])
def test_any_decision_can_be_drawn(changes):
    moment = LiveMoment(
        color=np.full((20, 30, 3), 200, np.uint8), depth=np.ones((10, 10), np.float32),
        spectrogram=np.ones((65, 26, 1), np.float32), decision={**DECISION, **changes},
        motion_state='idle')
    assert live_picture(moment).shape == (540, 960, 3)
