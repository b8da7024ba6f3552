# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.inference.heard_spectrum import level_db
from asgf_nav_ros.inference.heard_spectrum import likeness
from asgf_nav_ros.inference.heard_spectrum import magnitudes
from asgf_nav_ros.network.goal_sound import GoalSound

CONTRACT = PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL, input_gain=30.0,
                          goal_windows=1, hidden_size=512 + 66)


def spectrogram_of(magnitude):
    """(bins, frames, 2) of magnitudes as the policy hears them."""
    planes = np.zeros(CONTRACT.spectrogram_shape, np.float32)
    planes[..., :2] = np.log1p(CONTRACT.input_gain * magnitude)
    planes[..., 2:] = 7.0  # interaural differences are no magnitudes
    return planes


def windows(count):
    rng = np.random.default_rng(0)
    bins, frames, _ = CONTRACT.spectrogram_shape
    slopes = 10 ** (2 * rng.standard_normal((count, bins, 1, 1)))
    return slopes * rng.uniform(0.1, 0.2, (count, bins, frames, 2))


def test_magnitudes_are_read_back():
    magnitude = windows(1)[0] / 100
    read = magnitudes(spectrogram_of(magnitude), CONTRACT)
    assert read == pytest.approx(magnitude, rel=1e-3, abs=1e-6)


def test_magnitudes_of_anything_are_finite():
    planes = np.full(CONTRACT.spectrogram_shape, 1e30, np.float32)
    assert np.isfinite(level_db(magnitudes(planes, CONTRACT).max()))


def test_twice_as_much_is_six_decibels_and_silence_is_a_number():
    magnitude = windows(1)[0].mean()
    assert level_db(2 * magnitude) - level_db(magnitude) == pytest.approx(6.02, abs=0.01)
    assert level_db(0.0) == -180


def test_likeness_is_what_the_policy_hears_as_such():
    one, other = (spectrogram_of(magnitude / 100) for magnitude in windows(2))
    goal_sound = GoalSound(CONTRACT)
    state = goal_sound.remember(goal_sound.spectrum(torch.from_numpy(one)[None]),
                                torch.zeros(1, goal_sound.size))
    match = goal_sound.match(torch.from_numpy(other)[None], state)
    spectra = [magnitudes(each, CONTRACT).mean((1, 2)) for each in (one, other)]
    assert likeness(*spectra) == pytest.approx(float(match[0, 0]), abs=1e-3)
    assert likeness(spectra[0], 5 * spectra[0]) == pytest.approx(1)
    assert likeness(spectra[0], np.zeros_like(spectra[0])) == 0
