# SPDX-License-Identifier: Apache-2.0
"""A recording played into real nodes."""

from pathlib import Path
import signal
import subprocess
import sys

from nav_msgs.msg import Odometry
import pytest
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.player import PlayerNode
from asgf_nav_ros.nodes.policy import PolicyNode
from asgf_nav_ros.nodes.spectrogram import SpectrogramNode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'replay'))  # however tests import

from bag_builder import record_run

DECISIONS = 3


@pytest.fixture(scope='module')
def recording(tmp_path_factory, write_policy):
    folder = tmp_path_factory.mktemp('recording')
    model = write_policy(folder / 'tiny.onnx', stop_after=DECISIONS)
    return folder / 'bag', model, record_run(folder / 'bag', model, decisions=DECISIONS)


def test_the_graph_decides_on_what_is_played(ros, recording):
    bag, model, actions = recording
    ros.listen(Header, graph.ACTION)
    ros.listen(Clock, graph.CLOCK)
    listening = {'model_path': str(model), 'sensor_reliability': 'reliable'}
    for kind in (SpectrogramNode, PolicyNode):
        node = ros.start(kind, autostart=False, **listening)
        node.set_parameters([Parameter('use_sim_time', value=True)])
        assert node.autostart()
    player = ros.start(PlayerNode, bag_path=str(bag), rate=2.0, action_wait_s=60.0)
    ros.until(lambda: player.finished, timeout_s=120)
    found = [(action.frame_id, messages.seconds(action.stamp))
             for action in ros.heard[graph.ACTION]]
    assert [name for name, _ in found][-1] == actions[-1] == 'STOP'
    assert [stamp_s for _, stamp_s in found[:DECISIONS]] == pytest.approx([11.0, 13.5, 16.0])
    times_s = [messages.seconds(clock.clock) for clock in ros.heard[graph.CLOCK]]
    assert times_s == sorted(times_s) and 9.9 < times_s[0] < 10.1 and times_s[-1] > 16.0
    assert player.exit_code == 0


def test_what_is_played_is_what_was_recorded(ros, recording):
    ros.listen(Image, graph.AUDIO)
    ros.listen(Image, graph.COLOR)
    ros.listen(Odometry, graph.ODOMETRY)
    player = ros.start(PlayerNode, bag_path=str(recording[0]), rate=20.0, play_states=False)
    assert ros.probe.count_publishers(graph.MOTION_STATE) == 0
    ros.until(lambda: player.finished)
    ros.until(lambda: len(ros.heard[graph.AUDIO]) == 10 * DECISIONS
              and len(ros.heard[graph.COLOR]) == DECISIONS)
    xs = [message.pose.pose.position.x for message in ros.heard[graph.ODOMETRY]]
    assert xs == sorted(xs) and xs[-1] == pytest.approx(0.1 * (DECISIONS - 1))


def test_the_recorded_robot_waits_for_a_slow_policy(ros, recording):
    """For as long as it was told to, here with somebody who never decides."""
    ros.probe.create_publisher(Header, graph.ACTION, graph.event_qos())
    ros.listen(Header, graph.MOTION_STATE, graph.state_qos())
    player = ros.start(PlayerNode, bag_path=str(recording[0]), rate=50.0, action_wait_s=1.0,
                       audience_timeout_s=0.0)
    ros.until(lambda: player._held is not None)
    began_s = player._began_s
    ros.until(lambda: player.finished)
    assert player._began_s >= began_s + DECISIONS * 1.0


def test_a_live_action_lets_the_recorded_robot_go(ros, recording):
    actions = ros.probe.create_publisher(Header, graph.ACTION, graph.event_qos())
    player = ros.start(PlayerNode, bag_path=str(recording[0]), rate=50.0, action_wait_s=60.0,
                       audience_timeout_s=0.0)
    for _ in range(DECISIONS):
        ros.until(lambda: player._held is not None)
        ros.until(lambda: actions.get_subscription_count() > 0)
        actions.publish(messages.header('TURN_LEFT', 1.0))
        ros.until(lambda held=player._held: player._held is not held)
    ros.until(lambda: player.finished)


def test_a_loop_tells_the_time_anew(ros, recording):
    ros.listen(Clock, graph.CLOCK)
    ros.start(PlayerNode, bag_path=str(recording[0]), rate=50.0, loop=True,
              audience_timeout_s=0.0)

    def went_back():
        times_s = [messages.seconds(clock.clock) for clock in ros.heard[graph.CLOCK]]
        return any(later < earlier for earlier, later in zip(times_s, times_s[1:]))

    ros.until(went_back)


@pytest.mark.parametrize('path, message', [
    ('', 'bag_path must name a recording'), ('/nowhere', 'there is none'),
    ('/nowhere.bag', 'a bag of ROS 1')])
def test_what_cannot_be_played_is_said(ros, path, message):
    node = ros.start(PlayerNode, autostart=False, bag_path=path)
    assert not node.autostart()
    ros.until(lambda: ros.complained(message))


def test_the_process_ends_with_the_recording(recording):
    command = [sys.executable, '-m', 'asgf_nav_ros.nodes.player', '--ros-args', '-p',
               f'bag_path:={recording[0]}', '-p', 'rate:=50.0', '-p', 'audience_timeout_s:=0.0']
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == 0 and 'the recording is over' in errors
