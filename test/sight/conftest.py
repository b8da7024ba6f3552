# SPDX-License-Identifier: Apache-2.0
"""A small video, made anew: red that spreads over blue from the left."""

import cv2
import numpy as np
import pytest

FRAMES, RATE_HZ, WIDTH, HEIGHT = 20, 20.0, 160, 120


def write_video(path):
    """Frame k is red left of column 8 k, and blue right of it."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), RATE_HZ, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for index in range(FRAMES):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        picture[:, :8 * index, 2] = 250
        picture[:, 8 * index:, 0] = 250
        writer.write(picture)
    writer.release()
    return str(path)


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / 'walk.avi')
