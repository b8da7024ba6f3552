# SPDX-License-Identifier: Apache-2.0
import math

from hypothesis import given
from hypothesis import strategies as st
import pytest

from sim_bridge.simulator import Pose2D
from sim_bridge.simulator import wrap_rad


@given(st.floats(-100, 100))
def test_wrapped_angle_is_the_same_direction_within_half_a_turn(angle_rad):
    wrapped = wrap_rad(angle_rad)
    assert -math.pi < wrapped <= math.pi
    assert math.cos(wrapped - angle_rad) == pytest.approx(1.0)


def test_half_a_turn_is_positive():
    assert wrap_rad(-math.pi) == math.pi == wrap_rad(math.pi)


def test_pose_ahead_is_on_positive_x_and_left_on_positive_y():
    origin = Pose2D(1.0, 1.0, math.pi / 2)
    ahead = Pose2D(1.0, 3.0, math.pi).relative_to(origin)
    left = Pose2D(0.0, 1.0, 0.0).relative_to(origin)
    assert (ahead.x_m, ahead.y_m, ahead.yaw_rad) == pytest.approx((2.0, 0.0, math.pi / 2))
    assert (left.x_m, left.y_m, left.yaw_rad) == pytest.approx((0.0, 1.0, -math.pi / 2))
