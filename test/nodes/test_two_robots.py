# SPDX-License-Identifier: Apache-2.0
"""Two robots on one machine, in two namespaces: real processes, two real sound cards."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from sensor_msgs.msg import Image
from sound_server import SoundServer

from asgf_nav_ros.nodes import messages

PATIENCE_S = 90
SHARED = {'/rosout', '/parameter_events', '/clock'}
LOUD = (np.random.default_rng(5).uniform(-1, 1, (48000 * 30, 2)) * 9000).astype(np.int16)


@pytest.fixture
def second_server():
    server = SoundServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def start(model_path):
    """Start a process of nodes in a namespace, on a sound server."""
    processes = []

    def started(namespace, server, module, *nodes):
        processes.append(subprocess.Popen(
            [sys.executable, '-m', f'asgf_nav_ros.nodes.{module}', *nodes, '--ros-args',
             '-r', f'__ns:=/{namespace}', '-p', f'model_path:={model_path}',
             '-p', 'device:=pulse', '-p', 'follow_motion:=false', '-p', 'source:=topics'],
            env={**os.environ, **server.environment}))
    yield started
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        process.communicate(timeout=PATIENCE_S)


def topics_of(probe, namespace):
    """Everything that the nodes of a namespace publish and subscribe."""
    found = set()
    for name, space in probe.get_node_names_and_namespaces():
        if space == f'/{namespace}':
            for ask in (probe.get_publisher_names_and_types_by_node,
                        probe.get_subscriber_names_and_types_by_node):
                found.update(topic for topic, _ in ask(name, space))
    return found


def loudness(heard):
    return max((float(np.abs(messages.audio_of(message)).max()) for message in heard), default=0)


def test_they_do_not_hear_each_other(ros, start, sound_server, second_server):
    for robot, server in (('left_robot', sound_server), ('right_robot', second_server)):
        ros.listen(Image, f'/{robot}/audio')
        ros.listen(Image, f'/{robot}/spectrogram')
        start(robot, server, 'composed', 'audio_capture', 'spectrogram', 'camera', 'policy')
        start(robot, server, 'motion')
    ros.until(lambda: all(ros.heard[f'/{robot}/{topic}'] for robot in (
        'left_robot', 'right_robot') for topic in ('audio', 'spectrogram')), timeout_s=PATIENCE_S)
    for topic in ('audio', 'spectrogram'):
        ros.heard[f'/right_robot/{topic}'].clear()
    sound_server.play(LOUD)
    ros.until(lambda: loudness(ros.heard['/left_robot/audio'][-20:]) > 0.1, timeout_s=PATIENCE_S)
    ros.until(lambda: len(ros.heard['/right_robot/spectrogram']) > 5, timeout_s=PATIENCE_S)
    assert loudness(ros.heard['/right_robot/audio']) == 0
    assert all(not messages.spectrogram_of(message)[..., :2].any()
               for message in ros.heard['/right_robot/spectrogram'])
    for robot in ('left_robot', 'right_robot'):
        ros.until(lambda robot=robot: f'/{robot}/cmd_vel' in topics_of(ros.probe, robot),
                  timeout_s=PATIENCE_S)
        strangers = {topic for topic in topics_of(ros.probe, robot)
                     if not topic.startswith(f'/{robot}/')}
        assert strangers <= SHARED
