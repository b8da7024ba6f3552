# SPDX-License-Identifier: Apache-2.0
"""The recorder as a process, between a publisher of this process and a reader without ROS."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import rclpy
from rclpy.context import Context
from rclpy.duration import Duration
from rosbags.highlevel import AnyReader
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.nodes import graph

RESULT = {'episode': '1-0', 'success': True}


@pytest.fixture
def domain(monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(1 + (os.getpid() + 50) % 100))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')


@pytest.fixture
def recorder(domain, tmp_path):
    """The process, past its ``ready``."""
    command = [sys.executable, '-m', 'asgf_nav_ros.nodes.recorder', '--ros-args',
               '-p', f'bag_path:="{tmp_path / "bag"}"', '-p', 'episodes:=1',
               '-p', 'sensor_reliability:=reliable']
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline()) == {'event': 'ready'}
        yield process
        process.kill()


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
