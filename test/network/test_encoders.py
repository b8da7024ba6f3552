# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch.nn import functional

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.encoders import AudioEncoder
from asgf_nav_ros.network.encoders import convolved_size
from asgf_nav_ros.network.encoders import float_type
from asgf_nav_ros.network.encoders import VisualEncoder


def plain_encoding(encoder, image, strides):
    """The specification written out: ReLU after the first two convolutions and the linear."""
    for index, (layer, stride) in enumerate(zip(encoder.convolutions, strides)):
        image = functional.conv2d(image, layer.weight, layer.bias, stride)
        image = functional.relu(image) if index < 2 else image
    rows = torch.stack([each.permute(1, 2, 0).reshape(-1) for each in image])
    return functional.relu(functional.linear(rows, encoder.linear.weight, encoder.linear.bias))


def test_visual_encoder_sees_scaled_rgb_and_depth(observe):
    rgb, depth, _ = observe(3)
    encoder = VisualEncoder((128, 128), depth_max_m=10.0)
    image = torch.cat((rgb.float() / 255, depth.unsqueeze(-1) / 10), -1).permute(0, 3, 1, 2)
    expected = plain_encoding(encoder, image.contiguous(), (4, 2, 2))
    torch.testing.assert_close(encoder(rgb, depth), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(('sample_rate_hz', 'kernels', 'strides'), [
    (16000, [(5, 5), (3, 3), (3, 3)], (2, 2, 1)),
    (44100, [(8, 8), (4, 4), (3, 3)], (4, 2, 1))])
def test_audio_encoder_fits_its_kernels_to_the_spectrogram(
        observe, sample_rate_hz, kernels, strides):
    contract = PolicyContract(sample_rate_hz=sample_rate_hz)
    encoder = AudioEncoder(contract.spectrogram_shape)
    sound = observe(2, of=contract)[2]
    assert [layer.kernel_size for layer in encoder.convolutions] == kernels
    expected = plain_encoding(encoder, sound.permute(0, 3, 1, 2).contiguous(), strides)
    torch.testing.assert_close(encoder(sound), expected, rtol=1e-4, atol=1e-5)


def test_audio_encoder_hears_every_channel(observe):
    contract = PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL)
    encoder = AudioEncoder(contract.spectrogram_shape)
    sound = observe(1, of=contract)[2]
    for channel in range(5):
        changed = sound.clone()
        changed[..., channel] += 1
        assert not torch.allclose(encoder(sound), encoder(changed))


@pytest.mark.parametrize(('sight', 'blind_to'), [('rgb', 'depth'), ('depth', 'rgb')])
def test_half_sighted_encoder_ignores_the_other_image(observe, sight, blind_to):
    rgb, depth, _ = observe(2)
    encoder = VisualEncoder((128, 128), depth_max_m=10.0, sight=sight)
    other_rgb, other_depth, _ = observe(2, seed=1)
    same = encoder(other_rgb, depth) if blind_to == 'rgb' else encoder(rgb, other_depth)
    differs = encoder(rgb, other_depth) if blind_to == 'rgb' else encoder(other_rgb, depth)
    assert torch.equal(encoder(rgb, depth), same)
    assert not torch.allclose(encoder(rgb, depth), differs)


def test_rows_do_not_influence_each_other(observe):
    rgb, depth, sound = observe(3)
    visual, audio = VisualEncoder((128, 128), depth_max_m=10.0), AudioEncoder((65, 26, 2))
    torch.testing.assert_close(visual(rgb, depth)[1:2], visual(rgb[1:2], depth[1:2]))
    torch.testing.assert_close(audio(sound)[1:2], audio(sound[1:2]))


def test_starts_with_kaiming_weights_and_zero_biases():
    encoder = VisualEncoder((128, 128), depth_max_m=10.0)
    second = encoder.convolutions[1]
    assert second.weight.std().item() == pytest.approx((2 / (32 * 16)) ** 0.5, rel=0.05)
    assert all(not layer.bias.any() for layer in (*encoder.convolutions, encoder.linear))


def test_convolves_in_the_type_of_autocast():
    tensor = torch.zeros(1)
    with torch.autocast('cpu', torch.bfloat16):
        assert float_type(tensor) == torch.bfloat16
    assert float_type(tensor) == torch.float32


def test_refuses_unknown_sight_and_tiny_images():
    with pytest.raises(ValueError, match="sight must be one of .* got 'lidar'"):
        VisualEncoder((128, 128), depth_max_m=10.0, sight='lidar')
    with pytest.raises(ValueError, match='a side must outlast kernels .* got 20'):
        VisualEncoder((20, 128), depth_max_m=10.0)


def test_convolved_size_counts_window_positions():
    assert convolved_size(128, (8, 4, 3), (4, 2, 2)) == 6
    assert convolved_size(69, (8, 4, 3), (4, 2, 1)) == 5
