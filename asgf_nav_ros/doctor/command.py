# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav doctor``: says what would stop this machine, checks and calibrates its ears."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
import time

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.doctor.calibration import calibrate
from asgf_nav_ros.doctor.calibration import SOURCE_DISTANCE_M
from asgf_nav_ros.doctor.checks import check_camera
from asgf_nav_ros.doctor.checks import check_microphones
from asgf_nav_ros.doctor.checks import check_model
from asgf_nav_ros.doctor.checks import check_ros
from asgf_nav_ros.doctor.finding import Finding
from asgf_nav_ros.doctor.finding import Grade
from asgf_nav_ros.doctor.finding import ok
from asgf_nav_ros.doctor.finding import screen
from asgf_nav_ros.doctor.recording import listen
from asgf_nav_ros.doctor.recording import record
from asgf_nav_ros.inference.model_metadata import read_contract_of_file
from asgf_nav_ros.inference.providers import PROVIDERS
from asgf_nav_ros.share import share_directory
from asgf_nav_ros.sound.bearing import Bearing
from asgf_nav_ros.sound.bearing import bearing_of
from asgf_nav_ros.sound.clap_detector import ClapDetector
from asgf_nav_ros.sound.ear_signal import EarWiring
from asgf_nav_ros.sound.microphone import Microphone
from asgf_nav_ros.sound.microphone import MicrophoneSettings
from asgf_nav_ros.sound.noise_profile import measure_noise

EAR_SPACING_M = 0.18
LEAST_CLARITY = 0.35  # of a bearing that is told
_HALF_DIAL = 18  # characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--model', type=Path, metavar='M',
                        help='exported policy; without it the shipped one')
    parser.add_argument('--provider', choices=PROVIDERS, default='cpu',
                        help='where the robot is to run it')
    parser.add_argument('--device', default='', metavar='D',
                        help='index of the microphones, or a part of their name')
    parser.add_argument('--rate', type=int, default=0, metavar='HZ',
                        help="rate to record at; 0 is the device's own")
    parser.add_argument('--left-channel', type=int, default=0, metavar='N', help='of the device')
    parser.add_argument('--right-channel', type=int, default=1, metavar='N', help='of the device')
    parser.add_argument('--swap-ears', action='store_true',
                        help='take the left ear for the right one')
    parser.add_argument('--no-microphones', action='store_true',
                        help='a driver publishes audio: do not look for microphones')
    parser.add_argument('--camera', default='', metavar='C',
                        help='index or path of a camera, or a video, to look through')
    parser.add_argument('--hfov-deg', type=float, default=90.0, metavar='DEG',
                        help='horizontal field of view of that camera')
    parser.add_argument('--seconds', type=float, default=0.0, metavar='S',
                        help='to listen: 0 is 2 for the levels, 8 for --calibrate and '
                        '--noise-profile, 30 for --clap')
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument('--calibrate', type=Path, metavar='F',
                       help=f'record the room, then a sound at {SOURCE_DISTANCE_M:g} m, and write '
                       'full_scale of the spectrogram node to this YAML')
    doing.add_argument('--noise-profile', type=Path, metavar='F',
                       help="record the robot's own steady noise, standing still with fans on and "
                       'nothing else to hear, and write the noise_profile of the spectrogram node '
                       'to this YAML')
    doing.add_argument('--clap', action='store_true',
                       help='show where claps come from, until Ctrl-C or the seconds are over')
    parser.add_argument('--spacing', type=float, default=EAR_SPACING_M, metavar='M',
                        help='between the microphones, for --clap')


def run(arguments: argparse.Namespace) -> int:
    """Check, calibrate or listen, and return the exit code: 1 if something stops the robot."""
    if not 0 <= arguments.seconds <= 600:
        raise ValueError(f'--seconds must be in [0, 600], got {arguments.seconds}')
    wiring = EarWiring(left_channel=arguments.left_channel,
                       right_channel=arguments.right_channel, swap_ears=arguments.swap_ears)
    settings = MicrophoneSettings(
        device=arguments.device, rate_hz=arguments.rate, channels=wiring.channels)
    if arguments.calibrate:
        return _calibrate(settings, wiring, arguments.calibrate, arguments.seconds or 8.0)
    if arguments.noise_profile:
        contract = read_contract_of_file(_model_path(arguments))
        return _profile_noise(settings, wiring, contract, arguments.noise_profile,
                              arguments.seconds or 8.0)
    if arguments.clap:
        return _show_claps(settings, wiring, arguments.spacing, arguments.seconds or 30.0)
    findings = _check_everything(arguments, settings, wiring)
    print(screen(findings))
    return int(any(finding.grade is Grade.STOP for finding in findings))


