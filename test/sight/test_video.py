# SPDX-License-Identifier: Apache-2.0
import time

import cv2
import pytest

from asgf_nav_ros.sight.video_keeper import VideoKeeper
from asgf_nav_ros.sight.video_source import VideoEnded
from asgf_nav_ros.sight.video_source import VideoError
from asgf_nav_ros.sight.video_source import VideoSettings
from asgf_nav_ros.sight.video_source import VideoSource

PATIENCE_S = 30


def until(condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return found


def red_columns(frame):
    return int((frame.rgb[60, :, 0] > 125).sum())


def test_a_file_is_played_frame_by_frame_in_true_colours_and_at_its_pace(video):
    source = VideoSource(VideoSettings(source='file', path=video))
    frames = [source.read() for _ in range(20)]
    with pytest.raises(VideoEnded, match='is over'):
        source.read()
    source.close()
    assert all(abs(red_columns(frame) - 8 * index) <= 3 for index, frame in enumerate(frames))
    assert frames[5].rgb[60, -1, 2] > 200 and frames[0].depth is None
    assert frames[-1].taken_s - frames[0].taken_s >= 0.9


def test_a_looped_file_begins_again(video):
    source = VideoSource(VideoSettings(source='file', path=video, loop=True, rate_hz=200.0))
    columns = [red_columns(source.read()) for _ in range(25)]
    source.close()
    assert abs(columns[20] - columns[0]) <= 3 and columns[21] < columns[19]


@pytest.mark.parametrize('settings, message', [
    (VideoSettings(source='file', path='/no/film.avi'), 'there is no such file'),
    (VideoSettings(source='file', path=__file__), 'OpenCV cannot read it'),
    (VideoSettings(source='device', path='77'), "cannot open device '77': there are")])
def test_what_cannot_be_opened_is_named(settings, message):
    with pytest.raises(VideoError, match=message):
        VideoSource(settings)


@pytest.mark.skipif(
    cv2.CAP_OPENNI2 in cv2.videoio_registry.getBackends(), reason='OpenCV has OpenNI2 here')
def test_an_opencv_without_openni2_is_named():
    with pytest.raises(VideoError, match='was built without OpenNI2'):
        VideoSource(VideoSettings(source='openni2', path='0'))


def test_a_camera_that_appears_later_is_opened_then(video, tmp_path):
    later = tmp_path / 'later.avi'
    keeper = VideoKeeper(VideoSettings(source='file', path=str(later), loop=True), retry_s=0.1)
    try:
        assert 'there is no such file' in until(lambda: keeper.trouble)
        (tmp_path / 'walk.avi').rename(later)
        assert until(keeper.take).rgb.shape == (120, 160, 3)
        assert until(lambda: not keeper.trouble) and keeper.openings >= 1
    finally:
        assert keeper.close()


def test_only_the_newest_frame_is_handed_out(video):
    keeper = VideoKeeper(VideoSettings(source='file', path=video, rate_hz=100.0))
    try:
        assert 'is over' in until(lambda: keeper.trouble)
        assert red_columns(keeper.take()) >= 149
        assert keeper.take() is None
    finally:
        assert keeper.close()


@pytest.mark.parametrize('fields, message', [
    ({'source': 'tape'}, "source must be one of .* got 'tape'"),
    ({'source': 'openni2', 'path': '/dev/x'}, 'is named by its index'),
    ({'rate_hz': -1.0}, 'rate_hz must be positive')])
def test_refuses_impossible_settings(fields, message):
    with pytest.raises(ValueError, match=message):
        VideoSettings(**fields)
