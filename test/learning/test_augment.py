# SPDX-License-Identifier: Apache-2.0
import numpy as np
import torch

from asgf_nav_ros.learning import augment


def test_masks_are_stripes_in_a_share_of_samples():
    spectrogram = torch.ones(20, 50, 65, 26, 5)
    augment.mask_spectrograms(spectrogram, 0.3, np.random.default_rng(0))
    assert torch.equal(spectrogram.amin(-1), spectrogram.amax(-1))  # all channels alike
    kept = spectrogram[..., 0].bool()
    whole = kept.all(-1).all(-1)
    assert 0.65 < whole.float().mean() < 0.75
    for sample in kept[~whole]:
        bins, frames = ~sample.any(1), ~sample.any(0)  # lost in all frames, in all bins
        assert torch.equal(~sample, bins[:, None] | frames[None])
        for lost, most in ((bins, 16), (frames, 6)):
            assert lost.sum() <= most
            assert lost.int().diff().abs().sum() <= 2


def test_no_share_masks_nothing():
    spectrogram = torch.ones(2, 3, 65, 26, 5)
    augment.mask_spectrograms(spectrogram, 0.0, np.random.default_rng(0))
    assert spectrogram.all()


def test_colors_are_swapped_and_scaled_in_a_share_of_environments():
    rgb = torch.zeros(3, 400, 4, 4, 3, dtype=torch.uint8)
    rgb[...] = torch.tensor([40, 100, 200], dtype=torch.uint8)
    jittered = augment.jitter_colors(rgb.clone(), 0.5, np.random.default_rng(0))
    assert jittered.dtype == torch.uint8 and jittered.shape == rgb.shape
    changed = (jittered != rgb).flatten(2).any(2)
    assert torch.equal(changed, changed[:1].expand(3, -1))  # for as long as a segment
    assert 0.4 < changed[0].float().mean() < 0.6
    assert torch.equal(jittered[:, ~changed[0]], rgb[:, ~changed[0]])
    colors = jittered[0, changed[0], 0, 0].float()
    assert (colors.sort(-1).values <= torch.tensor([100.0, 200.0, 200.0])).all()
    assert (colors.argmax(-1) != 2).any()
