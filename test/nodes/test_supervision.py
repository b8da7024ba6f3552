# SPDX-License-Identifier: Apache-2.0
"""Nodes say whether they are well, and motion stands still unless all of them are."""

import time

from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Bool
from std_msgs.msg import Header

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.motion import MotionNode
from asgf_nav_ros.nodes.policy import PolicyNode
from asgf_nav_ros.nodes.spectrogram import SpectrogramNode
from asgf_nav_ros.sight.view import Camera

HERE = Pose(0.0, 0.0, 0.0)
PERIOD_S = 0.02


def often(condition):
    """``condition`` at sensor rate: more would only queue."""
    last_s = -PERIOD_S

    def paced():
        nonlocal last_s
        if time.monotonic() - last_s < PERIOD_S:
            return False
        last_s = time.monotonic()
        return condition()

    return paced


class Base:
    """Odometry that comes on time, signs of life from all, and a turn that never gets on."""

    def __init__(self, ros, model_path, **parameters):
        self.ros = ros
        self.node = ros.start(MotionNode, model_path=model_path, enabled=True, stall_s=20.0,
                              tick_timeout_s=5.0, odometry_timeout_s=5.0, watched_nodes='policy',
                              **parameters)
        ros.listen(Twist, graph.CMD_VEL)
        ros.listen(Header, graph.MOTION_STATE, graph.state_qos())
        self.odometry, self.action = ros.talk(Odometry, graph.ODOMETRY), None
        self.signs = []

    @property
    def turns(self):
        heard = self.ros.heard[graph.CMD_VEL]
        return bool(heard) and heard[-1].angular.z > 0

    @property
    def state(self):
        heard = self.ros.heard[graph.MOTION_STATE]
        return heard[-1].frame_id if heard else ''

    def live(self, condition):
        """Give signs of life until it holds."""
        def step():
            self.odometry.publish(messages.odometry_message(HERE, (0.0, 0.0), self.node.now_s))
            for publisher, sign in self.signs:
                publisher.publish(sign)
            return condition()
        self.ros.until(often(step))

    def turn(self):
        action = self.ros.talk(Header, graph.ACTION)

        def try_to_turn():
            if self.state != 'moving':
                action.publish(messages.header('TURN_LEFT', self.node.now_s))
            return self.turns
        self.live(try_to_turn)


def test_motion_needs_the_heartbeat_of_each_watched_node(ros, model_path):
    base = Base(ros, model_path, heartbeat_timeout_s=2.0)
    policy = ros.talk(Header, graph.HEARTBEAT, graph.sensor_qos('best_effort'))
    base.signs = [(policy, Header(frame_id='policy'))]
    base.turn()
    base.signs = [(policy, Header(frame_id='policy: audio has stopped'))]
    base.live(lambda: not base.turns)
    ros.until(lambda: ros.complained('unwell_node (policy: audio has stopped)'))
    ros.until(lambda: base.state == 'failed')
    base.signs = [(policy, Header(frame_id='policy'))]
    base.turn()
    base.signs = []
    base.live(lambda: not base.turns)
    ros.until(lambda: ros.complained('silent_node (no sign of life from policy)'))


def test_motion_needs_the_deadman_switch_where_there_is_one(ros, model_path):
    base = Base(ros, model_path, heartbeat_timeout_s=0.0, deadman_timeout_s=2.0)
    switch = ros.talk(Bool, graph.DEADMAN)
    base.signs = [(switch, Bool(data=True))]
    base.turn()
    base.signs = [(switch, Bool(data=False))]
    base.live(lambda: not base.turns)
    ros.until(lambda: ros.complained('no_deadman (the deadman switch is not held)'))


def test_motion_stands_still_when_a_simulated_clock_does(ros, model_path):
    base = Base(ros, model_path, heartbeat_timeout_s=0.0, use_sim_time=True)
    clock = ros.talk(Clock, graph.CLOCK)
    times_s = iter(np.arange(10.0, 1000.0, 0.02))

    def run():
        clock.publish(Clock(clock=messages.stamp_of(next(times_s))))
        return base.turns

    base.live(lambda: not run() and base.node.now_s > 0)
    action = ros.talk(Header, graph.ACTION)

    def turn():
        if base.state != 'moving':
            action.publish(messages.header('TURN_LEFT', base.node.now_s))
        return run()

    base.live(turn)
    base.live(lambda: not base.turns)  # nobody publishes the time any more
    ros.until(lambda: ros.complained('clock_stopped'))


