# SPDX-License-Identifier: Apache-2.0
import json

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.simulator import SimulatorNode

HOUSE = 'small/test/3'


@pytest.fixture
def simulator(ros, model_path):
    """By the wall clock, alone, five times as fast."""
    for kind, topic in ((Clock, graph.CLOCK), (Image, graph.AUDIO), (Image, graph.COLOR),
                        (Image, graph.DEPTH), (CameraInfo, graph.CAMERA_INFO),
                        (Odometry, graph.ODOMETRY), (String, graph.EPISODE_RESULT)):
        ros.listen(kind, topic, graph.sensor_qos('best_effort', depth=1000))
    ros.listen(Header, graph.EPISODE, graph.state_qos())
    return ros.start(SimulatorNode, model_path=model_path, lockstep=False, wait_for_graph=False,
                     startup_settle_s=0.5, realtime_factor=5.0, house=HOUSE,
                     episode_time_limit_s=4.0)


def stamps_s(heard, topic):
    return np.array([messages.seconds(message.header.stamp) for message in heard[topic]])


def test_by_the_wall_clock_an_episode_runs_to_its_time_limit(ros, simulator, contract):
    commands = ros.talk(TwistStamped, graph.CMD_VEL)

    def drive():
        commands.publish(messages.stamped_twist_message((0.0, 0.5), 0.0))
        return simulator.finished and ros.heard[graph.EPISODE_RESULT]

    ros.until(drive, timeout_s=60)
    heard = ros.heard
    result = json.loads(heard[graph.EPISODE_RESULT][0].data)
    assert (result['end'], result['success'], result['last']) == ('time_limit', False, True)
    assert result['episode'] == heard[graph.EPISODE][0].frame_id
    assert result['house'] == HOUSE
    assert simulator.exit_code == 0
    audio_s = stamps_s(heard, graph.AUDIO)
    assert np.diff(audio_s) == pytest.approx(0.1, abs=1e-6)
    assert {message.encoding for message in heard[graph.AUDIO]} == {'16SC2'}
    assert np.diff(stamps_s(heard, graph.ODOMETRY)) == pytest.approx(0.02, abs=1e-6)
    assert np.diff(stamps_s(heard, graph.DEPTH)) == pytest.approx(0.1, abs=1e-6)
    assert len(heard[graph.CLOCK]) >= len(heard[graph.ODOMETRY]) - 5
    yaws = [messages.motion_of(message)[0].yaw_rad for message in heard[graph.ODOMETRY]]
    assert np.unwrap(yaws)[-1] > 0.5  # left is positive
    depth = messages.depth_of(heard[graph.DEPTH][-1])
    assert depth.shape == (contract.image_height, contract.image_width) and depth.max() > 0.5
    assert messages.camera_of(heard[graph.CAMERA_INFO][0]).fx == pytest.approx(16.0)


def test_steps_that_are_blocked_at_once_count_to_the_limit_of_actions(ros, model_path):
    ros.listen(String, graph.EPISODE_RESULT)
    node = ros.start(SimulatorNode, model_path=model_path, lockstep=False, wait_for_graph=False,
                     startup_settle_s=0.0, realtime_factor=5.0, house=HOUSE, max_actions=2,
                     episode_time_limit_s=30.0)
    action = ros.talk(Header, graph.ACTION)
    motion = ros.talk(Header, graph.MOTION_STATE, graph.state_qos())
    decided_s = []

    def decide():
        if node._record and len(decided_s) < 2 and (
                not decided_s or node._time_s > decided_s[-1] + 1.0):
            decided_s.append(node._time_s)
            action.publish(messages.header('MOVE_FORWARD', decided_s[-1]))
            motion.publish(messages.header('blocked', decided_s[-1]))
        return node.finished and ros.heard[graph.EPISODE_RESULT]

    ros.until(decide, timeout_s=60)
    result = json.loads(ros.heard[graph.EPISODE_RESULT][0].data)
    assert (result['end'], result['actions']) == ('max_actions', 2)


def test_odometry_drifts_as_it_is_told_to(ros, model_path):
    ros.listen(Odometry, graph.ODOMETRY, graph.sensor_qos('best_effort', depth=1000))
    node = ros.start(SimulatorNode, model_path=model_path, lockstep=False, wait_for_graph=False,
                     startup_settle_s=0.0, realtime_factor=5.0, house=HOUSE,
                     episode_time_limit_s=4.0, odometry_noise_angular_rad_per_sqrt_rad=0.3)
    commands = ros.talk(TwistStamped, graph.CMD_VEL)

    def drive():
        commands.publish(messages.stamped_twist_message((0.0, 0.5), 0.0))
        return node.finished

    ros.until(drive, timeout_s=60)
    turned = node._world.pose.relative_to(node._start_pose).yaw_rad
    assert turned > 0.5
    told = np.unwrap([messages.motion_of(message)[0].yaw_rad
                      for message in ros.heard[graph.ODOMETRY]])
    # A single end may land near the truth by chance; the sum over all steps does not.
    scatter = np.square(np.diff(told)).sum() / (0.3 ** 2 * turned)
    assert 0.4 < scatter < 2.5


def test_a_missing_graph_is_named_and_ends_it(ros, model_path):
    node = ros.start(SimulatorNode, model_path=model_path, startup_timeout_s=1.0)
    ros.until(lambda: node.finished)
    assert node.exit_code == 1
    ros.until(lambda: ros.complained('the graph is not complete: spectrogram'))
    assert ros.complained('motion (publishes cmd_vel)')


@pytest.mark.parametrize('house, text', [
    ('/nowhere.json', 'nowhere.json'), ('castle', "a house is a floor plan's .json file")])
def test_a_house_that_cannot_be_ends_it_in_one_line(ros, model_path, house, text):
    node = ros.start(SimulatorNode, model_path=model_path, lockstep=False, wait_for_graph=False,
                     startup_settle_s=0.0, house=house)
    ros.until(lambda: node.finished)
    assert node.exit_code == 1
    ros.until(lambda: ros.complained(text))
    assert all('\n' not in complaint for complaint in ros.complaints())


@pytest.mark.parametrize('parameters, text', [
    ({'sound_folder': '/nowhere'}, '/nowhere: must be a folder'),
    ({'episodes_file': '/nowhere.json'}, 'nowhere.json'),
    ({'model_path': ''}, 'model_path must name an ONNX policy')])
def test_what_it_cannot_use_is_refused_in_configure(ros, model_path, parameters, text):
    node = ros.start(SimulatorNode, autostart=False, **{'model_path': model_path, **parameters})
    assert not node.autostart()
    ros.until(lambda: ros.complained(text))
