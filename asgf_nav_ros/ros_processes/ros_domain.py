# SPDX-License-Identifier: Apache-2.0
"""The environment of a graph of processes that keeps to itself on this machine."""

from __future__ import annotations

from collections.abc import Container
import contextlib
import os
import socket

from asgf_nav_ros.share import share_directory

DOMAINS = range(1, 101)  # ROS domain ids whose ports no system hands out to others
FAST_DDS = 'rmw_fastrtps'  # the default; also _cpp and _dynamic_cpp
FIRST_PORT, PORTS_PER_DOMAIN = 7410, 250  # of a domain's first participant (DDSI-RTPS)


def graph_environment(domain: int) -> dict[str, str]:
    """Return variables that keep a graph to its domain and its processes to one thread each."""
    profile = str(share_directory('config') / 'fastdds_profile.xml')
    return {
        'ROS_DOMAIN_ID': str(domain),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': _discovery_range(),
        'FASTDDS_DEFAULT_PROFILES_FILE': profile, 'FASTRTPS_DEFAULT_PROFILES_FILE': profile,
        'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'RCUTILS_COLORIZED_OUTPUT': '0'}


def _discovery_range() -> str:
    """That in which no other machine is heard.

    With LOCALHOST Fast DDS would share memory, whatever the profile says, whose UDP is local.
    """
    implementation = os.environ.get('RMW_IMPLEMENTATION') or FAST_DDS
    return 'SUBNET' if implementation.startswith(FAST_DDS) else 'LOCALHOST'


def chosen_or_free_domain() -> int:
    """Return $ROS_DOMAIN_ID, or where it is not set a domain that nobody uses."""
    return int(os.environ.get('ROS_DOMAIN_ID') or free_domain())


def free_domain(taken: Container[int] = ()) -> int:
    """Return a ROS domain that nobody on this machine uses, and that is not in ``taken``.

    Raises:
        OSError: all are taken.
    """
    first = os.getpid() % len(DOMAINS)  # graphs that start at the same moment part here
    for domain in (*DOMAINS[first:], *DOMAINS[:first]):
        if domain in taken:
            continue
        with (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
              contextlib.suppress(OSError)):
            probe.bind(('', FIRST_PORT + PORTS_PER_DOMAIN * domain))
            return domain
    raise OSError(f'no free ROS domain from {DOMAINS[0]} to {DOMAINS[-1]}; set ROS_DOMAIN_ID')
