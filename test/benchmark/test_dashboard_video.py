# SPDX-License-Identifier: Apache-2.0
import dataclasses

import av
import numpy as np
import pytest

from asgf_nav_ros.benchmark.dashboard_video import LINGER_S
from asgf_nav_ros.benchmark.dashboard_video import write_dashboard_video


@pytest.fixture(scope='module')
def short(recording):
    """Two seconds of which only the second has sound, on the left."""
    sound = np.zeros((2, 32000), np.float32)
    sound[0, 16000:] = np.sin(np.arange(16000) / 5)
    return dataclasses.replace(recording, end_s=2.0, sound=sound)


@pytest.fixture(scope='module')
def film(short, tmp_path_factory):
    path = tmp_path_factory.mktemp('film') / 'dashboard.mp4'
    seconds = write_dashboard_video(path, [short, short], frames_per_s=5)
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        facts = {'codec': video.codec_context.name, 'pixels': video.codec_context.pix_fmt,
                 'size': (video.width, video.height), 'audio': audio.codec_context.name,
                 'rate': audio.rate}
        pictures = [frame.to_ndarray(format='rgb24') for frame in container.decode(video)]
    with av.open(str(path)) as container:
        sound = np.hstack([frame.to_ndarray() for frame in container.decode(audio=0)])
    return seconds, facts, pictures, sound


def test_it_plays_everywhere(film):
    facts = film[1]
    assert facts['codec'] == 'h264' and facts['pixels'] == 'yuv420p'
    assert facts['audio'] == 'aac' and facts['size'] == (1280, 720)


def test_time_in_the_film_is_time_in_the_world(film, short):
    seconds, facts, pictures, sound = film
    assert seconds == pytest.approx(2 * (2.0 + LINGER_S), abs=0.21)
    assert len(pictures) == pytest.approx(5 * seconds, abs=1)
    assert sound.shape[1] / facts['rate'] == pytest.approx(seconds, abs=0.1)


def test_the_sound_is_heard_when_and_where_it_was_at_the_ears(film):
    _, facts, _, sound = film
    level = np.abs(sound[:, 4096:]).reshape(2, -1)
    second = facts['rate']
    silent = level[:, :second // 2].max()
    heard = level[0, second:second + second // 2].max()
    assert heard > 0.5 and silent < 0.05
    assert level[1].max() < 0.05


def test_long_episodes_are_cut(short, tmp_path):
    seconds = write_dashboard_video(tmp_path / 'cut.mp4', [short], frames_per_s=4, longest_s=1.0)
    assert seconds == pytest.approx(1.0 + LINGER_S, abs=0.26)


def test_nothing_to_film_is_refused(tmp_path):
    with pytest.raises(ValueError, match='at least one'):
        write_dashboard_video(tmp_path / 'none.mp4', [])
