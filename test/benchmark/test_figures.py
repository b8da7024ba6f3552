# SPDX-License-Identifier: Apache-2.0
import dataclasses

import cv2
import pytest

from asgf_nav_ros.benchmark.figures import write_trajectories


def test_one_panel_an_episode(recording, tmp_path):
    path = tmp_path / 'trajectory.png'
    write_trajectories(path, [recording] * 2, ['first', 'second'])
    image = cv2.imread(str(path))
    assert image.shape[1] > 1.5 * image.shape[0]
    assert image.min() < 80  # walls are dark


def test_an_episode_that_never_decided_or_moved_is_drawn(recording, tmp_path):
    still = dataclasses.replace(recording, decisions=(), poses=recording.poses[:1])
    write_trajectories(tmp_path / 'trajectory.png', [still], ['stuck'])


def test_captions_must_match(recording, tmp_path):
    with pytest.raises(ValueError, match='one caption for each'):
        write_trajectories(tmp_path / 'trajectory.png', [recording], [])
