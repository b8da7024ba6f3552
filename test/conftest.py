# SPDX-License-Identifier: Apache-2.0
"""Real parts, made small: a house baked coarsely once per test session, a private sound card."""

from pathlib import Path
import shutil
import sys

import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL

sys.path.insert(0, str(Path(__file__).parent))  # for sound_server, however pytest imports tests


@pytest.fixture
def sound_server(monkeypatch):
    """A SoundServer that runs, as the default microphones of this process and its children."""
    if not shutil.which('pulseaudio'):
        pytest.skip('needs pulseaudio: tools/install_system_packages.sh --test')
    from sound_server import SoundServer
    server = SoundServer()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope='session')
def tiny_contract():
    return PolicyContract(image_height=64, image_width=64, input_gain=30.0,
                          audio_channels=TWO_EARS_WITH_INTERAURAL)


@pytest.fixture(scope='session')
def tiny_bake(tiny_contract, tmp_path_factory):
    from sim_bridge.bake import bake_house
    from sim_bridge.bake import BakeSettings
    from sim_bridge.episodes import load_house
    return bake_house(
        load_house('small/train/11'), tiny_contract, directory=tmp_path_factory.mktemp('bakes'),
        settings=BakeSettings(sources=2, rays=1000, response_s=0.2))
