# SPDX-License-Identifier: Apache-2.0
import socket
from xml.etree import ElementTree

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


def test_processes_share_no_memory_with_one_that_may_be_killed():
    profile = ElementTree.parse(ros_domain.graph_environment(1)['FASTDDS_DEFAULT_PROFILES_FILE'])
    space = '{http://www.eprosima.com}'
    assert [kind.text for kind in profile.iter(f'{space}type')] == ['UDPv4']
    assert [use.text for use in profile.iter(f'{space}useBuiltinTransports')] == ['false']
