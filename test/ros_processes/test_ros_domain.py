# SPDX-License-Identifier: Apache-2.0
import os
import socket
import subprocess
import sys

import pytest

from asgf_nav_ros.ros_processes import ros_domain


def test_a_domain_in_use_is_left_alone():
    free = ros_domain.free_domain()
    port = ros_domain.FIRST_PORT + ros_domain.PORTS_PER_DOMAIN * free
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.bind(('', port))
        assert ros_domain.free_domain() != free


def test_domains_of_graphs_side_by_side_differ():
    first = ros_domain.free_domain()
    assert ros_domain.free_domain({first}) != first


def test_a_domain_that_was_asked_for_is_used(monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', '77')
    assert ros_domain.chosen_or_free_domain() == 77
    assert ros_domain.graph_environment(77)['ROS_DOMAIN_ID'] == '77'


THREADS = """
import pathlib, rclpy
rclpy.init()
node = rclpy.create_node('any')
print(*(task.read_text().strip() for task in pathlib.Path('/proc/self/task').glob('*/comm')))
"""


def test_processes_share_no_memory_with_one_that_may_be_killed():
    environment = {**os.environ, **ros_domain.graph_environment(ros_domain.free_domain())}
    threads = subprocess.run([sys.executable, '-c', THREADS], env=environment, check=True,
                             capture_output=True, text=True).stdout
    assert 'dds.udp' in threads and 'dds.shm' not in threads


@pytest.mark.parametrize('implementation, discovery', [
    ('', 'SUBNET'), ('rmw_fastrtps_cpp', 'SUBNET'), ('rmw_cyclonedds_cpp', 'LOCALHOST')])
def test_no_other_machine_is_heard_with_any_middleware(monkeypatch, implementation, discovery):
    monkeypatch.setenv('RMW_IMPLEMENTATION', implementation)
    assert ros_domain.graph_environment(1)['ROS_AUTOMATIC_DISCOVERY_RANGE'] == discovery
