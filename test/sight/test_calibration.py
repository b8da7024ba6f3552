# SPDX-License-Identifier: Apache-2.0
import math

import cv2
import numpy as np
import pytest
import yaml

from asgf_nav_ros.sight.calibration import Calibration

LENS = [-0.3, 0.1, 0.0, 0.0, 0.0]


def document(**changes):
    return {'image_width': 160, 'image_height': 120, 'camera_name': 'eye',
            'camera_matrix': {'rows': 3, 'cols': 3,
                              'data': [100.0, 0, 80.0, 0, 101.0, 60.0, 0, 0, 1]},
            'distortion_model': 'plumb_bob',
            'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': LENS}, **changes}


def written(tmp_path, content):
    path = tmp_path / 'eye.yaml'
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def test_a_file_of_the_calibrator_is_read(tmp_path):
    found = Calibration.of_file(written(tmp_path, document()))
    assert (found.camera.fx, found.camera.fy, found.camera.cx) == (100, 101, 80)
    assert found.distortion == tuple(LENS)


def test_lines_that_the_lens_bent_are_straight_again(tmp_path):
    calibration = Calibration.of_file(written(tmp_path, document()))
    matrix = np.array([[100, 0, 80], [0, 101, 60], [0, 0, 1]], float)
    # A dot at 40 degrees to the right, where the lens puts it.
    at, _ = cv2.projectPoints(np.array([[0.5, 0.2, 1.0]]), np.zeros(3), np.zeros(3), matrix,
                              np.array(LENS))
    bent = np.zeros((120, 160, 3), np.uint8)
    cv2.circle(bent, tuple(int(value) for value in at[0, 0].round()), 2, (255, 255, 255), -1)
    rows, columns = np.nonzero(calibration.rectify(bent)[..., 0] > 100)
    np.testing.assert_allclose([columns.mean(), rows.mean()], [130, 80.2], atol=1)


def test_without_a_lens_nothing_is_touched():
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    calibration = Calibration.of_angle(math.pi / 2, width=64, height=48)
    assert calibration.rectify(picture) is picture
    assert calibration.camera.field_of_view_rad[0] == pytest.approx(math.pi / 2)


@pytest.mark.parametrize('content, message', [
    ('just text', 'is no camera calibration with image_width'),
    ({'image_width': 3}, "distortion_model'"),
    (document(distortion_model='equidistant'), "must be one of .* got 'equidistant'"),
    (document(distortion_coefficients={'data': [1.0]}), 'has 4 or 5 finite coefficients, got 1'),
    (document(camera_matrix={'data': [0.0] * 9}), 'fx must be positive'),
    ('a: [', 'is no camera calibration'), ('x' * (1 << 21), 'at most')])
def test_refuses_what_is_no_calibration(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as refused:
        Calibration.of_file(written(tmp_path, content))
    assert '\n' not in str(refused.value)


def test_refuses_images_of_another_size():
    with pytest.raises(ValueError, match=r'for \(48, 64, 3\) images, got \(64, 48, 3\)'):
        Calibration.of_angle(1.0, width=64, height=48).rectify(np.zeros((64, 48, 3), np.uint8))