def _check_everything(arguments: argparse.Namespace, settings: MicrophoneSettings,
                      wiring: EarWiring) -> list[Finding]:
    model, contract = check_model(str(_model_path(arguments)), arguments.provider)
    sound = ([ok('microphones', 'not looked for, as asked')] if arguments.no_microphones else
             check_microphones(settings, wiring, seconds=arguments.seconds or 2.0))
    camera = check_camera(arguments.camera, contract, hfov_rad=math.radians(arguments.hfov_deg))
    return [*sound, *camera, *model, *check_ros()]


def _model_path(arguments: argparse.Namespace) -> Path:
    return arguments.model or share_directory('models') / 'asgf_nav.onnx'


def _calibrate(settings: MicrophoneSettings, wiring: EarWiring, path: Path,
               seconds: float) -> int:
    print(f'Quiet, please: recording the room for {seconds:g} s', flush=True)
    room = record(settings, wiring, seconds=seconds)
    print(f'Now the sound to be found, {SOURCE_DISTANCE_M:g} m ahead of the robot, at the height '
          f'of its ears, for {seconds:g} s', flush=True)
    sound = record(settings, wiring, seconds=seconds)
    found = calibrate(sound.audio, room.audio, rate_hz=sound.rate_hz, device=sound.device)
    found.write(path)
    print(f'{path}: full_scale {found.full_scale:.3g} (sound {found.sound_rms_db:.1f} dB, room '
          f'{found.room_rms_db:.1f} dB, peak {found.peak:.2f} of full scale)')
    print(f'use it: ros2 launch asgf_nav_ros robot.launch.py params_file:={path}')
    return 0


def _profile_noise(settings: MicrophoneSettings, wiring: EarWiring, contract: PolicyContract,
                   path: Path, seconds: float) -> int:
    print('Fans on, robot still, nothing else to hear: recording its own noise for '
          f'{seconds:g} s', flush=True)
    ears = record(settings, wiring, seconds=seconds, rate_hz=contract.sample_rate_hz)
    profile = measure_noise(ears.audio, contract)
    profile.write(path, device=ears.device)
    left_db, right_db = profile.level_db
    print(f'{path}: {profile.seconds:g} s of noise, left {left_db:.1f} dB, right '
          f'{right_db:.1f} dB')
    print(f'use it: noise_profile: {path.resolve()} among the parameters of spectrogram (the '
          'params_file of the launch files)')
    return 0


def _show_claps(settings: MicrophoneSettings, wiring: EarWiring, spacing_m: float,
                seconds: float) -> int:
    print(f'Clap to the left, then to the right of the robot ({seconds:g} s, Ctrl-C ends):',
          flush=True)
    microphone = Microphone(settings)
    try:
        detector, told = ClapDetector(microphone.rate_hz), 0
        for audio in listen(microphone, wiring, seconds=seconds):
            for clap in detector.push(audio):
                bearing = bearing_of(clap, rate_hz=microphone.rate_hz, spacing_m=spacing_m)
                print(f'{time.strftime("%H:%M:%S")} {_dial(bearing)}', flush=True)
                told += bearing.clarity >= LEAST_CLARITY
    finally:
        microphone.close()
    if not told:
        print('no clap was heard clearly: clap louder, or look at the levels with asgf-nav doctor')
    return int(not told)


def _dial(bearing: Bearing) -> str:
    """A line like ``[      |   *     ]  right 25 deg``."""
    if bearing.clarity < LEAST_CLARITY:
        return f'a sound from nowhere in particular (clarity {bearing.clarity:.2f})'
    dial = [' '] * (2 * _HALF_DIAL + 1)
    dial[_HALF_DIAL] = '|'
    dial[_HALF_DIAL - round(bearing.azimuth_rad / (math.pi / 2) * _HALF_DIAL)] = '*'
    degrees = abs(math.degrees(bearing.azimuth_rad))
    return (f'[{"".join(dial)}] {bearing.side} {degrees:.0f} deg, '
            f'{1e6 * bearing.delay_s:+.0f} us, clarity {bearing.clarity:.2f}')
