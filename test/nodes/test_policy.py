# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String
from std_srvs.srv import Trigger

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.policy import PolicyNode
from asgf_nav_ros.nodes.policy import PolicyParameters
from asgf_nav_ros.sight.view import Camera


class Robot:
    """Everything that the policy listens to."""

    def __init__(self, ros, contract, model_path, **parameters):
        self.ros, self.contract = ros, contract
        self.node = ros.start(PolicyNode, model_path=model_path, sensor_reliability='reliable',
                              **parameters)
        ros.listen(Header, graph.ACTION)
        ros.listen(String, graph.DECISION)
        self.motion = ros.talk(Header, graph.MOTION_STATE, graph.state_qos())
        self.episode = ros.talk(Header, graph.EPISODE, graph.state_qos())
        self.spectrogram = ros.talk(Image, graph.SPECTROGRAM)
        self.color, self.depth = ros.talk(Image, graph.COLOR), ros.talk(Image, graph.DEPTH)
        self.camera_info = ros.talk(CameraInfo, graph.CAMERA_INFO)
        self.camera_info.publish(
            messages.camera_message(Camera.of_contract(contract), 0.0, 'camera'))
        ros.until(lambda: self.node._view is not None)

    def rest(self, since_s, state='idle'):
        self.motion.publish(messages.header(state, since_s))

    def look(self, stamp_s):
        size = (self.contract.image_height, self.contract.image_width)
        rgb, depth = np.zeros((*size, 3), np.uint8), np.full(size, 5.0, np.float32)
        self.color.publish(messages.color_message(rgb, stamp_s, 'camera'))
        self.depth.publish(messages.depth_message(depth, stamp_s, 'camera'))

    def hear(self, end_s, *, left=0.0, right=0.0):
        spectrogram = np.zeros(self.contract.spectrogram_shape, np.float32)
        spectrogram[..., 0], spectrogram[..., 1] = left, right
        self.spectrogram.publish(messages.spectrogram_message(spectrogram, end_s, 'ears'))

    def sense(self, end_s, **ears):
        self.hear(end_s, **ears)
        self.look(end_s)

    def actions(self, count):
        """The actions published so far, once there are ``count``."""
        self.ros.until(lambda: len(self.ros.heard[graph.ACTION]) >= count)
        return [(action.frame_id, messages.seconds(action.stamp))
                for action in self.ros.heard[graph.ACTION]]


@pytest.fixture
def robot(ros, contract, model_path):
    return Robot(ros, contract, model_path)


def test_one_action_for_the_first_whole_window_at_rest(ros, robot):
    robot.rest(10.0)
    robot.sense(10.9)  # began while the robot moved
    robot.sense(11.0, left=1.0)
    assert robot.actions(1) == [('TURN_LEFT', 11.0)]
    robot.sense(11.1, left=1.0)
    robot.rest(10.0)
    ros.settle()
    assert len(robot.actions(1)) == 1


def test_the_record_suffices_to_decide_again(ros, robot, model_path, contract):
    ros.listen(String, graph.POLICY_INFO, graph.state_qos())
    robot.rest(10.0)
    robot.look(11.05)
    robot.hear(11.0, left=1.0)
    robot.actions(1)
    robot.rest(12.0)
    robot.sense(13.0, left=1.0)
    ros.until(lambda: len(ros.heard[graph.DECISION]) == 2 and ros.heard[graph.POLICY_INFO])
    told = [json.loads(message.data) for message in ros.heard[graph.DECISION]]
    assert [each['step'] for each in told] == [0, 1]
    assert [each['color_stamp_s'] for each in told] == [11.05, 13.0]
    assert [each['depth_stamp_s'] for each in told] == [11.05, 13.0]
    info = json.loads(ros.heard[graph.POLICY_INFO][0].data)
    digest = hashlib.sha256(Path(model_path).read_bytes()).hexdigest()
    assert info['model_sha256'] == digest and info['provider'] == 'cpu'
    assert (info['seed'], info['temperature']) == (0, PolicyParameters().temperature)
    assert PolicyContract.from_json(json.dumps(info['contract'])) == contract


def test_a_new_episode_counts_its_steps_anew(ros, robot):
    robot.rest(10.0)
    robot.sense(11.0, left=1.0)
    robot.actions(1)
    robot.episode.publish(messages.header('second', 12.0))
    robot.rest(12.0)
    robot.sense(13.0, left=1.0)
    ros.until(lambda: len(ros.heard[graph.DECISION]) == 2)
    assert json.loads(ros.heard[graph.DECISION][-1].data)['step'] == 0


