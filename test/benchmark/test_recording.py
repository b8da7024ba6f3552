# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest


def test_pose_is_interpolated_and_holds_at_the_ends(recording):
    poses = np.array([[1.0, 0.0, 0.0, 3.0], [3.0, 2.0, 4.0, 3.0 + 0.4 - math.tau]])
    moved = dataclasses.replace(recording, poses=poses)
    assert moved.pose(2.0) == pytest.approx((1.0, 2.0, 3.2))
    assert moved.pose(0.0) == pytest.approx((0.0, 0.0, 3.0))
    assert moved.pose(9.0)[:2] == pytest.approx((2.0, 4.0))


def test_path_grows_with_time_and_is_never_empty(recording):
    lengths = [len(recording.path(time_s)) for time_s in np.linspace(-1, recording.end_s + 1, 20)]
    assert lengths[0] == 1 and lengths == sorted(lengths)
    assert lengths[-1] == len(recording.poses)


def test_latest_decision_and_state_are_found(recording):
    first = recording.decisions[0]
    assert recording.decision(first.window_end_s - 0.01) is None
    assert recording.decision(first.window_end_s) is first
    assert recording.decision(math.inf) is recording.decisions[-1]
    assert recording.motion_state(-1.0) == 'idle'
    assert recording.motion_state(1.2) == 'moving'


def test_ear_levels_tell_left_from_right(recording):
    sound = np.zeros_like(recording.sound)
    sound[0] = 0.5
    levels_db = dataclasses.replace(recording, sound=sound).ear_levels_db(1.0)
    assert levels_db[0] == pytest.approx(20 * math.log10(0.5), abs=0.01)
    assert levels_db[1] == pytest.approx(-120)
    assert (recording.ear_levels_db(-5.0) == recording.ear_levels_db(1e6)).all()


@pytest.mark.parametrize(('field', 'value'), [('poses', np.zeros((0, 4))), ('end_s', -1.0)])
def test_an_episode_without_poses_or_duration_is_refused(recording, field, value):
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(recording, **{field: value})
