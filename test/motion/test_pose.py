# SPDX-License-Identifier: Apache-2.0
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import wrap_angle
from asgf_nav_ros.motion.pose import yaw_of_quaternion

coordinates = st.floats(-100, 100)


@settings(deadline=None)
@given(st.floats(-100, 100))
def test_wrapping_keeps_the_direction(angle_rad):
    wrapped = wrap_angle(angle_rad)
    assert -math.pi < wrapped <= math.pi
    assert math.cos(wrapped - angle_rad) == pytest.approx(1.0)


@settings(deadline=None)
@given(coordinates, coordinates, st.floats(-math.pi, math.pi), coordinates, coordinates)
def test_a_pose_ahead_and_to_the_left_is_seen_so(x, y, yaw, ahead, left):
    origin = Pose(x, y, yaw)
    point = Pose(x + ahead * math.cos(yaw) - left * math.sin(yaw),
                 y + ahead * math.sin(yaw) + left * math.cos(yaw), yaw + 1.0)
    seen = point.seen_from(origin)
    assert seen.x_m == pytest.approx(ahead, abs=1e-9)
    assert seen.y_m == pytest.approx(left, abs=1e-9)
    assert seen.yaw_rad == pytest.approx(1.0)


def test_nan_is_not_finite():
    assert not Pose(0.0, math.nan, 0.0).finite
    assert Pose(0.0, 0.0, 0.0).finite


@pytest.mark.parametrize('yaw_rad', [0.0, 1.0, -3.0, 3.1])
def test_a_quaternion_has_the_heading_it_was_made_of(yaw_rad):
    z, w = math.sin(yaw_rad / 2), math.cos(yaw_rad / 2)
    assert yaw_of_quaternion(0.0, 0.0, z, w) == pytest.approx(yaw_rad)


@pytest.mark.parametrize('quaternion', [(0, 0, 0, 0), (0, 0, 1, 1), (0, 1e200, 0, 1)])
def test_what_is_no_rotation_is_refused(quaternion):
    with pytest.raises(ValueError, match='quaternion of length 1'):
        yaw_of_quaternion(*quaternion)


def test_nan_stays_nan():
    assert math.isnan(yaw_of_quaternion(math.nan, 0, 0, 1))
