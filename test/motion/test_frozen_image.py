# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.motion.frozen_image import FrozenImage
from asgf_nav_ros.motion.pose import Pose

VIEW = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def camera():
    camera = FrozenImage()
    camera.move(Pose(0.0, 0.0, 3.1))
    camera.see(VIEW)
    return camera


@pytest.mark.parametrize('pose, frozen', [
    (Pose(0.02, 0.0, 3.1), False), (Pose(0.06, 0.0, 3.1), True), (Pose(0.0, 0.0, -3.1), False),
    (Pose(0.0, 0.0, -3.0), True), (Pose(0.0, -0.1, 3.1), True), (Pose(math.nan, 9.0, 0.0), False)])
def test_an_image_that_does_not_change_on_the_way_is_frozen(camera, pose, frozen):
    camera.move(pose)
    camera.see(VIEW.copy())
    assert camera.frozen == frozen


def test_it_thaws_with_the_next_other_image(camera):
    camera.move(Pose(0.4, 0.0, 3.1))
    camera.see(VIEW.copy())
    camera.see(VIEW + 1)
    assert not camera.frozen


def test_motion_alone_says_nothing_before_the_next_image_is_here(camera):
    camera.move(Pose(0.4, 0.0, 3.1))
    assert not camera.frozen
    camera.see(VIEW + 1)
    assert not camera.frozen


def test_an_image_of_one_value_is_not_called_frozen():
    camera = FrozenImage()
    for x_m in (0.0, 1.0, 2.0):
        camera.move(Pose(x_m, 0.0, 0.0))
        camera.see(np.full((3, 4), 7, np.uint8))
    assert not camera.frozen


def test_a_robot_that_was_put_elsewhere_may_see_the_same_again(camera):
    camera.see(VIEW + 1)  # of the new place, before odometry tells of it
    camera.move(Pose(7.0, 2.0, 0.0))
    camera.see(VIEW + 1)
    assert not camera.frozen
    camera.move(Pose(7.1, 2.0, 0.0))
    camera.see(VIEW + 1)
    assert camera.frozen


def test_a_frozen_camera_does_not_thaw_by_a_jump(camera):
    camera.move(Pose(0.4, 0.0, 3.1))
    camera.see(VIEW.copy())
    camera.move(Pose(7.0, 2.0, 0.0))
    camera.see(VIEW.copy())
    assert camera.frozen
