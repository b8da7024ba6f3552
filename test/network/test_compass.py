# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
import torch

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.reckoning import motion_features
from asgf_nav_ros.network.compass import COMPASS_SIZE
from asgf_nav_ros.network.compass import seen_from_robot
from asgf_nav_ros.network.compass import steady_direction
from asgf_nav_ros.network.descriptor import AZIMUTH_BINS


def motion_at(x_m=0.0, y_m=0.0, yaw_rad=0.0):
    return torch.from_numpy(motion_features(
        np.zeros((1, 4)), np.zeros(1), np.array([[x_m, y_m]]), np.array([yaw_rad]),
        np.zeros(1)))


@pytest.mark.parametrize('bins', [0, 1, 6, 12, 17])
def test_a_turn_on_the_spot_leaves_the_direction_steady(bins):
    azimuth = torch.rand(1, AZIMUTH_BINS).softmax(-1)
    turned_left = torch.roll(azimuth, -bins, -1)  # everything moves to the right
    steady = steady_direction(azimuth, motion_at())
    turned = steady_direction(
        turned_left, motion_at(yaw_rad=2 * math.pi * bins / AZIMUTH_BINS))
    assert steady.shape == (1, COMPASS_SIZE)
    torch.testing.assert_close(turned, steady, atol=1e-5, rtol=0)
    if bins:
        assert not torch.allclose(steady_direction(turned_left, motion_at()), steady, atol=1e-3)


def test_the_first_order_points_at_the_sound():
    azimuth = torch.zeros(1, AZIMUTH_BINS)
    azimuth[0, AZIMUTH_BINS // 4] = 1  # to the left
    steady = steady_direction(azimuth, motion_at(yaw_rad=math.pi / 2))  # left of a left turn
    assert steady[0, 0].item() == pytest.approx(-1, abs=1e-6)
    assert steady[0, COMPASS_SIZE // 2].item() == pytest.approx(0, abs=1e-6)


def test_places_are_seen_as_poses_see_them():
    robot = Pose(x_m=3.0, y_m=-2.0, yaw_rad=0.7)
    place = Pose(x_m=-4.0, y_m=5.0, yaw_rad=0.0)
    wanted = place.seen_from(robot)
    seen = seen_from_robot(torch.tensor([[-0.4, 0.5]]), motion_at(3.0, -2.0, 0.7))
    assert seen[0].tolist() == pytest.approx([wanted.x_m / 10, wanted.y_m / 10], abs=1e-6)