def test_the_decision_says_why(ros, robot):
    robot.rest(10.0)
    robot.sense(11.0, right=1.0)
    ros.until(lambda: ros.heard[graph.DECISION])
    told = json.loads(ros.heard[graph.DECISION][0].data)
    assert told['action'] == 'TURN_RIGHT' and told['stamp_s'] == 11.0
    assert max(told['probabilities'], key=told['probabilities'].get) == 'TURN_RIGHT'
    assert sum(told['probabilities'].values()) == pytest.approx(1.0, abs=1e-4)
    assert len(told['frame_weights']) == 26 and len(told['attention']) == 2
    assert told['gate'] == 0.5 and told['latency_ms'] >= told['inference_ms'] > 0
    assert {'value', 'sound_azimuth_rad', 'sound_distance_m', 'episode'} <= set(told)


@pytest.mark.parametrize('state', ['moving', 'disabled'])
def test_nothing_is_decided_while_motion_does_not_rest(ros, robot, state):
    robot.rest(10.0, state)
    robot.sense(11.5)
    ros.settle()
    assert not ros.heard[graph.ACTION]


@pytest.mark.parametrize('state', ['blocked', 'failed'])
def test_blocked_and_failed_are_rest_too(robot, state):
    robot.rest(10.0, state)
    robot.sense(11.0)
    assert robot.actions(1) == [('MOVE_FORWARD', 11.0)]


def test_images_must_be_from_the_time_of_the_window(ros, robot):
    robot.rest(10.0)
    robot.look(10.5)
    robot.hear(11.0)
    ros.settle()
    assert not ros.heard[graph.ACTION]
    robot.look(11.1)
    assert robot.actions(1) == [('MOVE_FORWARD', 11.0)]


def test_images_from_before_the_rest_do_not_count(ros, contract, model_path):
    robot = Robot(ros, contract, model_path, tolerance_s=2.0)
    robot.rest(10.0)
    robot.look(9.9)
    robot.hear(11.0)
    ros.settle()
    assert not ros.heard[graph.ACTION]


def test_the_next_turn_comes_when_motion_has_taken_the_action(ros, robot):
    robot.rest(10.0)
    robot.sense(11.0)
    robot.actions(1)
    robot.rest(11.0, 'moving')
    robot.rest(13.0)
    robot.sense(13.9)
    robot.sense(14.0)
    assert robot.actions(2)[1] == ('MOVE_FORWARD', 14.0)


def test_with_listen_while_moving_no_whole_window_at_rest_is_waited_for(
        ros, contract, model_path):
    robot = Robot(ros, contract, model_path, listen_while_moving=True)
    robot.rest(10.0)
    robot.sense(10.9)
    robot.sense(11.0)
    assert robot.actions(1) == [('MOVE_FORWARD', 11.0)]
    robot.rest(11.0, 'moving')
    ros.until(lambda: robot.node._turn.waits_for == 'motion, which is moving')
    robot.rest(13.0)
    robot.sense(12.9)
    robot.sense(13.1)
    assert robot.actions(2)[1] == ('MOVE_FORWARD', 13.1)


def test_a_lost_action_is_sent_again_unchanged_and_decided_once(ros, contract, model_path):
    robot = Robot(ros, contract, model_path, action_timeout_s=0.2)
    robot.rest(10.0)
    robot.sense(11.0)
    assert robot.actions(3) == [('MOVE_FORWARD', 11.0)] * 3
    assert len(ros.heard[graph.DECISION]) == 1
    ros.until(lambda: ros.complained('motion has not taken MOVE_FORWARD'))


def stop(robot):
    """Six decisions lead to STOP; the time of the last window."""
    now_s = 10.0
    for number in range(1, 7):
        robot.rest(now_s)
        robot.sense(now_s + 1.0)
        name, _ = robot.actions(number)[-1]
        robot.rest(now_s + 1.0, 'moving')
        now_s += 2.0
    assert name == 'STOP'
    return now_s


def test_after_stop_only_a_new_episode_brings_a_turn(ros, robot):
    robot.episode.publish(messages.header('first', 5.0))
    now_s = stop(robot)
    robot.rest(now_s)
    robot.episode.publish(messages.header('first', 5.0))
    robot.sense(now_s + 1.0)
    ros.settle()
    assert len(ros.heard[graph.ACTION]) == 6
    robot.episode.publish(messages.header('second', now_s + 1.0))
    ros.until(lambda: robot.node._turn.episode == 'second')
    robot.sense(now_s + 1.5)  # began before the episode
    robot.sense(now_s + 2.0)
    assert robot.actions(7)[-1] == ('MOVE_FORWARD', now_s + 2.0)
    ros.until(lambda: len(ros.heard[graph.DECISION]) == 7)
    assert json.loads(ros.heard[graph.DECISION][-1].data)['episode'] == 'second'


