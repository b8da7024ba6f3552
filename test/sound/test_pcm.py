# SPDX-License-Identifier: Apache-2.0
"""Bytes of the audio topic to samples and back."""

from __future__ import annotations

import array

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from asgf_nav_ros.sound import pcm
from asgf_nav_ros.sound.pcm import decode_pcm
from asgf_nav_ros.sound.pcm import encode_pcm
from asgf_nav_ros.sound.pcm import PcmError


@settings(deadline=None)
@given(samples=hnp.arrays(np.int16, st.tuples(st.integers(1, 50), st.just(2))),
       is_bigendian=st.booleans())
def test_sixteen_bit_samples_survive_unchanged(samples, is_bigendian):
    sent = samples.astype('>i2' if is_bigendian else '<i2').tobytes()
    audio = decode_pcm(sent, width=len(samples), step=4 * len(samples), is_bigendian=is_bigendian)
    assert audio.dtype == np.float32
    assert audio.flags.c_contiguous
    np.testing.assert_array_equal(audio * 32768, samples.T)
    assert encode_pcm(audio) == samples.astype('<i2').tobytes()


def test_left_ear_comes_first():
    audio = decode_pcm(np.array([16384, -32768], '<i2').tobytes(), width=1)
    np.testing.assert_array_equal(audio, [[0.5], [-1.0]])


def test_reads_the_buffer_that_rclpy_gives():
    audio = decode_pcm(array.array('B', [0, 64, 0, 192]), width=1)
    np.testing.assert_array_equal(audio, [[0.5], [-0.5]])


def test_clips_what_is_louder_than_full_scale():
    assert np.frombuffer(encode_pcm(np.array([[2.0], [-2.0]])), '<i2').tolist() == [32767, -32768]


@pytest.mark.parametrize('changes, message', [
    ({'encoding': '16SC1'}, "must have encoding 16SC2 .*, got '16SC1'"),
    ({'encoding': '32FC2'}, "must have encoding 16SC2 .*, got '32FC2'"),
    ({'height': 2}, 'must have height 1, got 2'),
    ({'width': 0}, 'must have 1 to 1048576 frames, got 0'),
    ({'width': pcm.MAX_FRAMES + 1}, 'must have 1 to 1048576 frames, got 1048577'),
    ({'step': 6}, 'step must be 12 for 3 frames of 16SC2, got 6'),
    ({'data': b'\0' * 8}, 'audio of 3 frames must have 12 bytes, got 8'),
    ({'data': b'\0' * 16}, 'audio of 3 frames must have 12 bytes, got 16'),
    ({'data': b'\0' * 11}, 'must be whole 16 bit samples'),
    ({'data': b''}, 'audio of 3 frames must have 12 bytes, got 0'),
    ({'data': [0] * 12}, 'must be whole 16 bit samples')])
def test_refuses_what_is_not_two_eared_pcm(changes, message):
    fields = {'data': b'\0' * 12, 'width': 3, 'height': 1, 'encoding': '16SC2', 'step': 12}
    with pytest.raises(PcmError, match=message) as refusal:
        decode_pcm(**{**fields, **changes})
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize('audio', [
    np.zeros((1, 4)), np.zeros(4), np.zeros((2, 0)), np.full((2, 4), np.nan)])
def test_refuses_to_send_what_no_one_could_read(audio):
    with pytest.raises(PcmError, match='audio must be'):
        encode_pcm(audio)
