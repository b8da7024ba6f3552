# SPDX-License-Identifier: Apache-2.0
"""The doctor on a private sound card."""

import os
from pathlib import Path
import re
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
import yaml

from asgf_nav_ros import cli
from asgf_nav_ros.doctor import checks
from asgf_nav_ros.doctor.finding import ok
from asgf_nav_ros.doctor.finding import screen
from asgf_nav_ros.doctor.finding import stop
from asgf_nav_ros.doctor.finding import warn
from asgf_nav_ros.sound.microphone import look_for_devices_again
from asgf_nav_ros.sound.noise_profile import read_noise_profile

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(9)
PULSE = ('--device', 'pulse', '--rate', '48000')


def noise(seconds, left=6000, right=5000):
    return (RNG.uniform(-1, 1, (48000 * seconds, 2)) * (left, right)).astype(np.int16)


@pytest.fixture(autouse=True)
def _listen_here(sound_server):
    look_for_devices_again()


def test_a_machine_that_would_work_is_told_so(sound_server, capsys):
    sound_server.play(noise(30))
    assert cli.main(['doctor', *PULSE]) == 0
    shown = capsys.readouterr().out
    for subject in ('microphones', 'levels', 'model', 'provider', 'ROS'):
        assert re.search(f'^ok +{subject} ', shown, re.M), subject


def test_what_would_stop_it_is_named(sound_server, capsys, tmp_path):
    sound_server.play(noise(30, right=0))
    broken = tmp_path / 'broken.onnx'
    broken.write_bytes(b'no model')
    assert cli.main(['doctor', *PULSE, '--model', str(broken), '--camera', '77']) == 1
    shown = capsys.readouterr().out
    assert 'the right ear is silent' in shown and "cannot open device '77'" in shown
    assert re.search('STOP  model .*broken.onnx', shown)
    assert '3 of ' in shown.splitlines()[-1]


def test_a_device_that_is_not_there_is_named(capsys):
    assert cli.main(['doctor', '--device', 'no such thing']) == 1
    assert re.search('STOP  microphones +cannot record 2 channels from no such thing',
                     capsys.readouterr().out)


def test_without_microphones_and_through_a_video(capsys, tmp_path):
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (160, 120))
    writer.write(np.zeros((120, 160, 3), np.uint8))
    writer.release()
    assert cli.main(['doctor', '--no-microphones', '--camera', str(path)]) == 0
    shown = capsys.readouterr().out
    assert '160 x 120; the policy wants a vertical field of view of 90.0 deg' in shown


def doctor(*arguments):
    return subprocess.Popen(
        [sys.executable, '-u', '-m', 'asgf_nav_ros.cli', 'doctor', *PULSE, *arguments], cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def test_calibrate_writes_the_level_of_the_sound(sound_server, tmp_path):
    process = doctor('--calibrate', str(tmp_path / 'level.yaml'), '--seconds', '4')
    try:
        assert 'Quiet, please' in process.stdout.readline()
        assert 'Now the sound' in process.stdout.readline()
        sound_server.play(noise(10, left=3000, right=3000))  # -25.5 dB
        shown, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert 'params_file:=' in shown
    document = yaml.safe_load((tmp_path / 'level.yaml').read_text())
    full_scale = document['/**/spectrogram']['ros__parameters']['full_scale']
    assert 20 * np.log10(full_scale) == pytest.approx(-14.1 + 25.5, abs=0.5)


def test_the_noise_of_the_robot_is_measured_at_the_rate_of_the_policy(sound_server, tmp_path):
    sound_server.play(noise(60, left=3000, right=1500))
    process = doctor('--noise-profile', str(tmp_path / 'noise.yaml'), '--seconds', '3')
    try:
        shown, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert 'Fans on, robot still' in shown and 'noise_profile: ' in shown
    profile = read_noise_profile(tmp_path / 'noise.yaml')
    assert (profile.sample_rate_hz, profile.n_fft, profile.win_length) == (16000, 512, 400)
    left_db, right_db = profile.level_db
    third_db = 10 * np.log10(1 / 3)  # 0 to 8 of 24 kHz
    assert left_db == pytest.approx(-25.5 + third_db, abs=0.8)
    assert left_db - right_db == pytest.approx(6, abs=0.3)


def claps():
    """At 2 s from the left, at 4 s from the right: 12 samples are 250 us, 28 deg at 0.18 m."""
    samples = (RNG.normal(size=(48000 * 6, 2)) * 20).astype(np.int16)
    burst = (8000 * RNG.normal(size=600) * np.exp(-np.arange(600) / 120)).clip(-30000, 30000)
    for second, first, later in ((2, 0, 1), (4, 1, 0)):
        samples[48000 * second:48000 * second + 600, first] += burst.astype(np.int16)
        samples[48000 * second + 12:48000 * second + 612, later] += burst.astype(np.int16)
    return samples


def test_claps_show_where_they_came_from(sound_server):
    process = doctor('--clap', '--seconds', '15')
    timer = threading.Timer(100, process.kill)
    timer.start()
    try:
        assert 'Clap to the left' in process.stdout.readline()
        sound_server.play(claps())
        shown, _ = process.communicate()
    finally:
        timer.cancel()
        process.kill()
    assert re.findall('(left|right) 2[5-9] deg', shown) == ['left', 'right']
    assert process.returncode == 0


def test_no_clap_is_said_and_fails(capsys):
    assert cli.main(['doctor', *PULSE, '--clap', '--seconds', '1']) == 1
    assert 'no clap was heard clearly' in capsys.readouterr().out


@pytest.mark.parametrize('arguments, message', [
    (['--seconds', '1e9'], 'seconds must be in'),
    (['--right-channel', '0'], 'left_channel and right_channel must differ')])
def test_impossible_wishes_are_refused_in_one_line(capsys, arguments, message):
    assert cli.main(['doctor', *arguments]) == 1
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1 and message in errors[0]


def test_the_screen_is_aligned_and_counts_what_stops():
    shown = screen([ok('a', 'fine'), warn('longer', 'hm'), stop('b', 'two\nlines')]).splitlines()
    assert shown == ['ok    a       fine', 'warn  longer  hm', 'STOP  b       two lines',
                     '1 of 3 findings would stop the robot.']


def test_small_socket_buffers_are_a_warning():
    [found] = checks.check_socket_buffers(212992)
    assert 'net.core.rmem_max is 212992' in found.text and 'rmem_max=4194304' in found.text
    assert checks.check_socket_buffers(4194304) == []
