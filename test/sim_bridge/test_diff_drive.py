# SPDX-License-Identifier: Apache-2.0
import math

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from sim_bridge.diff_drive import arc
from sim_bridge.diff_drive import drive
from sim_bridge.diff_drive import measure
from sim_bridge.diff_drive import OdometryNoise
from sim_bridge.diff_drive import ROBOT_RADIUS_M
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.house.plan import Furniture
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room
from sim_bridge.simulator import Pose2D

ROOM = House('room', (Room('room', np.array([[0, 0], [4, 0], [4, 3], [0, 3]])),),
             furniture=(Furniture('table', np.array([2.0, 1.5]), 0.3, (0.8, 0.6, 0.7)),))
OBSTACLES = ObstacleMap(ROOM, ROBOT_RADIUS_M)
START = Pose2D(0.8, 0.8, 0.0)


def test_quarter_circle_ends_where_it_should():
    reached = arc(Pose2D(0.0, 0.0, 0.0), math.pi / 2, math.pi / 2)
    assert (reached.x_m, reached.y_m) == pytest.approx((1.0, 1.0))
    assert reached.yaw_rad == pytest.approx(math.pi / 2)


@settings(deadline=None)
@given(st.floats(-2, 2), st.floats(-3, 3), st.floats(-3, 3))
def test_arc_equals_many_small_steps(linear_m, angular_rad, yaw_rad):
    pose = Pose2D(1.0, 2.0, yaw_rad)
    whole = arc(pose, linear_m, angular_rad)
    for _ in range(50):
        pose = arc(pose, linear_m / 50, angular_rad / 50)
    assert pose.xy == pytest.approx(whole.xy, abs=1e-9)
    assert math.cos(pose.yaw_rad - whole.yaw_rad) == pytest.approx(1.0)


def test_free_way_is_driven_whole():
    reached, collided = drive(START, 0.5, 0.4, obstacles=OBSTACLES)
    assert not collided
    assert reached.xy == pytest.approx(arc(START, 0.5, 0.4).xy)


def test_wall_stops_the_robot_at_its_radius():
    reached, collided = drive(Pose2D(3.0, 0.6, 0.0), 5.0, 0.0, obstacles=OBSTACLES)
    assert collided
    assert reached.x_m == pytest.approx(4.0 - ROBOT_RADIUS_M, abs=1e-3)
    assert reached.y_m == pytest.approx(0.6)


def test_stopped_robot_still_turns_and_backs_out():
    stopped, _ = drive(Pose2D(3.0, 0.6, 0.0), 5.0, 0.0, obstacles=OBSTACLES)
    turned, collided = drive(stopped, 0.0, 2.0, obstacles=OBSTACLES)
    assert not collided and turned.yaw_rad == pytest.approx(2.0)
    back, collided = drive(stopped, -0.3, 0.0, obstacles=OBSTACLES)
    assert not collided and back.x_m == pytest.approx(stopped.x_m - 0.3)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(-0.4, 0.6), st.floats(-1.5, 1.5)), min_size=5, max_size=40))
def test_robot_never_enters_walls_or_furniture(moves):
    pose = START
    for linear_m, angular_rad in moves:
        pose, _ = drive(pose, linear_m, angular_rad, obstacles=OBSTACLES)
        assert OBSTACLES.free(pose.xy[None])[0]


def test_odometry_without_noise_is_exact():
    truth = odometry = Pose2D(0.0, 0.0, 0.0)
    rng = np.random.default_rng(0)
    for linear_m, angular_rad in ((0.3, 0.5), (0.0, -2.0), (-0.2, 3.0)):
        reached = arc(truth, linear_m, angular_rad)
        odometry = measure(odometry, reached.relative_to(truth), OdometryNoise(), rng)
        truth = reached
    assert odometry.xy == pytest.approx(truth.xy)
    assert odometry.yaw_rad == pytest.approx(truth.yaw_rad)


def test_odometry_error_has_the_wanted_size():
    noise = OdometryNoise(linear_m_per_sqrt_m=0.05, angular_rad_per_sqrt_rad=0.02)
    rng = np.random.default_rng(0)
    moved = Pose2D(2.0, 0.0, 0.5)
    measured = [measure(Pose2D(0.0, 0.0, 0.0), moved, noise, rng) for _ in range(2000)]
    assert np.std([pose.x_m for pose in measured]) == pytest.approx(0.05 * 2 ** 0.5, rel=0.1)
    assert np.std([pose.yaw_rad for pose in measured]) == pytest.approx(0.02 * 0.5 ** 0.5, rel=0.1)


def test_negative_noise_is_refused():
    with pytest.raises(ValueError, match='linear_m_per_sqrt_m must be finite and at least 0'):
        OdometryNoise(linear_m_per_sqrt_m=-0.1)
