# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest
import yaml

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.noise_profile import MAX_FILE_BYTES
from asgf_nav_ros.sound.noise_profile import measure_noise
from asgf_nav_ros.sound.noise_profile import noise_profile_of_yaml
from asgf_nav_ros.sound.noise_profile import NoiseProfile
from asgf_nav_ros.sound.noise_profile import read_noise_profile
from asgf_nav_ros.sound.spectrogram import frames_of
from asgf_nav_ros.sound.spectrogram import spectra_of_frames
from sim_bridge.robot_noise import draw_robot_noise

CONTRACT = PolicyContract()
RATE_HZ = CONTRACT.sample_rate_hz


def fan(seconds=4, scale=0.01):
    rng = np.random.default_rng(4)
    return np.float32(scale) * draw_robot_noise('fan', seconds * RATE_HZ, RATE_HZ, rng)


@pytest.fixture(scope='module')
def profile():
    return measure_noise(fan(), CONTRACT)


def test_it_is_the_mean_power_of_each_bin_and_ear(profile):
    power = np.abs(spectra_of_frames(frames_of(fan(), CONTRACT), CONTRACT)) ** 2
    assert profile.power.shape == (2, 257)
    np.testing.assert_allclose(profile.power, power.mean(axis=1), rtol=1e-4)
    assert profile.seconds == 4.0


def test_its_level_is_that_of_the_samples(profile):
    rms_db = 10 * np.log10(np.mean(fan() ** 2, axis=1))
    assert profile.level_db == pytest.approx(rms_db, abs=0.3)


def test_what_is_written_is_read_again_exactly(profile, tmp_path):
    profile.write(tmp_path / 'noise.yaml', device='USB\nmic')
    found = read_noise_profile(tmp_path / 'noise.yaml')
    np.testing.assert_array_equal(found.power, profile.power)
    assert dataclasses.replace(found, power=profile.power).document() == profile.document()
    assert [path.name for path in tmp_path.iterdir()] == ['noise.yaml']
    assert (tmp_path / 'noise.yaml').stat().st_size < MAX_FILE_BYTES / 10


def test_the_longest_profile_fits_into_its_file(tmp_path):
    power = np.random.default_rng(0).uniform(1e-9, 1e-8, (2, 2049))
    power = np.array([[float(f'{value:.5g}') for value in ear] for ear in power])
    NoiseProfile(48000, 4096, 4096, 8.0, power).write(tmp_path / 'noise.yaml', device='mic')
    np.testing.assert_array_equal(read_noise_profile(tmp_path / 'noise.yaml').power, power)


def test_a_policy_that_hears_otherwise_is_named(profile):
    profile.require(CONTRACT)
    with pytest.raises(ValueError, match='wants sample_rate_hz=44100, the noise profile has 160'):
        profile.require(dataclasses.replace(CONTRACT, sample_rate_hz=44100))


def with_a_bang():
    audio = fan()
    audio[:, 8000:9000] += 0.5
    return audio


@pytest.mark.parametrize('audio, message', [
    (fan(seconds=1), '2 s of noise are needed at least, got 1.00 s'),
    (fan() * np.float32([[1], [0]]), 'the right ear is silent'),
    (with_a_bang(), 'the noise must be steady, its loudest part is'),
    (np.full((2, 40000), np.nan, np.float32), 'audio must be finite')])
def test_refuses_what_is_no_steady_noise(audio, message):
    with pytest.raises(ValueError, match=message):
        measure_noise(audio, CONTRACT)


def changed(profile, **fields):
    return yaml.safe_dump({**profile.document(), **fields}).encode()


@pytest.mark.parametrize('fields, message', [
    ({'format': 'jpeg'}, 'must be a mapping with the format'),
    ({'version': 2}, 'must have version 1 and exactly'),
    ({'more': 1}, 'must have version 1 and exactly'),
    ({'n_fft': 1 << 40}, 'n_fft must be from win_length, 400, to 4096'),
    ({'n_fft': True}, 'n_fft must be a positive whole number'),
    ({'win_length': 513}, 'n_fft must be from win_length, 513'),
    ({'sample_rate_hz': -1}, 'sample_rate_hz must be a positive'),
    ({'seconds': float('nan')}, 'seconds must be positive and finite'),
    ({'power': {'left': [1.0]}}, 'power must have a list of numbers for each of left, right'),
    ({'power': {'left': [1.0], 'right': [1.0, 2.0]}}, 'lists of one length'),
    ({'power': {'left': [1.0], 'right': [1.0]}}, r'power must be \(2, 257\), got \(2, 1\)'),
    ({'power': {'left': ['1'] * 257, 'right': [1.0] * 257}}, 'lists of numbers'),
    ({'power': {'left': [float('nan')] * 257, 'right': [1.0] * 257}}, 'in every bin'),
    ({'power': {'left': [10 ** 400] * 257, 'right': [1.0] * 257}}, 'in every bin'),
    ({'power': {'left': [-1.0] * 257, 'right': [1.0] * 257}}, 'in every bin'),
    ({'power': {'left': [0.0] * 257, 'right': [0.0] * 257}}, 'that is no noise')])
def test_a_wrong_file_is_refused_in_one_line(profile, fields, message):
    with pytest.raises(ValueError, match=message) as refused:
        noise_profile_of_yaml(changed(profile, **fields))
    assert '\n' not in str(refused.value) and len(str(refused.value)) < 300


@pytest.mark.parametrize('content, message', [
    (b'', 'must be a mapping'), (b'\xff\xfe\x00', 'must be YAML'), (b'{', 'must be YAML'),
    (b'!!int ""', 'must be YAML'), (b'!!timestamp "x"', 'must be YAML'),
    (b'a: &a [1]\nb: *a', 'aliases are not taken'), (b'[' * 5000, 'must be YAML'),
    (b' ' * (MAX_FILE_BYTES + 1), f'at most {MAX_FILE_BYTES} bytes')])
def test_content_that_is_no_profile_is_refused_in_one_line(content, message):
    with pytest.raises(ValueError, match=message) as refused:
        noise_profile_of_yaml(content)
    assert '\n' not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match='none.yaml cannot be read: No such file'):
        read_noise_profile(tmp_path / 'none.yaml')
