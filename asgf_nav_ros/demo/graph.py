# SPDX-License-Identifier: Apache-2.0
"""Which processes the demo's graph is made of, and how each is set up."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path
import socket
from typing import Any

from asgf_nav_ros.share import share_directory

DOMAINS = range(1, 101)  # ROS domain ids whose ports no system hands out to others
FIRST_PORT, PORTS_PER_DOMAIN = 7410, 250  # of a domain's first participant (DDSI-RTPS)
NODES = ('spectrogram', 'policy', 'motion', 'simulator')


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """What to run.

    house : a floor plan or a name of a generated house; empty draws one an episode.
    sound_folder : one's own recordings; empty takes unheard ones of the catalogue.
    realtime : by the wall clock, rather than in lockstep as fast as it goes.
    max_actions : a search is given up after so many.
    """

    model: Path
    episodes: int = 3
    seed: int = 1
    house: str = ''
    sound_folder: str = ''
    realtime: bool = False
    max_actions: int = 100

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise ValueError(f'episodes must be positive, got {self.episodes}')
        if not self.model.is_file():
            raise ValueError(f'model must be an ONNX file, got {self.model}: there is none')


def recorder_arguments(plan: DemoPlan, bag: Path) -> list[str]:
    """Return the arguments of Python that start the recorder."""
    return _arguments('recorder', {
        'bag_path': str(bag), 'episodes': plan.episodes, 'start_motion': True})


def node_arguments(node: str, plan: DemoPlan) -> list[str]:
    """Return the arguments of Python that start one of ``NODES``."""
    own = {'simulator': _simulator(plan), 'motion': _motion(plan)}.get(node, {})
    return _arguments(node, {'model_path': str(plan.model), **own})


def _simulator(plan: DemoPlan) -> dict[str, Any]:
    return {'lockstep': not plan.realtime, 'episodes': plan.episodes, 'seed': plan.seed,
            'house': plan.house, 'sound_folder': plan.sound_folder,
            'max_actions': plan.max_actions, 'exit_when_done': False}


def _motion(plan: DemoPlan) -> dict[str, Any]:
    waits = {'enabled': False}  # for the recorder
    by_clock = {'control_trigger': 'timer', 'depth_wait_s': 0.0}
    return {**waits, **by_clock} if plan.realtime else waits


def environment() -> dict[str, str]:
    """Return variables that keep the graph to itself and its processes to one thread each."""
    profile = str(share_directory('config') / 'fastdds_profile.xml')
    return {
        'ROS_DOMAIN_ID': os.environ.get('ROS_DOMAIN_ID') or str(free_domain()),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        # With the default transports a busy machine lost sound in three runs of five.
        'FASTDDS_DEFAULT_PROFILES_FILE': profile, 'FASTRTPS_DEFAULT_PROFILES_FILE': profile,
        'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'RCUTILS_COLORIZED_OUTPUT': '0'}


def free_domain() -> int:
    """Return a ROS domain that nobody on this machine uses.

    Raises:
        OSError: all are taken.
    """
    first = os.getpid() % len(DOMAINS)  # demos that start at the same moment part here
    for domain in (*DOMAINS[first:], *DOMAINS[:first]):
        with (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
              contextlib.suppress(OSError)):
            probe.bind(('', FIRST_PORT + PORTS_PER_DOMAIN * domain))
            return domain
    raise OSError(f'no free ROS domain from {DOMAINS[0]} to {DOMAINS[-1]}; set ROS_DOMAIN_ID')


def _arguments(node: str, parameters: dict[str, Any]) -> list[str]:
    """Return how to run a node with config/sim.yaml and what differs from it."""
    arguments = ['-m', f'asgf_nav_ros.nodes.{node}', '--ros-args',
                 '--params-file', str(share_directory('config') / 'sim.yaml')]
    for name, value in parameters.items():
        if value != '':  # an empty string is the default, and no YAML
            arguments += ['-p', f'{name}:={_yaml(value)}']
    return arguments


def _yaml(value: Any) -> str:
    """Return a value as YAML that keeps its type."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
