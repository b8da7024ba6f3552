# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest

from asgf_nav_ros.benchmark import dashboard
from asgf_nav_ros.benchmark.dashboard import Dashboard
from asgf_nav_ros.benchmark.dashboard_canvas import ACTION
from asgf_nav_ros.benchmark.dashboard_canvas import Canvas
from asgf_nav_ros.benchmark.dashboard_canvas import SOUND
from asgf_nav_ros.benchmark.dashboard_map import PlanView
from asgf_nav_ros.benchmark.dashboard_panels import depth_image
from asgf_nav_ros.benchmark.dashboard_panels import direction_in_words
from asgf_nav_ros.benchmark.dashboard_panels import draw_ear_levels
from asgf_nav_ros.benchmark.dashboard_panels import draw_frame_weights
from asgf_nav_ros.benchmark.dashboard_panels import spectrogram_image


@pytest.fixture(scope='module')
def board(recording):
    return Dashboard(recording)


def count(pixels, color):
    return np.count_nonzero((pixels == color).all(axis=-1))


def region(pixels, x, y, width, height):
    return pixels[y:y + height, x:x + width]


def test_every_frame_is_a_picture_of_one_size(board, recording):
    for time_s in (recording.start_s - 1, recording.start_s, 3.3, recording.end_s + 5):
        frame = board.frame(time_s)
        assert frame.shape == (720, 1280, 3) and frame.dtype == np.uint8


def test_frames_depend_on_nothing_but_the_time(board):
    first = board.frame(3.3)
    board.frame(9.1)
    assert (board.frame(3.3) == first).all()


def test_decision_panels_are_empty_before_the_first_decision(board, recording):
    x, y, width, height = (dashboard.RIGHT_X, dashboard.CHOICE_Y + 40, 400, 90)
    assert count(region(board.frame(0.1), x, y, width, height), ACTION) == 0
    assert count(region(board.frame(1.5), x, y, width, height), ACTION) > 1000


def test_the_map_moves_with_the_robot(board):
    area = (dashboard.RIGHT_X, dashboard.TOP, dashboard.RIGHT_WIDTH, dashboard.MAP_HEIGHT)
    assert (region(board.frame(2.1), *area) != region(board.frame(6.1), *area)).any()


@pytest.mark.parametrize(('succeeded', 'state'), [(True, 'arrived'), (False, 'stopped')])
def test_the_end_says_whether_it_arrived(recording, succeeded, state):
    ended = dataclasses.replace(recording, succeeded=succeeded)
    assert Dashboard(ended)._state(recording.end_s) == state


def test_an_episode_without_decisions_can_be_drawn(recording):
    Dashboard(dataclasses.replace(recording, decisions=())).frame(1.0)


@pytest.mark.parametrize(('degrees', 'words'), [
    (0, 'straight ahead'), (62, '62° to the left'), (-90, '90° to the right'), (180, 'behind'),
    (-179, 'behind'), (300, '60° to the right'), (-10, 'straight ahead')])
def test_directions_read_as_people_say_them(degrees, words):
    assert direction_in_words(math.radians(degrees)) == words


def test_low_frequencies_are_at_the_bottom_and_loud_is_bright():
    log_magnitude = np.zeros((65, 26), np.float32)
    log_magnitude[:5] = 2.0
    image = spectrogram_image(log_magnitude, 260, 130, 2.0).sum(axis=2)
    assert image[-4:].min() > 400 > 60 > image[:100].max()


def test_near_is_bright_and_invalid_is_dark():
    depth = np.full((128, 128), 9.0, np.float32)
    depth[:, :64], depth[:, 96:] = 0.5, 0.0
    columns = depth_image(depth, 128).sum(axis=(0, 2))
    assert columns[10] > columns[80] > columns[120]


def test_the_frame_that_counts_most_has_the_tallest_bar():
    canvas = Canvas(260, 60)
    weights = np.full(13, 0.04)
    weights[4] = 0.52
    draw_frame_weights(canvas, weights, x=0, y=0, width=260, height=60)
    heights = [count(canvas.pixels[:, 20 * index:20 * index + 20], SOUND) for index in range(13)]
    assert np.argmax(heights) == 4 and heights[4] > 5 * heights[0]


def test_the_louder_ear_has_the_longer_bar():
    canvas = Canvas(46, 200)
    draw_ear_levels(canvas, np.array([-10.0, -40.0]), x=0, y=0, width=46, height=200)
    assert count(canvas.pixels[:, :20], SOUND) > 1.5 * count(canvas.pixels[:, 26:], SOUND) > 0


@pytest.mark.parametrize(('width', 'height'), [(700, 300), (300, 700)])
def test_the_map_fits_and_keeps_left_and_right(recording, width, height):
    view = PlanView(recording.house, x=10, y=20, width=width, height=height)
    corners = view.pixels(np.vstack([room.polygon for room in recording.house.rooms]))
    assert corners.min() >= 10
    assert (corners <= [10 + width, 20 + height]).all()
    origin, east, north = view.pixels(np.array([[0, 0], [1, 0], [0, 1]]))
    turn = np.linalg.det(np.stack([east - origin, north - origin]))
    assert turn == pytest.approx(-view.pixels_per_m**2)  # y points down: no mirror image
