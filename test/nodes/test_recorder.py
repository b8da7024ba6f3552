# SPDX-License-Identifier: Apache-2.0
"""The recorder as a process, between a publisher of this process and a reader without ROS."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import pytest
import rclpy
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rosbags.highlevel import AnyReader
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String
from std_srvs.srv import SetBool
import yaml

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes.recorder import ENABLE
from asgf_nav_ros.nodes.recorder import HEARING_PATIENCE_S
from asgf_nav_ros.ros_processes import ros_domain

PATIENCE_S = 60
RESULT = {'episode': '1-0', 'success': True}


@pytest.fixture
def domain(monkeypatch):
    for name, value in ros_domain.graph_environment(1 + (os.getpid() + 50) % 100).items():
        monkeypatch.setenv(name, value)


@contextlib.contextmanager
def recording(bag, *parameters):
    """The process, past its ``ready``."""
    command = [sys.executable, '-m', 'asgf_nav_ros.nodes.recorder', '--ros-args',
               '-p', f'bag_path:="{bag}"', '-p', 'sensor_reliability:=reliable', *parameters]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline()) == {'event': 'ready'}
        yield process
        process.kill()


@pytest.fixture
def recorder(domain, tmp_path):
    with recording(tmp_path / 'bag', '-p', 'episodes:=1') as process:
        yield process


@pytest.fixture
def publish(domain):
    """Publishes messages by topic, once somebody listens."""
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('talker', context=context)

    def send(topic, message, qos):
        publisher = node.create_publisher(type(message), topic, qos)
        for _ in range(200):
            if publisher.get_subscription_count():
                break
            time.sleep(0.05)
        publisher.publish(message)
        publisher.wait_for_all_acked(Duration(seconds=5))

    yield send
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def read(bag):
    types = get_typestore(Stores.ROS2_JAZZY)
    with AnyReader([bag], default_typestore=types) as reader:
        return {connection.topic: reader.deserialize(data, connection.msgtype)
                for connection, _, data in reader.messages()}


def test_what_is_published_is_told_and_lies_in_the_bag(recorder, publish, tmp_path):
    pixels = bytes(range(12))
    image = Image(height=2, width=2, step=6, encoding='rgb8', data=pixels)
    publish(graph.COLOR, image, graph.sensor_qos('reliable'))
    publish(graph.ACTION, Header(frame_id='TURN_LEFT'), graph.event_qos())
    publish(graph.EPISODE_RESULT, String(data=json.dumps(RESULT)), graph.event_qos())
    told = [json.loads(line) for line in recorder.stdout]
    assert recorder.wait(timeout=20) == 0
    assert told == [{'event': 'action', 'name': 'TURN_LEFT'},
                    {'event': 'episode_result', **RESULT}]
    found = read(tmp_path / 'bag')
    assert found['/color/image'].data.tobytes() == pixels
    assert found['/action'].frame_id == 'TURN_LEFT'


def test_an_interrupted_recording_can_be_read(recorder, publish, tmp_path):
    publish(graph.ACTION, Header(frame_id='STOP'), graph.event_qos())
    assert json.loads(recorder.stdout.readline())['name'] == 'STOP'
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(timeout=20) == 0
    assert read(tmp_path / 'bag')['/action'].frame_id == 'STOP'


def test_a_bag_is_never_overwritten(domain, tmp_path):
    (tmp_path / 'bag').mkdir()
    command = [sys.executable, '-m', 'asgf_nav_ros.nodes.recorder', '--ros-args',
               '-p', f'bag_path:="{tmp_path / "bag"}"']
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert 'exists already' in done.stderr


def test_the_policy_is_named_in_the_metadata(recorder, publish, tmp_path):
    info = json.dumps({'model_sha256': 'f00d', 'seed': 3})
    publish(graph.POLICY_INFO, String(data=info), graph.state_qos())
    publish(graph.EPISODE_RESULT, String(data=json.dumps(RESULT)), graph.event_qos())
    assert recorder.wait(timeout=PATIENCE_S) == 0
    document = yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())
    custom = document['rosbag2_bagfile_information']['custom_data']
    assert json.loads(custom['policy_info']) == {'model_sha256': 'f00d', 'seed': 3}


def test_the_time_of_the_start_may_name_the_bag(domain, tmp_path):
    command = [sys.executable, '-m', 'asgf_nav_ros.nodes.recorder', '--ros-args',
               '-p', f'bag_path:="{tmp_path / "%Y" / "bag"}"']
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline()) == {'event': 'ready'}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 0
    found = list(tmp_path.glob('*/bag/metadata.yaml'))
    assert len(found) == 1 and re.fullmatch(r'2\d{3}', found[0].parent.parent.name)


def test_a_disk_that_runs_full_ends_the_recording_in_good_order(domain, tmp_path):
    command = [sys.executable, '-m', 'asgf_nav_ros.nodes.recorder', '--ros-args',
               '-p', f'bag_path:="{tmp_path / "bag"}"', '-p', 'least_free_mb:=1000000']
    if shutil.disk_usage(tmp_path).free > 1e12:
        pytest.skip('this disk has over a terabyte left')
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False)
    assert done.returncode == 1
    assert 'recording ends' in done.stderr and 'Traceback' not in done.stderr
    assert (tmp_path / 'bag' / 'metadata.yaml').is_file()


def test_a_disk_without_any_room_is_one_line(domain, tmp_path):
    """With every file cut at 2 MB, as a full disk would."""
    bag = tmp_path / 'bag'
    code = ('import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); '
            'resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20)); '
            'from asgf_nav_ros.nodes.recorder import main; main()')
    command = [sys.executable, '-c', code, '--ros-args', '-p', f'bag_path:="{bag}"',
               '-p', 'sensor_reliability:=reliable']
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('talker', context=context)
    publisher = node.create_publisher(Image, graph.COLOR, graph.sensor_qos('reliable'))
    image = Image(height=512, width=512, step=1536, encoding='rgb8', data=bytes(512 * 1536))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        deadline_s = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < deadline_s:
            publisher.publish(image)
            time.sleep(0.05)
        process.kill()
        errors = process.stderr.read()
    node.destroy_node()
    rclpy.try_shutdown(context=context)
    assert process.returncode == 1, errors
    assert 'cannot write to' in errors and 'Traceback' not in errors


def test_audio_messages_that_are_not_installed_are_one_line(domain, tmp_path):
    command = [sys.executable, '-m', 'asgf_nav_ros.nodes.recorder', '--ros-args',
               '-p', f'bag_path:="{tmp_path / "bag"}"',
               '-p', 'audio_msg_type:=audio_data_stamped']
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False)
    assert done.returncode == 1
    assert 'audio_common_msgs/msg/AudioDataStamped, which is not installed' in done.stderr
    assert not (tmp_path / 'bag').exists()


@pytest.fixture
def whole_graph(domain):
    """A node with every publisher and motion's service, which counts the calls; it spins."""
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('talker', context=context)
    sensor, event, state = graph.sensor_qos('reliable'), graph.event_qos(), graph.state_qos()
    for kind, topic, qos in (
            (Clock, graph.CLOCK, sensor), (Image, graph.AUDIO, sensor),
            (Image, graph.COLOR, sensor), (Image, graph.DEPTH, sensor),
            (CameraInfo, graph.CAMERA_INFO, sensor), (Odometry, graph.ODOMETRY, sensor),
            (Image, graph.SPECTROGRAM, event), (Header, graph.ACTION, event),
            (String, graph.DECISION, event), (TwistStamped, graph.CMD_VEL, event),
            (String, graph.EPISODE_RESULT, event), (Header, graph.EPISODE, state),
            (Header, graph.MOTION_STATE, state), (String, graph.SPECTROGRAM_INFO, state),
            (String, graph.POLICY_INFO, state)):
        node.create_publisher(kind, topic, qos)
    calls = []

    def enable(request, response):
        calls.append(request.data)
        return response

    node.create_service(SetBool, ENABLE, enable)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node, executor, calls
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown(context=context)


