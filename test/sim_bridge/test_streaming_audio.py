# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from sim_bridge.streaming_audio import StreamingConvolver

FADE = 80
RNG = np.random.default_rng(7)
DRY = RNG.uniform(-1, 1, 500)
RESPONSE = RNG.standard_normal((2, 130)) * np.exp(-np.arange(130) / 40)
OTHER = RNG.standard_normal((2, 90)) * np.exp(-np.arange(90) / 30)


def convolver(dry=DRY, phase=0):
    return StreamingConvolver(dry, crossfade_samples=FADE, phase=phase)


def heard_directly(response, count, phase=0):
    history = response.shape[1] - 1
    dry = np.take(DRY, np.arange(phase - history, phase + count), mode='wrap')
    return np.stack([np.convolve(dry, ear, mode='valid') for ear in response])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(0, 499))
def test_blocks_of_a_still_listener_are_one_long_convolution(counts, phase):
    stream = convolver(phase=phase)
    heard = np.concatenate([stream.render(count, RESPONSE) for count in counts], axis=1)
    assert heard.dtype == np.float32
    np.testing.assert_allclose(heard, heard_directly(RESPONSE, sum(counts), phase), atol=1e-5)


def test_response_longer_than_the_loop_is_heard_whole():
    response = RNG.standard_normal((2, 1300))
    heard = convolver().render(700, response)
    np.testing.assert_allclose(heard, heard_directly(response, 700), atol=1e-4)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 60), min_size=8, max_size=30))
def test_change_fades_linearly_however_short_the_blocks(counts):
    stream = convolver()
    stream.render(10, RESPONSE)
    heard = np.concatenate([stream.render(count, OTHER) for count in counts], axis=1)
    total = sum(counts)
    weight = np.minimum(np.arange(total) / FADE, 1.0)
    expected = ((1 - weight) * heard_directly(RESPONSE, total, 10)
                + weight * heard_directly(OTHER, total, 10))
    np.testing.assert_allclose(heard, expected, atol=1e-5)


def test_interrupted_fade_goes_on_from_the_mixture():
    stream = convolver()
    stream.render(10, RESPONSE)
    stream.render(FADE // 4, OTHER)
    heard = stream.render(FADE * 2, -RESPONSE)
    start = 10 + FADE // 4
    mixture = (0.75 * heard_directly(RESPONSE, FADE * 2, start)
               + 0.25 * heard_directly(OTHER, FADE * 2, start))
    weight = np.minimum(np.arange(FADE * 2) / FADE, 1.0)
    expected = (1 - weight) * mixture - weight * heard_directly(RESPONSE, FADE * 2, start)
    np.testing.assert_allclose(heard, expected, atol=1e-5)


def test_moving_listener_hears_no_click_at_block_borders():
    rate_hz, block = 16000, 160
    tone = np.sin(2 * np.pi * 200 * np.arange(rate_hz) / rate_hz)
    stream = StreamingConvolver(tone, crossfade_samples=800)
    blocks = []
    for step in range(100):
        delay, gain = 20 + step // 4, 1.0 / (1.0 + 0.02 * step)
        response = np.zeros((2, 60))
        response[0, delay], response[1, 50 - delay // 2] = gain, 0.7 * gain
        blocks.append(stream.render(block, response))
    heard = np.concatenate(blocks, axis=1)
    steepest = 2 * np.pi * 200 / rate_hz
    assert np.abs(np.diff(heard)).max() < 1.2 * steepest
    assert np.abs(np.diff(heard, n=2)).max() < 0.05 * steepest + 2 * steepest / 800 + steepest ** 2


def test_loop_goes_round_without_a_seam():
    stream = convolver()
    turns = stream.render(3 * DRY.size, RESPONSE).reshape(2, 3, DRY.size)
    np.testing.assert_allclose(turns[:, 1], turns[:, 0], atol=1e-6)
    np.testing.assert_allclose(turns[:, 2], turns[:, 0], atol=1e-6)


@pytest.mark.parametrize('dry', [np.zeros(0), np.zeros((2, 8)), np.array([1.0, np.nan])])
def test_useless_loop_is_refused(dry):
    with pytest.raises(ValueError, match='dry must be'):
        convolver(dry)


def test_bad_calls_are_refused():
    with pytest.raises(ValueError, match='crossfade_samples must be at least 1, got 0'):
        StreamingConvolver(DRY, crossfade_samples=0)
    with pytest.raises(ValueError, match='count must be at least 1, got 0'):
        convolver().render(0, RESPONSE)
    with pytest.raises(ValueError, match=r'response must be \(2, L\), got \(130,\)'):
        convolver().render(8, RESPONSE[0])
