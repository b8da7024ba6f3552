# SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess

import numpy as np
import pytest

from asgf_nav_ros.faults.sound_card import FAR_EAR
from asgf_nav_ros.faults.sound_card import LAG_SAMPLES
from asgf_nav_ros.faults.sound_card import missing_programs
from asgf_nav_ros.faults.sound_card import NoisyCard
from asgf_nav_ros.faults.sound_card import RATE_HZ
from asgf_nav_ros.faults.sound_card import SINK

SAMPLES = 24000


@pytest.fixture
def card(tmp_path):
    if missing_programs():
        pytest.skip('needs pulseaudio: tools/install_system_packages.sh --test')
    card = NoisyCard(log=tmp_path / 'card.log', seed=1)
    yield card
    card.end()


def recorded(card):
    """(SAMPLES, 2) float64 of noise, from where it is to be heard."""
    recorder = subprocess.Popen(
        ['parec', '--raw', '--format=s16le', f'--rate={RATE_HZ}', '--channels=2',
         f'--device={SINK}.monitor'], env={**os.environ, **card.environment},
        stdout=subprocess.PIPE)
    try:
        ears = np.zeros((0, 2))
        while len(ears) < SAMPLES:
            block = np.frombuffer(recorder.stdout.read(4 * 480), '<i2').reshape(-1, 2)
            ears = np.concatenate([ears, block[block.all(axis=1)] / 32768])
        return ears[-SAMPLES:]
    finally:
        recorder.kill()
        recorder.communicate()


def test_its_noise_reaches_the_left_ear_first_until_it_is_pulled_out_and_again_after_that(card):
    for _ in range(2):
        card.start()
        left, right = recorded(card)[SAMPLES // 2:].T
        lags = range(-20, 21)
        likeness = [np.dot(left[20:-20], np.roll(right, -lag)[20:-20]) for lag in lags]
        assert lags[int(np.argmax(likeness))] == LAG_SAMPLES
        assert right.std() / left.std() == pytest.approx(FAR_EAR, rel=0.05)
        card.send(signal.SIGKILL)
        assert card.wait() and not card.alive


def test_nothing_is_left_behind(card):
    card.start()
    folder = card.environment['PULSE_STATE_PATH']
    assert os.path.isdir(folder)
    card.end()
    assert not os.path.exists(folder) and not card.alive
