# SPDX-License-Identifier: Apache-2.0
"""The node on a real PortAudio stream from a private PulseAudio."""

import dataclasses
import itertools
import time

import numpy as np
import pytest
from sensor_msgs.msg import Image

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.audio_capture import AudioCaptureNode
from asgf_nav_ros.nodes.audio_capture import AudioCaptureParameters
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.microphone import look_for_devices_again

RNG = np.random.default_rng(11)
LOUD_LEFT = (RNG.uniform(-1, 1, (144000, 2)) * (16000, 4000)).astype(np.int16)  # 3 s


@pytest.fixture
def capture(ros, model_path, sound_server):
    """Start the node with parameters; ``audio`` is heard."""
    look_for_devices_again()
    ros.listen(Image, graph.AUDIO)

    def start(**parameters):
        return ros.start(AudioCaptureNode, **{
            'model_path': model_path, 'device': 'pulse', 'device_rate_hz': 48000,
            'silence_timeout_s': 3.0, 'retry_period_s': 0.2, **parameters})
    return start


class Heard:
    """What has come on ``audio``, decoded once: the node waits while the test looks."""

    def __init__(self, ros):
        self._messages = ros.heard[graph.AUDIO]
        self.stretches = []  # (stamp, (2, n))
        self.loud = 0

    def is_loud(self, samples):
        """Whether so many samples were not silent."""
        new, self._messages[:] = self._messages[:], []
        for message in new:
            audio = messages.audio_of(message)
            self.stretches.append((messages.seconds(message.header.stamp), audio))
            self.loud += np.count_nonzero(audio.any(axis=0))
        return self.loud > samples


def hear_played(ros, server, samples):
    """Everything heard until most of LOUD_LEFT was; again, if a busy machine lost some of it."""
    counts = ros.nodes[0]._capture.counts
    for _ in range(3):
        ros.until(lambda: ros.heard[graph.AUDIO], timeout_s=60)
        ros.heard[graph.AUDIO].clear()
        before, heard = counts.overruns, Heard(ros)
        server.play(LOUD_LEFT)
        give_up_s = time.monotonic() + 20  # for a recording of 3
        ros.until(lambda heard=heard, give_up_s=give_up_s: (
            heard.is_loud(samples) or time.monotonic() > give_up_s))
        if counts.overruns == before and heard.loud > samples:
            return heard.stretches
    raise AssertionError('samples were lost each time')


def statuses(ros):
    return [{value.key: value.value for value in array.status[0].values}
            for array in ros.heard[graph.DIAGNOSTICS]]


def test_audio_at_the_native_rate_is_the_recording_bit_by_bit(
        ros, capture, contract, write_policy, tmp_path, sound_server):
    native = dataclasses.replace(contract, sample_rate_hz=48000)
    capture(model_path=str(write_policy(tmp_path / 'native.onnx', contract=native)))
    found = []
    for _ in range(3):  # a busy machine loses some on the way to the node
        played = hear_played(ros, sound_server, 130000)
        heard = np.concatenate([audio for _, audio in played], axis=1).T * 32768
        first = np.flatnonzero((heard == LOUD_LEFT[5000]).all(axis=1))[0]
        found.append(heard[first:first + 100000])
        if np.array_equal(found[-1], LOUD_LEFT[5000:105000]):
            return
    np.testing.assert_array_equal(found[-1], LOUD_LEFT[5000:105000])


@pytest.mark.parametrize('swap_ears, loud', [(False, 0), (True, 1)])
def test_audio_at_the_models_rate_joins_up_and_keeps_its_sides(
        ros, capture, contract, sound_server, swap_ears, loud):
    capture(swap_ears=swap_ears)
    played = hear_played(ros, sound_server, 40000)
    assert abs(played[0][0] - time.time()) < 300
    listening = ListeningWindow(contract)
    events = [event for stamp_s, audio in played for event in listening.push(stamp_s, audio)]
    assert events == []
    levels = np.sqrt(np.mean(listening.newest().audio ** 2, axis=1))
    assert levels[loud] / levels[1 - loud] == pytest.approx(4, rel=0.1)


def test_stamps_advance_with_the_samples(ros, capture):
    capture()
    ros.until(lambda: len(ros.heard[graph.AUDIO]) > 150, timeout_s=60)
    heard = Heard(ros)
    heard.is_loud(0)
    steps = [next_s - stamp_s - audio.shape[1] / 16000
             for (stamp_s, audio), (next_s, _) in itertools.pairwise(heard.stretches)]
    assert np.median(np.abs(steps)) < 1e-4 and np.mean(np.abs(steps) < 1e-3) > 0.9


def test_level_and_a_dead_ear_are_diagnosed(ros, capture, sound_server):
    capture(level_period_s=0.5)
    ros.until(lambda: ros.complained('both ears stay under'))
    dead = LOUD_LEFT.copy()
    dead[:, 1] = 0
    sound_server.play(dead)
    ros.until(lambda: ros.complained('the right ear is silent'), timeout_s=60)
    assert any(float(values.get('left_rms_db', -120)) > -20 for values in statuses(ros))


def test_clipping_and_too_much_gain_are_diagnosed(ros, capture, sound_server):
    capture(level_period_s=0.5, gain_db=12.0)
    ros.until(lambda: ros.heard[graph.AUDIO])
    sound_server.play(np.clip(LOUD_LEFT.astype(int) * 5, -32768, 32767).astype(np.int16))
    ros.until(lambda: ros.complained('of the left ear is at full scale'), timeout_s=60)
    ros.until(lambda: ros.complained('gain_db: takes audio to'), timeout_s=60)


def test_pulled_out_microphones_are_named_and_come_back(ros, capture, sound_server):
    capture()
    ros.until(lambda: ros.heard[graph.AUDIO])
    sound_server.stop()
    ros.until(lambda: ros.complained('microphones: '), timeout_s=60)
    sound_server.start()
    ros.heard[graph.AUDIO].clear()
    ros.until(lambda: ros.heard[graph.AUDIO], timeout_s=60)
    ros.until(lambda: 'microphones' not in ros.heard[graph.DIAGNOSTICS][-1].status[0].message)
    assert int(statuses(ros)[-1]['openings']) >= 2


def test_a_device_that_is_not_there_is_named_with_those_that_are(ros, capture):
    node = capture(device='no such thing')
    ros.until(lambda: ros.complained("No input device matching 'no such thing'"))
    assert ros.complained('pulse') and not node.finished


def test_it_can_be_stopped_and_started_again(ros, capture):
    node = capture()
    ros.until(lambda: ros.heard[graph.AUDIO])
    node.trigger_deactivate()
    ros.settle()
    ros.heard[graph.AUDIO].clear()
    ros.settle(0.3)
    assert not ros.heard[graph.AUDIO]
    node.trigger_activate()
    ros.until(lambda: ros.heard[graph.AUDIO], timeout_s=60)


@pytest.mark.parametrize('fields, message', [
    ({'channels': 1}, 'channels must be at least 2 for the ears, got 1'),
    ({'left_channel': 1}, 'left_channel and right_channel must differ')])
def test_impossible_wiring_is_refused_in_configure(ros, model_path, fields, message):
    node = ros.start(AudioCaptureNode, autostart=False, model_path=model_path, **fields)
    assert not node.autostart()
    ros.until(lambda: ros.complained(message))


def test_parameters_are_those_of_the_parts():
    assert AudioCaptureParameters().microphone().channels == 2
    assert AudioCaptureParameters(right_channel=3).microphone().channels == 4
