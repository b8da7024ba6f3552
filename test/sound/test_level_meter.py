# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.sound.audio_condition import AudioFault
from asgf_nav_ros.sound.level_meter import level_of
from asgf_nav_ros.sound.level_meter import LevelMeter


def test_levels_are_of_full_scale():
    time_s = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 1000 * time_s)
    level = level_of(np.stack([tone, 0.1 * tone]).astype(np.float32))
    np.testing.assert_allclose(level.rms_db, (-3.01, -23.01), atol=0.01)
    np.testing.assert_allclose(level.peak_db, (0, -20), atol=0.01)


def test_a_dead_ear_has_the_lowest_level_and_a_name():
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 4000)
    level = level_of(np.stack([noise, np.zeros(4000)]).astype(np.float32))
    assert level.rms_db[1] == -120.0
    assert level.conditions[0].fault is AudioFault.DEAD_EAR


def test_each_stretch_is_measured_once():
    meter = LevelMeter(stretch_samples=1000)
    block = np.full((2, 400), 0.1, np.float32)
    found = [meter.push(block) is not None for _ in range(6)]
    assert found == [False, False, True, False, False, True]


def test_refuses_an_empty_stretch():
    with pytest.raises(ValueError, match='stretch_samples must be positive, got 0'):
        LevelMeter(stretch_samples=0)
