# SPDX-License-Identifier: Apache-2.0
"""A real PortAudio stream from a private PulseAudio."""

import time

import numpy as np
import pytest

from asgf_nav_ros.sound.microphone import input_devices
from asgf_nav_ros.sound.microphone import look_for_devices_again
from asgf_nav_ros.sound.microphone import Microphone
from asgf_nav_ros.sound.microphone import MicrophoneError
from asgf_nav_ros.sound.microphone import MicrophoneSettings
from asgf_nav_ros.sound.microphone_keeper import MicrophoneKeeper

PATIENCE_S = 60
NATIVE = MicrophoneSettings(device='pulse', rate_hz=48000)
RECORDING = np.random.default_rng(7).integers(-20000, 20000, (96000, 2)).astype(np.int16)
RECORDING[:, 1] //= 2  # so that nobody can take one ear for the other


@pytest.fixture(autouse=True)
def _fresh_portaudio(sound_server):
    look_for_devices_again()


def until(condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    return found


def place_of(part, whole):
    """Index in (n, 2) ``whole`` at which (m, 2) ``part`` begins, None if it is not in there."""
    starts = np.flatnonzero((whole[:len(whole) - len(part) + 1] == part[0]).all(axis=1))
    return next((int(start) for start in starts
                 if np.array_equal(whole[start:start + len(part)], part)), None)


def record(microphone, samples, *, start_playing):
    """(n, channels): what comes until ``samples`` loud ones are there."""
    until(lambda: microphone.take())
    start_playing()
    kept = []

    give_up_s = time.monotonic() + 20  # for a recording of 2

    def enough():
        kept.extend(block.samples for block in microphone.take())
        loud = sum(np.count_nonzero(block.any(axis=1)) for block in kept)
        return loud >= samples or time.monotonic() > give_up_s
    until(enough)
    return np.concatenate(kept)


@pytest.mark.parametrize('sample_format, scale', [('int16', 1), ('float32', 32768)])
def test_a_recording_comes_through_bit_by_bit_and_ear_by_ear(
        sound_server, sample_format, scale):
    middle = RECORDING[2000:80000]
    for _ in range(3):  # a busy machine loses some on the way to PortAudio
        microphone = Microphone(MicrophoneSettings(
            device='pulse', rate_hz=48000, sample_format=sample_format))
        try:
            heard = record(microphone, 90000, start_playing=lambda: sound_server.play(RECORDING))
        finally:
            microphone.close()
        heard = (heard * scale).astype(np.int16)
        if place_of(middle, heard) is not None:
            break
    assert place_of(middle, heard) is not None
    assert place_of(middle[:, ::-1], heard) is None


def test_devices_are_listed_and_found_by_index_and_part_of_a_name():
    listed = next(name for name in input_devices() if ': pulse' in name)
    microphone = Microphone(MicrophoneSettings(device=listed.partition(':')[0]))
    microphone.close()
    assert microphone.name == 'pulse'


@pytest.mark.parametrize('settings, message', [
    (MicrophoneSettings(device='no such thing'), "No input device matching 'no such thing'"),
    (MicrophoneSettings(device='99'), '99'),
    (MicrophoneSettings(device='pulse', channels=999), 'cannot record 999 channels from pulse')])
def test_an_impossible_device_is_named_with_those_that_are_there(settings, message):
    with pytest.raises(MicrophoneError, match=message) as refused:
        Microphone(settings)
    assert 'pulse' in str(refused.value)


def hears(keeper):
    taken = keeper.take()
    return taken and taken.blocks and taken


def test_a_microphone_that_was_pulled_out_comes_back_by_itself(sound_server):
    keeper = MicrophoneKeeper(NATIVE, silence_s=3.0, retry_s=0.2)
    try:
        assert until(lambda: hears(keeper)).opening == 1
        assert until(lambda: not keeper.trouble)
        sound_server.stop()
        assert 'pulse' in until(lambda: keeper.trouble)
        sound_server.start()
        again = until(lambda: hears(keeper))
        assert again.opening > 1
        until(lambda: not keeper.trouble)
    finally:
        assert keeper.close()


def test_a_microphone_that_is_not_there_yet_is_waited_for(sound_server):
    sound_server.stop()
    keeper = MicrophoneKeeper(NATIVE, silence_s=3.0, retry_s=0.2)
    try:
        assert 'cannot record' in until(lambda: keeper.trouble)
        sound_server.start()
        until(lambda: hears(keeper))
    finally:
        assert keeper.close()


@pytest.mark.parametrize('fields, message', [
    ({'sample_format': 'int8'}, "sample_format must be one of .*got 'int8'"),
    ({'block_s': 0.0}, 'block_s must be positive, got 0.0'),
    ({'rate_hz': -1}, 'rate_hz must be positive')])
def test_refuses_impossible_settings(fields, message):
    with pytest.raises(ValueError, match=message):
        MicrophoneSettings(**fields)
