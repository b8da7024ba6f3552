# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from asgf_nav_ros.network.deep_spatial_state import DeepSpatialStateEncoder
from asgf_nav_ros.network.spatial_state import embedding_frames
from asgf_nav_ros.network.spatial_state import SpatialStateEncoder


@pytest.fixture(params=[(65, 26, 5), (65, 69, 2)])
def shape(request):
    torch.manual_seed(0)
    return request.param


def test_one_weight_a_frame_and_two_read_outs(shape):
    audio, state, weights = DeepSpatialStateEncoder(shape)(torch.rand(3, *shape))
    assert audio.shape == state.shape == (3, 512)
    assert weights.shape == (3, embedding_frames(shape[1]))
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert min(audio.min(), state.min()) >= 0
    assert not torch.equal(audio, state)


def test_fresh_weights_are_those_of_the_paper(shape):
    spectrogram = torch.rand(2, *shape) * 3
    deep, paper = DeepSpatialStateEncoder(shape, input_gain=3.0), SpatialStateEncoder(
        shape, input_gain=3.0)
    torch.testing.assert_close(deep(spectrogram)[2], paper(spectrogram)[1])


def test_only_the_state_depends_on_the_weights(shape):
    encoder, spectrogram = DeepSpatialStateEncoder(shape), torch.rand(1, *shape)
    audio, state, _ = encoder(spectrogram)
    with torch.no_grad():
        encoder.score.weight.normal_(std=1.0)
    after = encoder(spectrogram)
    torch.testing.assert_close(after[0], audio)
    assert not torch.allclose(after[1], state)


def test_statistics_stay_unless_they_are_to_be_learnt(shape):
    encoder, spectrogram = DeepSpatialStateEncoder(shape), 5 + torch.rand(4, *shape)
    encoder.train()
    alone = encoder(spectrogram[:1])[1]
    torch.testing.assert_close(encoder(spectrogram)[1][:1], alone, atol=1e-4, rtol=1e-4)
    assert encoder.norms[0].running_mean.abs().max() == 0
    encoder.learn_statistics(True)
    encoder.train()
    encoder(spectrogram)
    assert encoder.norms[0].running_mean.min() > 0.3
    encoder.learn_statistics(False)
    before = encoder.norms[0].running_mean.clone()
    encoder.train()(spectrogram)
    assert torch.equal(encoder.norms[0].running_mean, before)