def test_after_stop_reset_brings_a_turn(ros, contract, model_path):
    robot = Robot(ros, contract, model_path)
    stop(robot)
    now_s = robot.node.now_s
    assert ros.call(Trigger, 'policy/reset', Trigger.Request()).success
    robot.rest(now_s)
    robot.sense(now_s + 2.0)
    assert robot.actions(7)[-1][0] == 'MOVE_FORWARD'


def wrong_color(robot):
    message = messages.color_message(np.zeros((8, 8, 3), np.uint8), 11.0, 'camera')
    message.encoding = 'yuv422'
    robot.color.publish(message)
    return 'color/image: refused: a colour image must be one of rgb8'


def other_size(robot):
    robot.color.publish(
        messages.color_message(np.zeros((8, 8, 3), np.uint8), 11.0, 'camera'))
    return 'color/image: refused: rgb must be (32, 32, 3) uint8'


def truncated_depth(robot):
    message = messages.depth_message(np.ones((32, 32), np.float32), 11.0, 'camera')
    message.data = message.data[:-4]
    robot.depth.publish(message)
    return 'depth/image: refused: an image of 32 rows'


def nan_spectrogram(robot):
    robot.hear(11.0, left=np.nan)
    robot.look(11.0)
    return 'refused: spectrogram must be finite'


def other_spectrogram(robot):
    robot.spectrogram.publish(
        messages.spectrogram_message(np.zeros((65, 69, 2), np.float32), 11.0, 'ears'))
    robot.look(11.0)
    return 'refused: spectrogram must be (65, 26, 2)'


def narrow_camera(robot):
    robot.camera_info.publish(messages.camera_message(
        Camera(width=32, height=32, fx=64, fy=64, cx=16, cy=16), 0.0, 'camera'))
    return 'camera_info: refused: the policy wants a horizontal field of view of 90.0 deg'


@pytest.mark.parametrize('bad', [wrong_color, other_size, truncated_depth, nan_spectrogram,
                                 other_spectrogram, narrow_camera])
def test_bad_input_is_refused_in_one_line_without_an_action(ros, robot, bad):
    robot.rest(10.0)
    text = bad(robot)
    ros.until(lambda: ros.complained(text))
    assert all('\n' not in complaint for complaint in ros.complaints())
    ros.settle()
    assert not ros.heard[graph.ACTION]
    robot.sense(11.1)  # and the robot goes on
    if bad is not narrow_camera:
        assert robot.actions(1) == [('MOVE_FORWARD', 11.1)]


def test_what_is_missing_is_named(ros, contract, model_path):
    robot = Robot(ros, contract, model_path, observation_timeout_s=0.5)
    robot.rest(10.0)
    ros.until(lambda: ros.complained('waits for a spectrogram of 1 s after 10.00 s'))
    robot.hear(11.0)
    ros.until(lambda: ros.complained('waits for color from within 0.25 s of 11.00 s, depth'))


@pytest.mark.parametrize('parameters, text', [
    ({'model_path': ''}, 'model_path must name an ONNX policy'),
    ({'model_path': '/nowhere.onnx'}, 'model /nowhere.onnx cannot be read'),
    ({'model_sha256': '0' * 64}, 'must have SHA-256'),
    ({'provider': 'cuda'}, 'cuda'),
])
def test_a_bad_model_is_refused_in_configure(ros, model_path, parameters, text):
    node = ros.start(PolicyNode, autostart=False, **{'model_path': model_path, **parameters})
    assert not node.autostart()
    ros.until(lambda: ros.complained(text))
    assert all('\n' not in complaint for complaint in ros.complaints())


@pytest.mark.parametrize('fields, text', [
    ({'metadata': False}, 'the model has no asgf_nav_contract'),
    ({'nan': True}, 'NaN'),
])
def test_a_model_that_is_no_policy_is_refused(ros, write_policy, tmp_path, fields, text):
    path = write_policy(tmp_path / 'bad.onnx', **fields)
    node = ros.start(PolicyNode, autostart=False, model_path=str(path))
    assert not node.autostart()
    ros.until(lambda: ros.complained(text))
