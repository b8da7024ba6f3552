# SPDX-License-Identifier: Apache-2.0
"""What would stop this machine: microphones, camera, model, provider, ROS environment."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import numpy as np

from asgf_nav_ros.contract import MOTION_FEATURES
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.doctor.finding import Finding
from asgf_nav_ros.doctor.finding import ok
from asgf_nav_ros.doctor.finding import stop
from asgf_nav_ros.doctor.finding import warn
from asgf_nav_ros.doctor.recording import record
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.inference.onnx_policy import PolicyOutputError
from asgf_nav_ros.inference.providers import ProviderUnavailable
from asgf_nav_ros.ros_processes.ros_domain import FAST_DDS
from asgf_nav_ros.sight.calibration import Calibration
from asgf_nav_ros.sight.video_source import VideoError
from asgf_nav_ros.sight.video_source import VideoSettings
from asgf_nav_ros.sight.video_source import VideoSource
from asgf_nav_ros.sight.view import View
from asgf_nav_ros.sound.audio_condition import AudioFault
from asgf_nav_ros.sound.ear_signal import EarWiring
from asgf_nav_ros.sound.level_meter import level_of
from asgf_nav_ros.sound.microphone import input_devices
from asgf_nav_ros.sound.microphone import MicrophoneError
from asgf_nav_ros.sound.microphone import MicrophoneSettings

ROS_PATIENCE_S = 60
RECEIVE_BUFFERS, RAW_IMAGE_BYTES = Path('/proc/sys/net/core/rmem_max'), 4194304
_ROS = ('import rclpy; rclpy.init(); node = rclpy.create_node("doctor"); '
        'print(rclpy.get_rmw_implementation_identifier()); rclpy.shutdown()')
# A robot with these hears something, or will when the source does not pause.
_TOLERABLE = {AudioFault.CLIPPED}


def check_microphones(
        settings: MicrophoneSettings, wiring: EarWiring, *, seconds: float) -> list[Finding]:
    """Devices, channel order as wired, levels of both ears."""
    try:
        ears = record(settings, wiring, seconds=seconds)
    except (MicrophoneError, ValueError) as error:
        return [stop('microphones', str(error))]
    left, right = wiring.ears
    found = [
        ok('microphones', f'{ears.device} at {ears.rate_hz} Hz; there are '
           f'{"; ".join(input_devices())}'),
        ok('channel order', f'left ear is channel {left}, right ear is channel {right}; '
           'clap to be sure: asgf-nav doctor --clap')]
    level = level_of(ears.audio)
    levels = ', '.join(
        f'{ear} {rms_db:.0f} dB (peak {peak_db:.0f} dB)' for ear, rms_db, peak_db in zip(
            ('left', 'right'), level.rms_db, level.peak_db))
    if not level.conditions:
        return [*found, ok('levels', levels)]
    worst = level.conditions[0]
    judge = warn if worst.fault in _TOLERABLE else stop
    return [*found, judge('levels', f'{worst.reason}; {levels}')]


def check_camera(path: str, contract: PolicyContract | None, *, hfov_rad: float
                 ) -> list[Finding]:
    """A camera of this machine; without a path, which ones there are."""
    if not path:
        cameras = ', '.join(sorted(str(node) for node in Path('/dev').glob('video*')))
        if cameras:
            return [ok('camera', f'there are {cameras}; --camera N looks through one')]
        return [warn('camera', 'none in /dev/video*: a driver must publish colour and depth')]
    try:
        source = VideoSource(VideoSettings(
            source='file' if Path(path).is_file() else 'device', path=path))
        try:
            frame = source.read()
        finally:
            source.close()
        height, width = frame.rgb.shape[:2]
        camera = Calibration.of_angle(hfov_rad, width=width, height=height).camera
        shortfall = View(camera, contract).shortfall if contract else ''
    except (VideoError, ValueError) as error:
        return [stop('camera', str(error))]
    if shortfall:
        return [warn('camera', f'{width} x {height}; {shortfall}: the rest is black')]
    return [ok('camera', f'{width} x {height}; colour only, depth must come from elsewhere')]


def check_model(path: str, provider: str) -> tuple[list[Finding], PolicyContract | None]:
    """Load it where it is to run, and decide once."""
    try:
        policy = OnnxPolicy(path, provider=provider)
    except ProviderUnavailable as error:
        return [stop('provider', str(error))], None
    except (OSError, ValueError, PolicyOutputError) as error:
        return [stop('model', str(error))], None
    contract = policy.contract
    decision = policy.decide(_nothing_seen_or_heard(contract))
    why = f' ({policy.provider_reason})' if policy.provider_reason else ''
    return [
        ok('model', f'{path}: {contract.system}, {contract.sample_rate_hz} Hz, '
           f'{contract.image_width} x {contract.image_height}, steps of '
           f'{contract.forward_step_m:g} m'),
        ok('provider', f'{policy.provider}{why}, one decision in '
           f'{decision.inference_ms:.0f} ms')], contract


def _nothing_seen_or_heard(contract: PolicyContract) -> Observation:
    image = (contract.image_height, contract.image_width)
    return Observation(
        rgb=np.zeros((*image, 3), np.uint8), depth=np.zeros(image, np.float32),
        spectrogram=np.zeros(contract.spectrogram_shape, np.float32),
        motion=np.zeros(MOTION_FEATURES, np.float32) if contract.odometry else None)


def check_ros() -> list[Finding]:
    """ROS, its middleware, and the variables that decide who hears whom."""
    try:
        asked = subprocess.run(
            [sys.executable, '-c', _ROS], capture_output=True, text=True, check=False,
            timeout=ROS_PATIENCE_S)
    except subprocess.TimeoutExpired:
        return [stop('ROS', f'rclpy has not come up in {ROS_PATIENCE_S} s')]
    if asked.returncode:
        reason = asked.stderr.strip().splitlines() or ['it said nothing']
        return [stop('ROS', f'rclpy does not work: {reason[-1]}; source the setup.bash of ROS')]
    discovery = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    found = [ok('ROS', f'{asked.stdout.split()[-1]}, domain {domain}, discovery {discovery}')]
    if FAST_DDS in asked.stdout:
        found += _check_shared_memory(discovery)
    if RECEIVE_BUFFERS.exists():
        found += check_socket_buffers(int(RECEIVE_BUFFERS.read_text('ascii')))
    return found


def _check_shared_memory(discovery: str) -> list[Finding]:
    """Whether Fast DDS shares memory between processes."""
    found = []
    if 'FASTDDS_DEFAULT_PROFILES_FILE' not in os.environ:
        found.append(warn('transport', 'FASTDDS_DEFAULT_PROFILES_FILE is not set: a node that '
                          'is killed may cost the others their images; the launch files set it'))
    if discovery == 'LOCALHOST' or os.environ.get('ROS_LOCALHOST_ONLY') == '1':
        found.append(warn('transport', 'with discovery on this machine alone Fast DDS shares '
                          'memory, and a node that is killed may cost others their images: set '
                          'ROS_AUTOMATIC_DISCOVERY_RANGE to SUBNET; the profile is local'))
    return found


def check_socket_buffers(granted_bytes: int) -> list[Finding]:
    """What the kernel grants a UDP socket, which carries the images of a camera's driver."""
    if granted_bytes >= RAW_IMAGE_BYTES:
        return []
    return [warn('transport', f'net.core.rmem_max is {granted_bytes}: raw images of a megabyte '
                 'get lost where their driver sends them best effort; sudo sysctl -w '
                 f'net.core.rmem_max={RAW_IMAGE_BYTES}')]
