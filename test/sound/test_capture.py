# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.sound.capture import Capture
from asgf_nav_ros.sound.ear_signal import EarWiring
from asgf_nav_ros.sound.microphone import Block
from asgf_nav_ros.sound.microphone_keeper import Recording

BLOCK, RATE_HZ = 960, 48000
RNG = np.random.default_rng(2)


def blocks(count, *, first=0, overrun_at=None, bad_at=None):
    """Blocks of 20 ms that arrive on time; block 0 starts at 5 s."""
    made = []
    for index in range(first, first + count):
        samples = RNG.uniform(-0.5, 0.5, (BLOCK, 2)).astype(np.float32)
        if index == bad_at:
            samples[3, 1] = np.nan
        made.append(Block(samples, 5 + (index + 1) * BLOCK / RATE_HZ, index == overrun_at, False))
    return made


def recording(made, *, opening=1):
    return Recording(opening, 'test', RATE_HZ, made)


@pytest.mark.parametrize('to_hz', [16000, 48000, 44100])
def test_stamps_are_those_of_the_first_samples(to_hz):
    stretches = Capture(EarWiring(), to_hz=to_hz).push(recording(blocks(100)))
    assert stretches[0].start_s == pytest.approx(5.5, abs=1e-6)  # half a second was for learning
    for before, after in zip(stretches, stretches[1:]):
        expected_s = before.start_s + before.audio.shape[1] / to_hz
        assert after.start_s == pytest.approx(expected_s, abs=1e-4)


def test_a_known_delay_is_taken_off():
    late = Capture(EarWiring(), to_hz=16000, delay_s=0.125).push(recording(blocks(100)))
    assert late[0].start_s == pytest.approx(5.375, abs=1e-6)


def test_after_an_overrun_a_new_stretch_begins():
    capture = Capture(EarWiring(), to_hz=RATE_HZ)
    before = capture.push(recording(blocks(50)))
    after = capture.push(recording(blocks(50, first=60, overrun_at=60)))
    assert capture.counts.overruns == 1
    assert len(before) == len(after) == 25
    assert after[0].start_s == pytest.approx(5 + 85 * 0.02, abs=1e-6)


def test_what_piled_up_while_nobody_read_begins_a_new_stretch_without_a_loss():
    capture, made = Capture(EarWiring(), to_hz=RATE_HZ), blocks(200)
    heap = [block._replace(arrival_s=made[60].arrival_s) for block in made[:61]]
    stretches = capture.push(recording([*heap, *made[61:]]))
    assert capture.counts.overruns == 0
    assert stretches[-1].start_s == pytest.approx(5 + 199 * 0.02, abs=1e-3)


def test_a_new_opening_begins_a_new_stretch_at_its_own_rate():
    capture = Capture(EarWiring(), to_hz=16000)
    capture.push(recording(blocks(30)))
    second = capture.push(Recording(2, 'other', 16000, [
        Block(np.zeros((320, 2), np.int16), 9 + index * 0.02, False, False)
        for index in range(40)]))
    assert capture.counts.openings == 2
    assert {stretch.audio.shape for stretch in second} == {(2, 320)}


def test_nan_is_refused_and_the_rest_is_kept():
    capture = Capture(EarWiring(), to_hz=RATE_HZ)
    stretches = capture.push(recording(blocks(80, bad_at=30)))
    assert (capture.counts.refused, len(stretches)) == (1, 5 + 24)
    assert 'NaN' in capture.counts.last_refusal


def test_what_was_recorded_comes_along_without_gain():
    stretch = Capture(EarWiring(gain_db=6.0), to_hz=RATE_HZ).push(recording(blocks(30)))[0]
    np.testing.assert_allclose(stretch.audio, 10 ** 0.3 * stretch.recorded, rtol=1e-6)
