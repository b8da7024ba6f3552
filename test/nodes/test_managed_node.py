# SPDX-License-Identifier: Apache-2.0
import signal
import subprocess
import sys

from geometry_msgs.msg import Twist
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetState
import pytest

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes.motion import MotionNode
from asgf_nav_ros.nodes.spectrogram import SpectrogramNode

PATIENCE_S = 20


def process(name, *arguments):
    return subprocess.Popen(
        [sys.executable, '-m', f'asgf_nav_ros.nodes.{name}', '--ros-args', *arguments],
        stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_motion_with_a_last_zero_and_code_0(ros, model_path, number):
    ros.listen(Twist, graph.CMD_VEL)
    node = process('motion', '-p', f'model_path:={model_path}', '-p', 'control_rate_hz:=1.0')
    try:
        ros.until(lambda: ros.heard[graph.CMD_VEL], timeout_s=PATIENCE_S)
        heard = len(ros.heard[graph.CMD_VEL])
        node.send_signal(number)
        _, errors = node.communicate(timeout=PATIENCE_S)
    finally:
        node.kill()
    assert node.returncode == 0, errors
    assert 'Traceback' not in errors
    ros.until(lambda: len(ros.heard[graph.CMD_VEL]) > heard)
    last = ros.heard[graph.CMD_VEL][-1]
    assert (last.linear.x, last.angular.z) == (0.0, 0.0)


@pytest.mark.parametrize('name, arguments, code, text', [
    ('policy', ['-p', 'model_path:=/nowhere.onnx'], 1, 'model /nowhere.onnx cannot be read'),
    ('spectrogram', ['-p', 'publish_period_s:=-1.0'], 2, 'publish_period_s'),
])
def test_a_node_that_cannot_work_ends_with_one_line(name, arguments, code, text):
    node = process(name, *arguments)
    _, errors = node.communicate(timeout=PATIENCE_S)
    assert node.returncode == code
    assert text in errors and 'Traceback' not in errors
    assert len(errors.strip().splitlines()) == 1


def test_the_life_cycle_can_be_driven_from_outside(ros, model_path):
    ros.start(SpectrogramNode, autostart=False, model_path=model_path)
    for transition, label in ((Transition.TRANSITION_CONFIGURE, 'inactive'),
                              (Transition.TRANSITION_ACTIVATE, 'active'),
                              (Transition.TRANSITION_DEACTIVATE, 'inactive'),
                              (Transition.TRANSITION_CLEANUP, 'unconfigured'),
                              (Transition.TRANSITION_CONFIGURE, 'inactive')):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert ros.call(ChangeState, 'spectrogram/change_state', request).success
        state = ros.call(GetState, 'spectrogram/get_state', GetState.Request())
        assert state.current_state.label == label


def test_a_failed_configure_can_be_tried_again(ros):
    node = ros.start(MotionNode, autostart=False)
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
    assert not ros.call(ChangeState, 'motion/change_state', request).success
    state = ros.call(GetState, 'motion/get_state', GetState.Request())
    assert state.current_state.label == 'unconfigured'
    ros.until(lambda: ros.complained('model_path must name an ONNX policy'))
    assert not node.finished


def test_relative_names_follow_the_namespace(ros, model_path):
    node = process('motion', '-r', '__ns:=/robot1', '-p', f'model_path:={model_path}')
    try:
        for topic in ('cmd_vel', 'motion_state', 'diagnostics'):
            ros.until(lambda topic=topic: ros.probe.count_publishers(f'/robot1/{topic}') == 1,
                      timeout_s=PATIENCE_S)
    finally:
        node.send_signal(signal.SIGTERM)
        node.communicate(timeout=PATIENCE_S)
