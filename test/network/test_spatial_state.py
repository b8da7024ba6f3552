# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.spatial_state import embedding_frames
from asgf_nav_ros.network.spatial_state import frame_averaging
from asgf_nav_ros.network.spatial_state import frame_intensity
from asgf_nav_ros.network.spatial_state import SpatialStateEncoder


@pytest.fixture
def encoder(contract):
    encoder = SpatialStateEncoder(contract.spectrogram_shape)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return encoder


@pytest.mark.parametrize(('sample_rate_hz', 'channels', 'frames'), [
    (16000, ('left', 'right'), 13), (44100, ('left', 'right'), 35),
    (16000, TWO_EARS_WITH_INTERAURAL, 13)])
def test_keeps_the_time_axis(observe, sample_rate_hz, channels, frames):
    contract = PolicyContract(sample_rate_hz=sample_rate_hz, audio_channels=channels)
    encoder = SpatialStateEncoder(contract.spectrogram_shape)
    state, weights = encoder(observe(2, of=contract)[2])
    assert state.shape == (2, 512)
    assert weights.shape == (2, frames)
    assert encoder.frames == frames


def test_weights_are_the_softmax_of_mean_magnitudes(encoder, observe):
    sound = observe(3)[2].numpy()
    magnitude = np.expm1(sound.astype(np.float64))
    for row, weights in zip(magnitude, encoder.frame_weights(torch.from_numpy(sound)).numpy()):
        intensity = np.array([row[:, frame].mean() for frame in range(26)])
        pairs = np.array([(intensity[2 * i] + intensity[2 * i + 1]) / 2 for i in range(13)])
        expected = np.exp(pairs - pairs.max())
        np.testing.assert_allclose(weights, expected / expected.sum(), atol=1e-6)


def test_state_is_the_weighted_sum_of_frame_embeddings(encoder, observe):
    sound = observe(2)[2]
    embeddings = encoder.frame_embeddings(sound)
    state, weights = encoder(sound)
    for row in range(2):
        expected = sum(weights[row, i] * embeddings[i, row] for i in range(13))
        torch.testing.assert_close(state[row], expected, rtol=1e-4, atol=1e-6)


def test_one_direction_hears_the_past_and_the_other_the_future(encoder, observe):
    sound = observe(1)[2]
    changed = sound.clone()
    changed[:, :, 18:] += 1  # reaches embeddings 7 to 12 through the convolutions
    before, after = encoder.frame_embeddings(sound), encoder.frame_embeddings(changed)
    past, future = slice(None, 256), slice(256, None)
    torch.testing.assert_close(before[:6, :, past], after[:6, :, past])
    assert not torch.allclose(before[9:, :, past], after[9:, :, past])
    assert not torch.allclose(before[:6, :, future], after[:6, :, future])


def test_only_the_ears_make_a_frame_loud(observe):
    contract = PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL)
    sound = observe(1, of=contract)[2]
    changed = sound.clone()
    changed[..., 2:] += 3
    assert torch.equal(frame_intensity(sound), frame_intensity(changed))


def test_listens_most_to_the_loudest_frames(encoder):
    sound = torch.zeros(1, 65, 26, 2)
    sound[:, :, 8:10] = 1.5
    weights = encoder.frame_weights(sound)
    assert weights.argmax() == 4
    assert weights.sum().item() == pytest.approx(1)


def test_silence_is_weighed_evenly(encoder):
    weights = encoder.frame_weights(torch.zeros(1, 65, 26, 2))
    torch.testing.assert_close(weights, torch.full((1, 13), 1 / 13))


def test_weights_survive_the_loudest_sound(encoder):
    weights = encoder.frame_weights(torch.full((1, 65, 26, 2), 12.0))
    assert torch.isfinite(weights).all()


def test_weights_keep_float32_under_autocast(encoder, observe):
    sound = observe(4)[2]
    with torch.autocast('cpu', torch.bfloat16):
        state, weights = encoder(sound)
    assert torch.equal(weights, encoder.frame_weights(sound))
    assert state.dtype == torch.float32
    torch.testing.assert_close(state, encoder(sound)[0], rtol=0.1, atol=0.05)


@settings(deadline=None)
@given(st.integers(1, 200))
def test_averaging_covers_every_frame_once(frames):
    averaging = frame_averaging(frames)
    assert averaging.shape == (frames, embedding_frames(frames))
    assert ((averaging > 0).sum(1) == 1).all()
    torch.testing.assert_close(averaging.sum(0), torch.ones(averaging.shape[1]))


def test_refuses_an_odd_width():
    with pytest.raises(ValueError, match='features must be even .* got 511'):
        SpatialStateEncoder((65, 26, 2), features=511)


def test_the_input_gain_does_not_sharpen_the_frame_weights():
    magnitudes = torch.rand(3, 65, 26, 2, generator=torch.Generator().manual_seed(4))
    plain = SpatialStateEncoder((65, 26, 2)).frame_weights(torch.log1p(magnitudes))
    amplified = SpatialStateEncoder((65, 26, 2), input_gain=30.0).frame_weights(
        torch.log1p(30.0 * magnitudes))
    torch.testing.assert_close(plain, amplified)
