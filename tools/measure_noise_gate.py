# SPDX-License-Identifier: Apache-2.0
"""Print what the noise gate does to sounds in houses over the noise of a fan.

    .venv/bin/python tools/measure_noise_gate.py

The table of docs/hardware.md; the fan is that of the benchmark's condition ``noise``, its profile
comes from 8 s before the window.
"""

import argparse

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.sound.noise_gate import NoiseGate
from asgf_nav_ros.sound.noise_gate import NoiseGateSettings
from asgf_nav_ros.sound.noise_profile import measure_noise
from asgf_nav_ros.sound.spectrogram import frames_of
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from asgf_nav_ros.sound.spectrogram import spectra_of_frames
from sim_bridge.embedded import EmbeddedWorld
from sim_bridge.episodes import load_house
from sim_bridge.robot_noise import draw_robot_noise
from sim_bridge.simulator import Pose2D
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound

CONTRACT = PolicyContract(audio_channels=TWO_EARS_WITH_INTERAURAL)
RATE_HZ = CONTRACT.sample_rate_hz
LISTENED_S, PROFILED_S = 3, 8


def hear_houses(houses: int, sounds: int, rng: np.random.Generator) -> list[np.ndarray]:
    """The loudest second, (2, RATE_HZ), of each sound at a random place."""
    recordings, found = load_catalogue().split('test'), []
    with EmbeddedWorld(CONTRACT, rays=3000) as world:
        for index in range(houses):
            world.enter(load_house(f'small/test/{index}'))
            nodes = world.graph.nodes
            for sound in rng.choice(len(recordings), sounds, replace=False):
                ear, source = nodes[rng.choice(len(nodes), 2, replace=False)]
                pose = Pose2D(*ear, float(rng.integers(4) * np.pi / 2))
                world.begin(start=pose, source_xyz=(*source, CONTRACT.camera_height_m),
                            dry=load_sound(recordings[sound], RATE_HZ),
                            seed=int(rng.integers(2 ** 31)))
                seconds = world.listen(LISTENED_S * RATE_HZ).reshape(2, LISTENED_S, RATE_HZ)
                found.append(seconds[:, (seconds ** 2).sum(axis=(0, 2)).argmax()])
    return found


def measure(sound: np.ndarray, snr_db: float, rng: np.random.Generator) -> list[float]:
    """Gain of one window, dB; errors of level (dB) and phase (degrees), without and with gate."""
    level = np.float32(np.sqrt(np.mean(sound ** 2)) * 10 ** (-snr_db / 20))
    noise = level * draw_robot_noise('fan', (PROFILED_S + 4) * RATE_HZ, RATE_HZ, rng)
    gate = NoiseGate(measure_noise(noise[:, :PROFILED_S * RATE_HZ], CONTRACT), CONTRACT,
                     NoiseGateSettings())
    noise = noise[:, (PROFILED_S + 1) * RATE_HZ:(PROFILED_S + 2) * RATE_HZ]
    target, rest = spectra(sound), spectra(noise)
    heard = target + rest
    gains = np.abs(gate.attenuate(heard)[0]) / np.maximum(np.abs(heard[0]), 1e-20)
    gained_db = (10 * np.log10(energy(gains * target) / energy(gains * rest))
                 - 10 * np.log10(energy(target) / energy(rest)))
    gate.begin()
    clean, noisy = (log_magnitude_spectrogram(audio, CONTRACT) for audio in (sound, sound + noise))
    gated = log_magnitude_spectrogram(sound + noise, CONTRACT, attenuate=gate.attenuate)
    return [gained_db, *(error for kind in (level_error_db, phase_error_deg)
                         for error in (kind(noisy, clean), kind(gated, clean)))]


def spectra(audio: np.ndarray) -> np.ndarray:
    """Of all frames of a window, as the spectrogram has them."""
    half = CONTRACT.n_fft // 2
    return spectra_of_frames(frames_of(np.pad(audio, ((0, 0), (half, half))), CONTRACT), CONTRACT)


def energy(values: np.ndarray) -> float:
    """Sum of squares."""
    return float(np.sum(np.abs(values) ** 2))


def level_error_db(found: np.ndarray, clean: np.ndarray) -> float:
    """Mean error of the level difference, weighted by what the sound has in each bin."""
    weights = clean[..., :2].sum(axis=-1)
    return float(10 * np.average(np.abs(found[..., 2] - clean[..., 2]), weights=weights))


def phase_error_deg(found: np.ndarray, clean: np.ndarray) -> float:
    """The same for the phase difference, where the sound has one."""
    phases = [each[..., 3] + 1j * each[..., 4] for each in (found, clean)]
    weights = clean[..., :2].sum(axis=-1) * np.abs(phases[1])
    return float(np.degrees(np.average(np.abs(np.angle(phases[0] * phases[1].conj())),
                                       weights=weights)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--houses', type=int, default=4)
    parser.add_argument('--sounds', type=int, default=8, help='in each house')
    arguments = parser.parse_args()
    windows = hear_houses(arguments.houses, arguments.sounds, np.random.default_rng(0))
    for snr_db in (0, 5):
        rng = np.random.default_rng(1)
        gained_db, *errors = np.mean([measure(each, snr_db, rng) for each in windows], axis=0)
        print('{} windows at {} dB: {:.1f} dB gained; error of the level difference {:.2f} dB '
              'without, {:.2f} dB with the gate, of the phase difference {:.1f} and {:.1f} degrees'
              .format(len(windows), snr_db, gained_db, *errors))


if __name__ == '__main__':
    main()
