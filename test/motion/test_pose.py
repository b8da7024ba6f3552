# SPDX-License-Identifier: Apache-2.0
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.pose import wrap_angle

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
