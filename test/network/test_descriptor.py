# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from asgf_nav_ros.network.descriptor import AZIMUTH_BINS
from asgf_nav_ros.network.descriptor import descriptor_bins
from asgf_nav_ros.network.descriptor import descriptor_loss
from asgf_nav_ros.network.descriptor import DESCRIPTOR_SIZE
from asgf_nav_ros.network.descriptor import DISTANCE_BINS
from asgf_nav_ros.network.descriptor import SoundDescriptor


def direction(azimuth_rad, distance_m):
    return torch.tensor([[math.cos(azimuth_rad), math.sin(azimuth_rad), math.log1p(distance_m)]])


@pytest.mark.parametrize('azimuth_rad, wanted', [
    (0.0, 0), (0.1, 0), (math.pi / 2, 6), (math.pi, 12), (-math.pi / 2, 18), (-0.2, 23)])
def test_azimuth_bins_go_round_to_the_left(azimuth_rad, wanted):
    assert descriptor_bins(direction(azimuth_rad, 1.0))[0].item() == wanted


def test_distance_bins_rise_and_hold_at_the_end():
    bins = [descriptor_bins(direction(0.0, metres))[1].item() for metres in (0, 1, 5, 39, 400)]
    assert bins == sorted(bins) and bins[0] == 0 and bins[-2:] == [DISTANCE_BINS - 1] * 2


def test_loss_is_small_only_for_the_true_bins():
    wanted = direction(math.pi / 2, 5.0)
    azimuth, distance = (bins.item() for bins in descriptor_bins(wanted))
    sure = torch.zeros(1, DESCRIPTOR_SIZE)
    sure[0, azimuth] = sure[0, AZIMUTH_BINS + distance] = 20.0
    assert descriptor_loss(sure, wanted) < 1e-3
    assert descriptor_loss(sure, direction(-math.pi / 2, 5.0)) > 10


def test_probabilities_are_two_distributions():
    described = SoundDescriptor(8)
    probabilities = described.probabilities(described(torch.randn(3, 8)))
    torch.testing.assert_close(probabilities[:, :AZIMUTH_BINS].sum(-1), torch.ones(3))
    torch.testing.assert_close(probabilities.sum(-1), torch.full((3,), 2.0))
