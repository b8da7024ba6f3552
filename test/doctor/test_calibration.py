# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import yaml

from asgf_nav_ros.doctor.calibration import calibrate
from asgf_nav_ros.doctor.calibration import loudest_second_db
from asgf_nav_ros.doctor.calibration import TRAINING_RMS_DB

RATE_HZ = 16000
RNG = np.random.default_rng(3)


def noise(level_db, seconds=4):
    scale = 10 ** (level_db / 20)
    return RNG.normal(scale=scale, size=(2, seconds * RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize('level_db', [-40.0, -25.0])
def test_the_sound_gets_the_level_that_it_has_in_training(level_db):
    found = calibrate(noise(level_db), noise(-70), rate_hz=RATE_HZ, device='mic')
    heard_db = level_db + 20 * np.log10(found.full_scale)
    assert heard_db == pytest.approx(TRAINING_RMS_DB, abs=0.2)


def test_the_loudest_second_counts_and_not_the_pauses():
    audio = np.concatenate([noise(-80), noise(-20, seconds=1), noise(-80)], axis=1)
    assert loudest_second_db(audio, RATE_HZ) == pytest.approx(-20, abs=0.3)


def test_the_file_is_one_for_the_spectrogram_node(tmp_path):
    found = calibrate(noise(-30), noise(-60), rate_hz=RATE_HZ, device='USB\nmic')
    found.write(tmp_path / 'level.yaml')
    document = yaml.safe_load((tmp_path / 'level.yaml').read_text())
    value = document['/**/spectrogram']['ros__parameters']['full_scale']
    assert value == pytest.approx(found.full_scale, rel=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ['level.yaml']


@pytest.mark.parametrize('sound, room, message', [
    (noise(-50), noise(-55), 'at least 10 dB louder than the room, got 5.'),
    (np.ones((2, RATE_HZ), np.float32), noise(-60), 'is clipped'),
    (noise(-90), noise(-120), 'full_scale must be in')])
def test_refuses_what_tells_no_level(sound, room, message):
    with pytest.raises(ValueError, match=message):
        calibrate(sound, room, rate_hz=RATE_HZ, device='mic')
