# SPDX-License-Identifier: Apache-2.0
"""The policy node decides, the recorder node records, and the replay decides the same."""

import json

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from asgf_nav_ros import cli
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.policy import PolicyNode
from asgf_nav_ros.nodes.recorder import RecorderNode
from asgf_nav_ros.sight.view import Camera

DECISIONS = 12


@pytest.fixture
def recording(ros, contract, write_policy, tmp_path):
    """A bag of a policy that draws at a high temperature, its model, and what it did."""
    model = write_policy(tmp_path / 'policy.onnx', stop_after=DECISIONS)
    bag = tmp_path / 'bag'
    recorder = ros.start(RecorderNode, bag_path=str(bag), sensor_reliability='reliable')
    ros.start(PolicyNode, model_path=str(model), sensor_reliability='reliable',
              temperature=3.0, seed=7)
    ros.listen(Header, graph.ACTION)
    motion = ros.talk(Header, graph.MOTION_STATE, graph.state_qos())
    hear, look, measure, info = (
        ros.talk(kind, topic) for kind, topic in (
            (Image, graph.SPECTROGRAM), (Image, graph.COLOR), (Image, graph.DEPTH),
            (CameraInfo, graph.CAMERA_INFO)))
    info.publish(messages.camera_message(Camera.of_contract(contract), 0.0, 'camera'))
    rng, size = np.random.default_rng(3), (contract.image_height, contract.image_width)
    for number in range(DECISIONS):
        rest_s = 10.0 + 3 * number
        motion.publish(messages.header('idle', rest_s))
        ears = rng.uniform(0, 0.3, contract.spectrogram_shape).astype(np.float32)
        rgb = rng.integers(0, 255, (*size, 3), dtype=np.uint8)
        depth = rng.uniform(0.5, 2.0, size).astype(np.float32)
        for kind in (1, 0):  # the image of before is there too
            look.publish(messages.color_message(rgb // (1 + kind), rest_s + 1 - kind / 10, ''))
            measure.publish(messages.depth_message(depth, rest_s + 1 - kind / 10, ''))
        hear.publish(messages.spectrogram_message(ears, rest_s + 1, 'ears'))
        ros.until(lambda number=number: len(ros.heard[graph.ACTION]) > number)
    ros.until(lambda: recorder._writer.counts[recorder._writer.connections[-1].id] > 0)
    ros.settle(0.5)
    recorder.trigger_deactivate()
    return bag, model, [action.frame_id for action in ros.heard[graph.ACTION]]


def test_a_replay_agrees_with_the_node(recording, tmp_path):
    bag, model, actions = recording
    result = tmp_path / 'replay.json'
    assert cli.main(['replay', str(bag), '--model', str(model), '--json', str(result)]) == 0
    document = json.loads(result.read_text())
    assert document['decisions'] == document['agree'] == DECISIONS == len(actions)
    assert document['agreement'] == 1.0
    assert document['recorded_model_sha256'] == document['model_sha256']
    assert len(set(actions)) >= 3  # drawn, not foreseeable
