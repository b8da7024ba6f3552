# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.hearing import Hearing
from asgf_nav_ros.sound.hearing import HearingSettings
from asgf_nav_ros.sound.noise_gate import NoiseGateSettings
from asgf_nav_ros.sound.noise_profile import measure_noise
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram

CONTRACT = PolicyContract()
NOISE = np.random.default_rng(2).normal(scale=0.01, size=(2, 48000)).astype(np.float32)
GATED = HearingSettings(2.0, measure_noise(NOISE, CONTRACT), NoiseGateSettings(floor_db=-20))


def test_without_a_profile_only_the_level_changes():
    window = NOISE[:, :16000]
    np.testing.assert_array_equal(
        Hearing(HearingSettings(2.0), CONTRACT).spectrogram(window),
        log_magnitude_spectrogram(window * np.float32(2), CONTRACT))


def test_each_window_is_heard_as_if_it_were_the_first():
    hearing = Hearing(GATED, CONTRACT)
    first, other = NOISE[:, :16000], 10 * NOISE[:, 16000:32000]
    alone = hearing.spectrogram(first)
    hearing.spectrogram(other)
    np.testing.assert_array_equal(hearing.spectrogram(first), alone)
    assert alone.mean() < 0.5 * log_magnitude_spectrogram(2 * first, CONTRACT).mean()


def test_what_a_recording_keeps_gives_the_same_spectrogram_bit_for_bit():
    kept = HearingSettings.of_document(json.loads(json.dumps(GATED.document())))
    window = NOISE[:, :16000] * np.float32(3)
    np.testing.assert_array_equal(Hearing(kept, CONTRACT).spectrogram(window),
                                  Hearing(GATED, CONTRACT).spectrogram(window))


@pytest.mark.parametrize('fields, message', [
    ({'full_scale': 0}, 'full_scale must be in'), ({'full_scale': 10 ** 400}, 'full_scale must'),
    ({'full_scale': None}, 'full_scale must be a number'), ({'noise_gate': {}}, 'noise_gate must'),
    ({'noise_profile': {}}, 'must be a mapping with the format')])
def test_another_document_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        HearingSettings.of_document({**GATED.document(), **fields})
