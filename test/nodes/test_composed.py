# SPDX-License-Identifier: Apache-2.0
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes.composed import kinds

PATIENCE_S = 60


def process(*arguments):
    return subprocess.Popen([sys.executable, '-m', 'asgf_nav_ros.nodes.composed', *arguments],
                            stderr=subprocess.PIPE, text=True)


def test_nodes_in_one_process_work_and_end_together(ros, model_path, sound_server, tmp_path):
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (160, 120))
    writer.write(np.zeros((120, 160, 3), np.uint8))
    writer.release()
    for topic in (graph.AUDIO, graph.COLOR, graph.SPECTROGRAM):
        ros.listen(Image, topic)
    both = process('audio_capture', 'camera', 'spectrogram', '--ros-args',
                   '-p', f'model_path:={model_path}', '-p', 'device:=pulse',
                   '-p', 'source:=file', '-p', f'path:={path}', '-p', 'loop:=true',
                   '-p', 'hfov_rad:=2.2', '-p', 'follow_motion:=false')
    try:
        ros.until(lambda: all(ros.heard[topic] for topic in (
            graph.AUDIO, graph.COLOR, graph.SPECTROGRAM)), timeout_s=PATIENCE_S)
        both.send_signal(signal.SIGINT)
        _, errors = both.communicate(timeout=PATIENCE_S)
    finally:
        both.kill()
    assert both.returncode == 0, errors
    assert 'Traceback' not in errors


def test_one_that_cannot_work_ends_them_all_and_is_named(model_path):
    both = process('spectrogram', 'policy', '--ros-args', '-p', 'model_path:=/nowhere.onnx')
    _, errors = both.communicate(timeout=PATIENCE_S)
    assert both.returncode == 1
    assert '/nowhere.onnx' in errors and 'Traceback' not in errors


@pytest.mark.parametrize('names', [[], ['motion'], ['camera', 'camera']])
def test_motion_runs_alone_and_nobody_twice(names):
    with pytest.raises(ValueError, match='composed wants some of audio_capture, camera'):
        kinds(names)
