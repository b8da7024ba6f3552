# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.spectrogram import SpectrogramNode
from asgf_nav_ros.sound.hearing import Hearing
from asgf_nav_ros.sound.hearing import HearingSettings
from asgf_nav_ros.sound.noise_profile import measure_noise
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram

BLOCK = 1600
NOISE = np.random.default_rng(1).uniform(-0.3, 0.3, (2, 64000)).astype(np.float32)


class Ears:
    """A source of audio blocks of 0.1 s and of motion states."""

    def __init__(self, ros, model_path, **parameters):
        self.ros = ros
        self.node = ros.start(SpectrogramNode, model_path=model_path,
                              sensor_reliability='reliable', **parameters)
        ros.listen(Image, graph.SPECTROGRAM)
        self.audio = ros.talk(Image, graph.AUDIO)
        self.motion = (ros.talk(Header, graph.MOTION_STATE, graph.state_qos())
                       if self.node.settings.follow_motion else None)

    def send(self, begin_s, end_s, audio=NOISE):
        """Blocks from one time to another; the recording starts at 10 s."""
        for start in range(round((begin_s - 10) * 16000), round((end_s - 10) * 16000), BLOCK):
            self.audio.publish(messages.audio_message(
                audio[:, start:start + BLOCK], 10 + start / 16000, 'ears'))

    def spectrograms(self, count):
        """End and content of those published, once there are ``count``."""
        self.ros.until(lambda: len(self.ros.heard[graph.SPECTROGRAM]) >= count)
        return [(messages.seconds(message.header.stamp), messages.spectrogram_of(message))
                for message in self.ros.heard[graph.SPECTROGRAM]]


@pytest.fixture
def ears(ros, model_path):
    return Ears(ros, model_path)


def test_the_first_window_at_rest_ends_with_the_last_sample(ros, ears, contract):
    ears.motion.publish(messages.header('moving', 10.1))
    ears.send(10.0, 11.2)
    ros.settle()
    assert not ros.heard[graph.SPECTROGRAM]
    ears.motion.publish(messages.header('idle', 10.54))
    ears.send(11.2, 11.6)
    [(end_s, spectrogram)] = ears.spectrograms(1)
    assert end_s == pytest.approx(11.6, abs=1e-6)
    window = np.rint(NOISE[:, 9600:25600] * 32768) / np.float32(32768)
    window *= np.float32(ears.node.settings.full_scale)
    assert np.array_equal(spectrogram, log_magnitude_spectrogram(window, contract))


def test_the_robots_own_noise_is_turned_down_and_a_replay_is_told_how(
        ros, model_path, contract, tmp_path):
    profile = measure_noise(NOISE, contract)
    profile.write(tmp_path / 'noise.yaml', device='microphones')
    ros.listen(String, graph.SPECTROGRAM_INFO, graph.state_qos())
    ears = Ears(ros, model_path, noise_profile=str(tmp_path / 'noise.yaml'), full_scale=2.0)
    ears.motion.publish(messages.header('idle', 10.0))
    ears.send(10.0, 11.0)
    [(_, spectrogram)] = ears.spectrograms(1)
    ros.until(lambda: ros.heard[graph.SPECTROGRAM_INFO])
    told = json.loads(ros.heard[graph.SPECTROGRAM_INFO][0].data)
    hearing = Hearing(HearingSettings.of_document(told), contract)
    window = np.rint(NOISE[:, :16000] * 32768) / np.float32(32768)
    assert np.array_equal(spectrogram, hearing.spectrogram(window))
    plain = Hearing(HearingSettings(2.0), contract).spectrogram(window)
    assert np.expm1(spectrogram).mean() < 0.5 * np.expm1(plain).mean()


def test_a_noise_profile_that_is_not_there_is_named(ros, model_path, tmp_path):
    node = ros.start(SpectrogramNode, model_path=model_path, autostart=False,
                     noise_profile=str(tmp_path / 'none.yaml'))
    assert not node.autostart()
    ros.until(lambda: ros.complained('none.yaml cannot be read: No such file'))


def test_more_windows_follow_each_period(ears):
    ears.motion.publish(messages.header('idle', 10.0))
    ears.send(10.0, 11.3)
    ends = [end_s for end_s, _ in ears.spectrograms(4)]
    assert ends == pytest.approx([11.0, 11.1, 11.2, 11.3], abs=1e-6)


def test_a_state_that_comes_late_still_gets_its_window(ros, ears):
    ears.motion.publish(messages.header('moving', 9.0))
    ros.settle()
    ears.send(10.0, 11.7)
    ros.settle()
    ears.motion.publish(messages.header('blocked', 10.2))
    assert ears.spectrograms(1)[0][0] == pytest.approx(11.7, abs=1e-6)


def test_without_following_motion_windows_always_come(ros, model_path):
    ears = Ears(ros, model_path, follow_motion=False, publish_period_s=0.5)
    ears.send(10.0, 12.0)
    assert [end_s for end_s, _ in ears.spectrograms(3)] == pytest.approx([11.0, 11.5, 12.0])


def test_no_window_spans_a_gap(ros, ears):
    ears.motion.publish(messages.header('idle', 10.0))
    ears.send(10.0, 10.8)
    ears.send(10.9, 12.0)
    assert ears.spectrograms(1)[0][0] == pytest.approx(11.9, abs=1e-6)
    assert ros.complained('0.1000 s of audio are missing')


def mono(ears):
    message = messages.audio_message(NOISE[:, :BLOCK], 10.0, 'ears')
    message.encoding = '16SC1'
    ears.audio.publish(message)
    return 'refused: audio must have encoding 16SC2'


def truncated(ears):
    message = messages.audio_message(NOISE[:, :BLOCK], 10.0, 'ears')
    message.data = message.data[:-2]
    ears.audio.publish(message)
    return 'refused: audio of 1600 frames must have 6400 bytes'


def other_rate(ears):
    for block in range(20):
        ears.audio.publish(messages.audio_message(
            NOISE[:, :4410], 10.0 + block * 0.1, 'ears'))
    return 'the policy wants sample_rate_hz=16000, by its stamps the stream has'


def silent(ears):
    ears.send(10.0, 11.0, audio=0 * NOISE)
    return 'both ears stay under'


def clipped(ears):
    ears.send(10.0, 11.0, audio=np.clip(10 * NOISE, -1, 1))
    return 'is at full scale, lower the gain'


def identical(ears):
    ears.send(10.0, 11.0, audio=NOISE[[0, 0]])
    return 'both ears are the same signal'


@pytest.mark.parametrize('bad', [mono, truncated, other_rate, silent, clipped, identical])
def test_bad_audio_gets_its_one_line(ros, ears, bad):
    ears.motion.publish(messages.header('idle', 10.0))
    text = bad(ears)
    ros.until(lambda: ros.complained(text))
    assert all('\n' not in complaint for complaint in ros.complaints())
