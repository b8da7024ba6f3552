# SPDX-License-Identifier: Apache-2.0
"""Writes dashboards as H.264 video with what the robot's two ears hear as its sound track."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from scipy.signal import resample_poly

from asgf_nav_ros.benchmark.dashboard import Dashboard
from asgf_nav_ros.benchmark.dashboard import HEIGHT
from asgf_nav_ros.benchmark.dashboard import WIDTH
from asgf_nav_ros.benchmark.recording import EpisodeRecording

FRAMES_PER_S = 15
SOUND_RATE_HZ = 48000
LINGER_S = 1.5  # the last picture of an episode stays this long
PEAK = 0.7  # of full scale: quiet recordings are made audible, all by one factor
H264_OPTIONS = {'preset': 'veryfast', 'crf': '23', 'tune': 'animation'}


def write_dashboard_video(path: Path, recordings: Sequence[EpisodeRecording], *,
                          frames_per_s: int = FRAMES_PER_S, longest_s: float = 150.0) -> float:
    """Film ``recordings`` one after the other in the graph's own time; return the seconds written.

    Episodes over ``longest_s`` are cut there.

    Raises:
        ValueError: there is no recording.
        OSError: the file cannot be written.
    """
    if not recordings:
        raise ValueError('a dashboard video needs at least one recorded episode, got none')
    gain = _common_gain(recordings)
    with av.open(str(path), 'w') as container:
        video = _add_video(container, frames_per_s)
        audio = container.add_stream('aac', rate=SOUND_RATE_HZ, layout='stereo')
        written_frames = 0
        for recording in recordings:
            times_s = _frame_times(recording, frames_per_s, longest_s)
            sound = _sound_track(recording, len(times_s) / frames_per_s, gain)
            for picture in _pictures(recording, times_s):
                _encode_picture(container, video, picture, written_frames)
                written_frames += 1
            start = round((written_frames - len(times_s)) * SOUND_RATE_HZ / frames_per_s)
            _encode_sound(container, audio, sound, start)
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return written_frames / frames_per_s


def _frame_times(recording: EpisodeRecording, frames_per_s: int, longest_s: float) -> np.ndarray:
    duration_s = min(recording.end_s - recording.start_s, longest_s) + LINGER_S
    return recording.start_s + np.arange(round(duration_s * frames_per_s)) / frames_per_s


def _pictures(recording: EpisodeRecording, times_s: np.ndarray) -> Iterator[np.ndarray]:
    dashboard = Dashboard(recording)
    for time_s in times_s:
        yield dashboard.frame(float(time_s))


def _common_gain(recordings: Sequence[EpisodeRecording]) -> float:
    loudest = max(float(np.abs(recording.sound).max(initial=0.0)) for recording in recordings)
    return PEAK / loudest if loudest > 0 else 1.0


def _sound_track(recording: EpisodeRecording, duration_s: float, gain: float) -> np.ndarray:
    """Return ``duration_s`` of the ears' sound from the episode's start, (2, n) at 48 kHz."""
    rate_hz = recording.sample_rate_hz
    late = round((recording.sound_start_s - recording.start_s) * rate_hz)
    heard = np.pad(recording.sound, ((0, 0), (max(late, 0), 0)))[:, max(-late, 0):]
    wanted = round(duration_s * SOUND_RATE_HZ)
    part = heard[:, :round(duration_s * rate_hz)]
    if part.shape[1]:
        ratio = Fraction(SOUND_RATE_HZ, rate_hz)
        part = resample_poly(part, ratio.numerator, ratio.denominator, axis=1)
    part = part[:, :wanted]
    track = np.pad(part, ((0, 0), (0, wanted - part.shape[1])))
    return np.clip(gain * track, -1, 1).astype(np.float32)


def _add_video(container: av.container.OutputContainer, frames_per_s: int) -> av.VideoStream:
    stream = container.add_stream('libx264', rate=frames_per_s, options=H264_OPTIONS)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
    stream.time_base = Fraction(1, frames_per_s)
    return stream


def _encode_picture(container: av.container.OutputContainer, stream: av.VideoStream,
                    picture: np.ndarray, index: int) -> None:
    frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
    frame.pts = index
    container.mux(stream.encode(frame))


def _encode_sound(container: av.container.OutputContainer, stream: av.AudioStream,
                  samples: np.ndarray, start: int) -> None:
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples), format='fltp', layout='stereo')
    frame.sample_rate, frame.pts = SOUND_RATE_HZ, start
    frame.time_base = Fraction(1, SOUND_RATE_HZ)
    container.mux(stream.encode(frame))
