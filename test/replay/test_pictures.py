# SPDX-License-Identifier: Apache-2.0
import numpy as np

from asgf_nav_ros.replay.pictures import depth_picture
from asgf_nav_ros.replay.pictures import heat_colors
from asgf_nav_ros.replay.pictures import spectrogram_picture


def test_near_is_brighter_than_far_and_holes_are_black():
    picture = depth_picture(np.array([[0.5, 5.0, 0.0]], np.float32)).astype(int).sum(axis=2)[0]
    assert picture[0] > picture[1] > picture[2] == 0


def test_low_frequencies_are_at_the_bottom():
    ears = np.zeros((65, 26), np.float32)
    ears[0] = 1.0
    picture = spectrogram_picture(ears, 1.0).astype(int).sum(axis=2)
    assert (picture[-1] > picture[0]).all()


def test_page_and_live_picture_have_the_same_colors():
    colors = np.array(heat_colors()).reshape(256, 3)
    loudest = spectrogram_picture(np.ones((1, 1), np.float32), 1.0)[0, 0]
    assert (colors[255] == loudest[::-1]).all()
