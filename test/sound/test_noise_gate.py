# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.sound.noise_gate import NoiseGate
from asgf_nav_ros.sound.noise_gate import NoiseGateSettings
from asgf_nav_ros.sound.noise_profile import measure_noise
from asgf_nav_ros.sound.spectrogram import frames_of
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from asgf_nav_ros.sound.spectrogram import spectra_of_frames
from sim_bridge.robot_noise import draw_robot_noise

CONTRACT = PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL)
RATE_HZ = CONTRACT.sample_rate_hz


def spectra(audio):
    return spectra_of_frames(frames_of(np.ascontiguousarray(audio), CONTRACT), CONTRACT)


def fan(seed, seconds=9):
    noise = draw_robot_noise('fan', seconds * RATE_HZ, RATE_HZ, np.random.default_rng(seed))
    return np.float32(0.05) * noise


def bursts(seed):
    """A second of harmonic tones that come and go, 8 samples and 6 dB apart at the ears."""
    rng, time_s = np.random.default_rng(seed), np.arange(RATE_HZ + 8) / RATE_HZ
    pitch_hz = rng.uniform(200, 500)
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 12))
    tone = tone * (np.sin(2 * np.pi * 3 * time_s) > 0)
    return np.stack([tone[8:], 0.5 * tone[:-8]]).astype(np.float32)


def energy_db(left_over):
    return 10 * np.log10(np.sum(np.abs(left_over) ** 2))


def gate_of(noise, **settings):
    return NoiseGate(measure_noise(noise, CONTRACT), CONTRACT, NoiseGateSettings(**settings))


@pytest.mark.parametrize('snr_db', [0, 5])
def test_sound_gains_over_the_noise_of_a_fan(snr_db):
    gained = []
    for seed in range(6):
        noise, sound = fan(seed), bursts(seed)
        part = noise[:, -RATE_HZ:]
        sound *= 10 ** (snr_db / 20) * np.float32(np.std(part) / np.std(sound))
        gate = gate_of(noise[:, :-RATE_HZ])
        heard, target, rest = spectra(sound + part), spectra(sound), spectra(part)
        gains = np.abs(gate.attenuate(heard)[0]) / np.maximum(np.abs(heard[0]), 1e-20)
        before_db = energy_db(target) - energy_db(rest)
        gained.append(energy_db(gains * target) - energy_db(gains * rest) - before_db)
    assert np.mean(gained) > 6


def test_both_ears_have_one_real_gain_so_their_differences_survive():
    heard = spectra(bursts(1) + fan(1)[:, -RATE_HZ:])
    found = gate_of(fan(1)).attenuate(heard)
    assert found.shape == heard.shape and found.dtype == np.complex64
    loud = np.abs(heard).min(axis=0) > 1e-3
    ratio = found[:, loud] / heard[:, loud]
    np.testing.assert_allclose(ratio[0], ratio[1], rtol=1e-5)
    assert np.abs(ratio.imag).max() < 1e-6
    assert ratio.real.min() > 0.99 * 10 ** (-12 / 20) and ratio.real.max() <= 1 + 1e-6
    before, after = (each[0, loud] / each[1, loud] for each in (heard, found))
    np.testing.assert_allclose(after, before, rtol=1e-4)


def test_the_interaural_planes_of_the_policy_stay_as_good():
    """Weighted by where the sound is, over a fan at 5 dB."""
    errors = []
    for seed in range(4):
        noise, sound = fan(seed), bursts(seed)
        part = noise[:, -RATE_HZ:]
        sound *= np.float32(10 ** (5 / 20) * np.std(part) / np.std(sound))
        gate = gate_of(noise[:, :-RATE_HZ])
        clean, noisy = (log_magnitude_spectrogram(audio, CONTRACT)
                        for audio in (sound, sound + part))
        gated = log_magnitude_spectrogram(sound + part, CONTRACT, attenuate=gate.attenuate)
        weights = np.expm1(clean[..., :2]).sum(axis=-1, keepdims=True)
        errors.append([np.sum(weights * np.abs(each - clean)[..., 2:]) for each in
                       (noisy, gated)])
    before, after = np.sum(errors, axis=0)
    assert after < 1.02 * before


def test_mere_noise_falls_to_the_floor():
    noise = fan(2)
    gate = gate_of(noise[:, :-RATE_HZ], floor_db=-20.0, margin_db=6.0)
    heard = spectra(noise[:, -RATE_HZ:])
    assert energy_db(gate.attenuate(heard)) - energy_db(heard) == pytest.approx(-20, abs=2)


def test_what_is_far_above_the_noise_passes():
    gate = gate_of(1e-4 * fan(3))
    noise = np.random.default_rng(0).normal(size=(2, RATE_HZ)).astype(np.float32)
    heard = spectra(noise)
    np.testing.assert_allclose(gate.attenuate(heard), heard, rtol=0.01, atol=1e-3)


def test_the_future_changes_nothing_and_blocks_join_without_a_seam():
    heard, gate = spectra(bursts(5) + fan(5)[:, -RATE_HZ:]), gate_of(fan(5))
    whole = gate.attenuate(heard)
    gate.begin()
    parts = [gate.attenuate(heard[:, :40]), gate.attenuate(0 * heard[:, 40:41])]
    np.testing.assert_array_equal(parts[0], whole[:, :40])
    gate.begin()
    parts = [gate.attenuate(heard[:, start:start + 7]) for start in range(0, heard.shape[1], 7)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_the_gain_does_not_depend_on_the_scale_of_the_audio():
    profile, heard = measure_noise(fan(6), CONTRACT), spectra(bursts(6))
    plain = NoiseGate(profile, CONTRACT, NoiseGateSettings())
    loud = NoiseGate(profile, CONTRACT, NoiseGateSettings(), full_scale=4.0)
    np.testing.assert_allclose(loud.attenuate(4 * heard), 4 * plain.attenuate(heard), rtol=1e-5)


@pytest.mark.parametrize('field, value', [
    ('floor_db', 1.0), ('floor_db', float('nan')), ('margin_db', 30), ('smoothing_s', -1),
    ('smoothing_s', '1')])
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(ValueError, match=f'{field} must be in'):
        NoiseGateSettings(**{field: value})


def test_a_policy_that_hears_otherwise_is_refused():
    other = dataclasses.replace(CONTRACT, n_fft=1024)
    with pytest.raises(ValueError, match='wants n_fft=1024, the noise profile has 512'):
        NoiseGate(measure_noise(fan(7), CONTRACT), other, NoiseGateSettings())
