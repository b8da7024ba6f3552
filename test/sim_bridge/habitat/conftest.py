# SPDX-License-Identifier: Apache-2.0
"""A flat of two rooms behind a habitat server that really is another process."""

import math
from pathlib import Path
import sys

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.habitat.server_process import OwnServer
from sim_bridge.habitat.world import HabitatWorld
from sim_bridge.house.floor_plan import write_floor_plan
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound

STAND_IN = Path(__file__).parent / 'stand_in'
QUIET = ('curtain', 'thick_carpet', 'ceiling_acoustic')


@pytest.fixture(scope='session')
def contract():
    """Small pictures, and the motion of SoundSpaces 2.0."""
    return PolicyContract(image_height=32, image_width=32, forward_step_m=0.25,
                          turn_rad=math.radians(10.0))


@pytest.fixture(scope='session')
def scene(tmp_path_factory):
    """Path of a floor plan."""
    house = House('flat', (
        Room('west', np.array([[0, 0], [4, 0], [4, 3], [0, 3]]), *QUIET),
        Room('east', np.array([[4, 0], [7, 0], [7, 3], [4, 3]]), *QUIET)),
        doors=(Door(np.array([4.0, 1.0]), np.array([4.0, 2.0])),))
    path = tmp_path_factory.mktemp('scenes') / 'flat.json'
    write_floor_plan(house, path)
    return str(path)


@pytest.fixture(scope='session')
def dry(contract):
    return load_sound(load_catalogue().find('circular_saw'), contract.sample_rate_hz)


def serving():
    server = OwnServer(sys.executable, arguments=['--backend', 'embedded'])
    yield server
    server.stop()


embedded_server = pytest.fixture(serving)
kept_server = pytest.fixture(serving, scope='session')


@pytest.fixture(scope='session')
def world(contract, kept_server, dry):
    """A world whose server serves all tests."""
    with HabitatWorld(contract, kept_server, sounds=lambda name: dry) as world:
        yield world


@pytest.fixture
def habitat_python(tmp_path):
    """An interpreter that has the stand-in for habitat-sim installed."""
    script = tmp_path / 'python'
    script.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{STAND_IN}" exec {sys.executable} '
                      '"$@"\n')
    script.chmod(0o755)
    return script


@pytest.fixture
def scenes(tmp_path):
    """Folder of the scenes that the stand-in knows."""
    for name in ('room', 'bare', 'void', 'lying', 'crash'):
        (tmp_path / f'{name}.glb').touch()
    return tmp_path