@pytest.fixture
def starter(domain, tmp_path):
    """A recorder that gives the start."""
    with recording(tmp_path / 'bag', '-p', 'start_motion:=true') as process:
        yield process


@pytest.mark.usefixtures('starter')
def test_the_start_waits_until_every_publisher_surely_knows_the_readers(whole_graph):
    node, executor, calls = whole_graph
    diagnostics = node.create_publisher(DiagnosticArray, graph.DIAGNOSTICS, graph.event_qos())
    quiet_until_s = time.monotonic() + HEARING_PATIENCE_S / 3
    while time.monotonic() < quiet_until_s:
        executor.spin_once(timeout_sec=0.05)
    assert not calls
    deadline_s = time.monotonic() + HEARING_PATIENCE_S / 3
    while not calls and time.monotonic() < deadline_s:
        diagnostics.publish(DiagnosticArray(status=[DiagnosticStatus(name='/talker')]))
        executor.spin_once(timeout_sec=0.05)
    assert calls == [True]


@pytest.mark.usefixtures('starter')
def test_the_start_does_not_wait_for_ever_for_a_node_without_diagnostics(whole_graph):
    _, executor, calls = whole_graph
    deadline_s = time.monotonic() + PATIENCE_S
    while not calls and time.monotonic() < deadline_s:
        executor.spin_once(timeout_sec=0.05)
    assert calls == [True]
