# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.motion.odometry_features import OdometryFeatures
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.motion.reckoning import Reckoning

CONTRACT = PolicyContract(odometry=True)
WALK = (Action.MOVE_FORWARD, Action.TURN_LEFT, Action.MOVE_FORWARD, Action.TURN_RIGHT,
        Action.MOVE_FORWARD)


def walk(reckoning, actions, *, moved=True, slot=0):
    for action in actions:
        reckoning.record(np.array([slot]), np.array([action]), np.array([moved]))


def test_a_walk_ends_where_geometry_says():
    reckoning = Reckoning(2, CONTRACT)
    walk(reckoning, WALK, slot=1)
    np.testing.assert_allclose(reckoning.poses(np.array([1])), [[1.0, 0.5, 0.0]], atol=1e-9)
    np.testing.assert_allclose(reckoning.poses(np.array([0])), [[0, 0, 0]])


def test_a_blocked_step_stays_and_is_told():
    reckoning = Reckoning(1, CONTRACT)
    walk(reckoning, [Action.TURN_LEFT])
    walk(reckoning, [Action.MOVE_FORWARD], moved=False)
    features = reckoning.features(np.array([0]))[0]
    assert features.shape == (MOTION_FEATURES,)
    np.testing.assert_allclose(features, [1, 0, 0, 1, 0, 0, 0, 1, 0.02], atol=1e-6)
    reckoning.begin(np.array([0]))
    np.testing.assert_array_equal(reckoning.features(np.array([0]))[0],
                                  [0, 0, 0, 0, 0, 0, 1, 0, 0])


def test_more_agents_keep_what_the_others_did():
    reckoning = Reckoning(1, CONTRACT)
    walk(reckoning, WALK)
    reckoning.resize(4)
    np.testing.assert_allclose(reckoning.poses(np.array([0, 3])), [[1, 0.5, 0], [0, 0, 0]],
                               atol=1e-9)


@pytest.mark.parametrize('start', [Pose(0.0, 0.0, 0.0), Pose(3.0, -2.0, 2.5)])
def test_odometry_tells_the_same_as_reckoning(start):
    reckoning, odometry = Reckoning(1, CONTRACT), OdometryFeatures(CONTRACT)
    for index, action in enumerate((*WALK, Action.MOVE_FORWARD)):
        x_m, y_m, yaw_rad = reckoning.poses(np.array([0]))[0]
        cos, sin = math.cos(start.yaw_rad), math.sin(start.yaw_rad)
        odometry.see(Pose(start.x_m + cos * x_m - sin * y_m, start.y_m + sin * x_m + cos * y_m,
                          start.yaw_rad + yaw_rad), float(index))
        np.testing.assert_allclose(odometry.features(index + 0.5),
                                   reckoning.features(np.array([0]))[0], atol=1e-5)
        odometry.decided(action, index + 0.5)
        walk(reckoning, [action], moved=index < 4)


def test_poses_from_after_the_window_are_not_used():
    odometry = OdometryFeatures(CONTRACT)
    odometry.see(Pose(0.0, 0.0, 0.0), 2.0)
    assert odometry.features(1.0) is None
    odometry.see(Pose(float('nan'), 0.0, 0.0), 2.5)
    assert np.isfinite(odometry.features(3.0)).all()
