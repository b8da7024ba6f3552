# SPDX-License-Identifier: Apache-2.0
"""Silent, clipped, mono and broken audio is called by its name."""

from __future__ import annotations

import numpy as np
import pytest

from asgf_nav_ros.sound.audio_condition import audio_conditions
from asgf_nav_ros.sound.audio_condition import AudioFault
from asgf_nav_ros.sound.audio_condition import AudioLimits


def noise(level: float = 0.3) -> np.ndarray:
    return level * np.random.default_rng(0).uniform(-1, 1, (2, 4000)).astype(np.float32)


def faults(audio: np.ndarray, **limits: float) -> list[AudioFault]:
    return [condition.fault for condition in audio_conditions(audio, AudioLimits(**limits))]


def test_a_faint_far_source_is_all_right():
    assert faults(noise(1e-3)) == []


def test_names_not_finite_samples_and_counts_them():
    audio = noise()
    audio[1, 5:8] = np.nan, np.inf, -np.inf
    (condition,) = audio_conditions(audio)
    assert condition.fault is AudioFault.NOT_FINITE
    assert condition.reason == '3 of 8000 samples are NaN or infinite'


@pytest.mark.parametrize('audio', [np.zeros((2, 100)), noise(5e-5)])
def test_names_silence(audio):
    assert faults(audio) == [AudioFault.SILENT]


@pytest.mark.parametrize('ear, name', [(0, 'left'), (1, 'right')])
def test_names_the_ear_that_is_dead(ear, name):
    audio = noise()
    audio[ear] = 0
    (condition,) = audio_conditions(audio)
    assert condition.fault is AudioFault.DEAD_EAR
    assert f'the {name} ear is silent' in condition.reason


def test_names_mono_sent_as_two_ears():
    assert faults(np.repeat(noise()[:1], 2, axis=0)) == [AudioFault.IDENTICAL_EARS]


def test_names_clipping_and_the_ear():
    audio = noise()
    audio[1] = np.clip(audio[1] * 10, -1, 1)
    (condition,) = audio_conditions(audio)
    assert condition.fault is AudioFault.CLIPPED
    assert 'the right ear is at full scale' in condition.reason


def test_one_full_scale_sample_is_not_clipping():
    audio = noise()
    audio[0, 0] = 1.0
    assert faults(audio) == []


def test_limits_are_parameters():
    assert faults(noise(0.01), silent_peak=0.1) == [AudioFault.SILENT]
    with pytest.raises(ValueError, match=r'clipped_share must be in \(0, 1\], got 0'):
        AudioLimits(clipped_share=0)


@pytest.mark.parametrize('shape', [(100,), (1, 100), (2, 0)])
def test_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match='audio must be'):
        audio_conditions(np.zeros(shape))
