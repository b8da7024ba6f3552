# SPDX-License-Identifier: Apache-2.0
"""Real nodes, real messages, and a real ONNX policy of a few operators."""

import collections
import contextlib
import os
import socket
import time

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import onnx
from onnx import helper
from onnx import numpy_helper
from onnx import TensorProto
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

from asgf_nav_ros.contract import CONTRACT_KEY
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.nodes import graph as topics
from asgf_nav_ros.ros_processes import ros_domain

# Before the first rclpy.init, and for the processes that tests start.
_domain = ros_domain.free_domain()
# The first participant's port stays taken, so nobody else holds the domain for a free one.
_held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
_held.bind(('', ros_domain.FIRST_PORT + ros_domain.PORTS_PER_DOMAIN * _domain))
os.environ |= ros_domain.graph_environment(_domain)

CONTRACT = PolicyContract(image_height=32, image_width=32, hidden_size=4, input_gain=30.0)


def write_policy(path, *, contract=CONTRACT, stop_after=6, metadata=True, nan=False):
    """Save a policy that says STOP as decision number ``stop_after``.

    hidden counts decisions. Logits: STOP = 50 + 100 (count - stop_after), MOVE_FORWARD = depth
    ahead - 1, TURN_LEFT = -TURN_RIGHT = 20 (left - right log magnitude).
    """
    bins, frames, channels = contract.spectrogram_shape
    weights = np.zeros((contract.hidden_size, 4), np.float32)
    weights[0, 0] = 100.0
    bias = np.array([50 - 100.0 * (stop_after - 1), -1.0, 0.0, 0.0], np.float32)
    if nan:
        bias[:] = np.nan
    ears = np.zeros((channels, 4), np.float32)
    ears[0, 2:], ears[1, 2:] = (20, -20), (-20, 20)
    ahead = np.array([[0, 1, 0, 0]], np.float32)
    constants = {
        'weights': weights, 'bias': bias, 'ears': ears, 'ahead': ahead,
        'one': np.ones(1, np.float32), 'half': np.full((1, 1), 0.5, np.float32),
        'two': np.full((1, 2), 0.5, np.float32), 'direction': np.array([[1, 0, 1]], np.float32),
        'frames': np.full((1, frames), 1 / frames, np.float32)}
    nodes = [
        helper.make_node('ReduceMean', ['spectrogram'], ['loud'], axes=[1, 2], keepdims=0),
        helper.make_node('ReduceMean', ['depth'], ['far'], axes=[1, 2], keepdims=0),
        helper.make_node('Unsqueeze', ['far', 'axis'], ['far_column']),
        helper.make_node('MatMul', ['loud', 'ears'], ['by_ear']),
        helper.make_node('MatMul', ['far_column', 'ahead'], ['by_eye']),
        helper.make_node('MatMul', ['hidden', 'weights'], ['by_count']),
        helper.make_node('Sum', ['by_ear', 'by_eye', 'by_count', 'bias'], ['logits']),
        helper.make_node('Softmax', ['logits'], ['action_probabilities'], axis=1),
        helper.make_node('Add', ['hidden', 'one'], ['hidden_out']),
        helper.make_node('Mul', ['far', 'one'], ['value']),
        helper.make_node('Mul', ['far_column', 'zero'], ['nothing']),
        *(helper.make_node('Add', ['nothing', source], [name]) for name, source in (
            ('gate', 'half'), ('attention', 'two'), ('frame_weights', 'frames'),
            ('sound_direction', 'direction')))]
    constants['zero'] = np.zeros(1, np.float32)
    constants['axis'] = np.ones(1, np.int64)
    image = (contract.image_height, contract.image_width)
    graph = helper.make_graph(nodes, 'tiny', [
        helper.make_tensor_value_info('rgb', TensorProto.UINT8, ['n', *image, 3]),
        helper.make_tensor_value_info('depth', TensorProto.FLOAT, ['n', *image]),
        helper.make_tensor_value_info(
            'spectrogram', TensorProto.FLOAT, ['n', bins, frames, channels]),
        helper.make_tensor_value_info('hidden', TensorProto.FLOAT, ['n', contract.hidden_size]),
    ], [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', *shape]) for name, shape in {
        'action_probabilities': [4], 'value': [], 'hidden_out': [contract.hidden_size],
        'gate': [1], 'attention': [2], 'frame_weights': [frames],
        'sound_direction': [3]}.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
    if metadata:
        helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture(scope='session')
def contract():
    return CONTRACT


@pytest.fixture(scope='session', name='write_policy')
def _write_policy():
    return write_policy


@pytest.fixture(scope='session')
def model_path(tmp_path_factory):
    return str(write_policy(tmp_path_factory.mktemp('models') / 'tiny.onnx'))


class Graph:
    """Nodes under test and a probe that talks to them, spun by hand."""

    def __init__(self):
        self.executor = SingleThreadedExecutor()
        self.probe = rclpy.create_node('probe')
        self.executor.add_node(self.probe)
        self.nodes = []
        self.heard = collections.defaultdict(list)
        self.listen(DiagnosticArray, topics.DIAGNOSTICS)

    def start(self, kind, *, autostart=True, **parameters):
        """Add a node with these parameters, configured and active unless told otherwise."""
        node = kind(parameter_overrides=[
            Parameter(name, value=value) for name, value in parameters.items()])
        self.executor.add_node(node)
        self.nodes.append(node)
        if autostart:
            assert node.autostart()
        return node

    def listen(self, kind, topic, qos=None):
        """Keep every message of a topic in ``heard``."""
        self.probe.create_subscription(
            kind, topic, self.heard[topic].append, qos or topics.event_qos(depth=1000))

    def talk(self, kind, topic, qos=None):
        """A publisher, once somebody listens."""
        publisher = self.probe.create_publisher(kind, topic, qos or topics.event_qos(depth=1000))
        self.until(lambda: publisher.get_subscription_count() > 0)
        return publisher

    def call(self, kind, name, request):
        """The answer of a service."""
        client = self.probe.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(request)
        self.until(future.done)
        return future.result()

    def until(self, condition, *, timeout_s=30.0):
        """Spin until it holds."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, f'did not happen; {self.complaints()}'
            self.executor.spin_once(timeout_sec=0.05)

    def settle(self, seconds=0.15):
        """Spin for a while, to see that something does not happen."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.executor.spin_once(timeout_sec=0.02)

    def complaints(self):
        """Everything that nodes have complained about so far."""
        return sorted({array.status[0].message for array in self.heard[topics.DIAGNOSTICS]
                       if array.status[0].message != 'ok'})

    def complained(self, text):
        """Whether some node has said ``text``."""
        return any(text in complaint for complaint in self.complaints())

    def close(self):
        time.sleep(0.05)  # processes that have just ended are no news then: see nodes/ending.py
        for node in self.nodes:
            node.retire()
            node.destroy_node()
        self.probe.destroy_node()
        self.executor.shutdown()


@contextlib.contextmanager
def _open_graph():
    rclpy.init()
    graph = Graph()
    try:
        yield graph
    finally:
        graph.close()
        rclpy.shutdown()


@pytest.fixture(scope='session')
def open_graph():
    return _open_graph


@pytest.fixture
def ros():
    with _open_graph() as graph:
        yield graph