def heartbeats(ros, node):
    """What the node says about itself, newest last."""
    return [beat.frame_id for beat in ros.heard[graph.HEARTBEAT]
            if beat.frame_id.startswith(node)]


@pytest.fixture
def listening(ros):
    ros.listen(Header, graph.HEARTBEAT, graph.sensor_qos('best_effort', depth=1000))
    return ros


def says(ros, node, text):
    return any(text in beat for beat in heartbeats(ros, node))


def test_spectrogram_says_that_audio_does_not_come_and_that_an_ear_is_dead(listening, model_path):
    node = listening.start(SpectrogramNode, model_path=model_path)
    listening.until(lambda: says(listening, 'spectrogram', 'nothing has come on audio yet'))
    publisher = listening.talk(Image, graph.AUDIO)
    rng = np.random.default_rng(1)

    def hear():
        noise = rng.uniform(-0.3, 0.3, (2, 320)).astype(np.float32)
        noise[0] = 0
        publisher.publish(messages.audio_message(noise, node.now_s, 'ears'))
        return says(listening, 'spectrogram', 'the left ear is silent')

    listening.until(often(hear))
    listening.until(lambda: says(listening, 'spectrogram', 'audio has stopped'))


def hear_from_both_sides(listening, model_path, between, *, gap_s=0.0):
    """A source on one side, then ``between``, then the same on the other side, all at rest."""
    node = listening.start(SpectrogramNode, model_path=model_path, sensor_reliability='reliable')
    state = listening.talk(Header, graph.MOTION_STATE, graph.state_qos())
    publisher = listening.talk(Image, graph.AUDIO)
    state.publish(messages.header('idle', node.now_s))
    listening.until(lambda: node._rests)
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, 16000).astype(np.float32)
    ears = np.stack([noise[5:], 0.8 * noise[:-5]])
    begin_s = node.now_s
    for part, audio in enumerate((ears, ears[::-1])):
        publisher.publish(messages.audio_message(
            audio, begin_s + part * (15995 / 16000 + gap_s), 'ears'))
        if part == 0:
            listening.settle()
            between()
    listening.settle()


def test_spectrogram_says_that_the_ears_have_been_exchanged(listening, model_path):
    hear_from_both_sides(listening, model_path, lambda: None)
    listening.until(lambda: listening.complained('left and right have changed places'))


def test_behind_a_gap_the_sound_may_come_from_the_other_side(listening, model_path):
    hear_from_both_sides(listening, model_path, lambda: None, gap_s=0.02)
    assert not listening.complained('left and right have changed places')


def test_in_a_new_episode_the_sound_may_come_from_the_other_side(listening, model_path):
    def begin():
        episode = listening.talk(Header, graph.EPISODE, graph.state_qos())
        episode.publish(messages.header('another', 1.0))
        listening.settle()

    hear_from_both_sides(listening, model_path, begin)
    assert not listening.complained('left and right have changed places')


def test_audio_without_stamps_is_refused(listening, model_path):
    listening.start(SpectrogramNode, model_path=model_path)
    publisher = listening.talk(Image, graph.AUDIO)
    publisher.publish(messages.audio_message(np.ones((2, 320), np.float32), 0.0, 'ears'))
    listening.until(lambda: listening.complained('audio: refused: the header has no stamp'))
    listening.until(lambda: says(listening, 'spectrogram', 'audio is refused'))


def test_policy_says_that_the_camera_is_frozen(listening, contract, model_path):
    node = listening.start(PolicyNode, model_path=model_path, input_timeout_s=60.0)
    color, odometry = listening.talk(Image, graph.COLOR), listening.talk(Odometry, graph.ODOMETRY)
    info = listening.talk(CameraInfo, graph.CAMERA_INFO)
    info.publish(messages.camera_message(Camera.of_contract(contract), 0.0, 'camera'))
    view = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    ways_m = iter(np.arange(0.0, 1000.0, 0.01))

    def drive():
        pose = Pose(next(ways_m), 0.0, 0.0)
        odometry.publish(messages.odometry_message(pose, (0.1, 0.0), node.now_s))
        color.publish(messages.color_message(view, node.now_s, 'camera'))
        return says(listening, 'policy', 'the camera is frozen')

    listening.until(often(drive))


def test_the_clock_of_the_machine_may_be_set(ros, model_path, monkeypatch):
    node = ros.start(PolicyNode, model_path=model_path)
    ros.until(lambda: ros.complaints())
    monkeypatch.setattr(node, '_ahead_s', node._ahead_s - 3600.0)  # as if set forward by an hour
    ros.until(lambda: ros.complained('clock: jumped by +3600.0 s, starting afresh'))
