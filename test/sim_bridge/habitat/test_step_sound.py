# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.signal import fftconvolve

from sim_bridge.habitat.step_sound import StepSound

RATE, STEP, FADE, TAPS = 1600, 400, 80, 900


def published_window(sound, index, response):
    """One step as the simulator of SoundSpaces 2.0 describes it; response is (taps, 2)."""
    taps = len(response)
    if index - taps < 0:  # silence before the beginning of the sound, and after its end
        heard = np.array([fftconvolve(sound[:index + STEP], ear) for ear in response.T])
        return heard[:, index:index + STEP]
    segment = sound[index - taps + 1:index + STEP]
    if index + STEP >= len(sound):
        segment = np.concatenate([sound[index - taps + 1:], sound[:index + STEP - len(sound)]])
    return np.array([fftconvolve(segment, ear, mode='valid') for ear in response.T])


def published_steps(sound, start, responses):
    if len(sound) // RATE == 1:
        sound = np.concatenate([sound] * 3)
    index, last, ramp = start, None, np.arange(FADE + 1) / FADE
    for response in responses:
        heard = published_window(sound, index, response)
        if last is not None:
            faded = published_window(sound, index, last)[:, :FADE + 1] * ramp[::-1]
            heard = np.concatenate([faded + heard[:, :FADE + 1] * ramp, heard[:, FADE + 1:]], 1)
        yield heard
        index, last = (index + STEP) % len(sound), response


@pytest.mark.parametrize('seconds', [1.0, 1.7, 2.0, 3.3])
@pytest.mark.parametrize('taps', [1, 50, TAPS, 3000])
def test_hears_what_soundspaces_2_computes(seconds, taps):
    rng = np.random.default_rng(int(seconds * 10) + taps)
    sound = rng.standard_normal(int(seconds * RATE))
    # The third and fourth step hear the same response: nothing moved.
    responses = [rng.standard_normal((2, taps)).astype(np.float32) for _ in range(20)]
    responses[3] = responses[2]
    steps = StepSound(sound, sample_rate_hz=RATE, step_samples=STEP, crossfade_samples=FADE,
                      start=123)
    wanted = published_steps(sound, 123, [response.T for response in responses])
    for response, window in zip(responses, wanted):
        heard = steps.hear(response)
        assert heard.dtype == np.float32
        np.testing.assert_allclose(heard, window, atol=1e-3 * np.abs(window).max())


def test_first_step_is_not_faded():
    dry, response = np.ones(RATE * 2), np.zeros((2, 1), np.float32)
    response[:] = 0.5
    steps = StepSound(dry, sample_rate_hz=RATE, step_samples=STEP, crossfade_samples=FADE,
                      start=0)
    np.testing.assert_allclose(steps.hear(response), 0.5)
    faded = steps.hear(2 * response)
    assert faded[0, 0] == pytest.approx(0.5)
    assert faded[0, FADE // 2] == pytest.approx(0.75)
    np.testing.assert_allclose(faded[:, FADE:], 1.0)


@pytest.mark.parametrize('dry', [np.zeros(STEP - 1), np.zeros((2, RATE)), np.full(RATE, np.nan)])
def test_sounds_that_are_none_are_refused(dry):
    with pytest.raises(ValueError, match='a sound must be finite and at least 400 samples'):
        StepSound(dry, sample_rate_hz=RATE, step_samples=STEP, crossfade_samples=FADE, start=0)
