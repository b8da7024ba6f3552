# SPDX-License-Identifier: Apache-2.0
"""Node ``audio_capture``: two microphones in, stamped audio of the policy's rate out."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import graph_time
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.diagnostics import ERROR
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.model_contract import read_contract
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.sound.capture import Capture
from asgf_nav_ros.sound.capture import StampedAudio
from asgf_nav_ros.sound.ear_signal import EarWiring
from asgf_nav_ros.sound.level_meter import Level
from asgf_nav_ros.sound.level_meter import LevelMeter
from asgf_nav_ros.sound.microphone import MicrophoneSettings
from asgf_nav_ros.sound.microphone import portaudio
from asgf_nav_ros.sound.microphone import SAMPLE_FORMATS
from asgf_nav_ros.sound.microphone_keeper import MicrophoneKeeper

WATCH_PERIOD_S = 0.25
MOST_OVER_FULL_SCALE = 1.05  # resampling what just fits may go over by a little
MICROPHONE, WIRING = MicrophoneSettings(), EarWiring()


@dataclasses.dataclass(frozen=True, kw_only=True)
class AudioCaptureParameters(NodeParameters):
    """Parameters of ``audio_capture``."""

    device: str = parameter(
        MICROPHONE.device, 'Index of the microphones, or a part of their name; empty takes the '
        "system's default. asgf-nav doctor lists them.")
    device_rate_hz: int = parameter(
        MICROPHONE.rate_hz, "Rate to record at; 0 is the device's own. Audio is resampled to "
        "the model's rate.", low=0, high=384000)
    channels: int = parameter(
        0, 'Channels to record; 0 records as many as the ears need.', low=0, high=64)
    left_channel: int = parameter(
        WIRING.left_channel, 'Channel of the left ear, counted from 0.', low=0, high=63)
    right_channel: int = parameter(
        WIRING.right_channel, 'Channel of the right ear, counted from 0.', low=0, high=63)
    swap_ears: bool = parameter(WIRING.swap_ears, 'Take the left ear for the right one.')
    gain_db: float = parameter(WIRING.gain_db, 'Applied to what is recorded.', low=-60, high=60)
    sample_format: str = parameter(
        MICROPHONE.sample_format, 'Samples to ask the device for.', choices=SAMPLE_FORMATS)
    block_s: float = parameter(
        MICROPHONE.block_s, 'Length of one message.', low=0.002, high=0.5)
    latency_s: float = parameter(
        MICROPHONE.latency_s, 'What the device may buffer: more loses less on a busy machine.',
        low=0.005, high=2)
    delay_s: float = parameter(
        0.0, 'From the air to the program, taken off the stamps.', low=0, high=2)
    silence_timeout_s: float = parameter(
        1.0, 'Open the device anew when nothing has come for so long.', low=0.1, high=30)
    retry_period_s: float = parameter(
        1.0, 'Between attempts to open the device.', low=0.1, high=60)
    level_period_s: float = parameter(
        1.0, 'Measure level, clipping and dead channels over so long.', low=0.1, high=30)
    frame_id: str = parameter('microphones', 'Frame of the microphones.')

    def wiring(self) -> EarWiring:
        """Which channels are the ears."""
        return EarWiring(left_channel=self.left_channel, right_channel=self.right_channel,
                         swap_ears=self.swap_ears, gain_db=self.gain_db)

    def microphone(self) -> MicrophoneSettings:
        """What to open."""
        needed = self.wiring().channels
        if 0 < self.channels < needed:
            raise ValueError(f'channels must be at least {needed} for the ears, '
                             f'got {self.channels}')
        return MicrophoneSettings(
            device=self.device, rate_hz=self.device_rate_hz, channels=self.channels or needed,
            sample_format=self.sample_format, block_s=self.block_s, latency_s=self.latency_s)


class AudioCaptureNode(ManagedNode):
    """Carries blocks from a ``MicrophoneKeeper`` through ``Capture`` to ``audio``."""

    def __init__(self, **options: Any) -> None:
        super().__init__('audio_capture', AudioCaptureParameters, **options)

    def set_up(self) -> None:
        """Take the rate from the model's contract; check what can be checked without sound."""
        settings = self.settings
        self._rate_hz = read_contract(settings.model_path).sample_rate_hz
        self._microphone, self._wiring = settings.microphone(), settings.wiring()
        portaudio()
        self._audio = self.advertise(
            Image, graph.AUDIO, graph.sensor_qos('reliable', depth=graph.DEPTH_OF_AUDIO))

    def start(self) -> None:
        """Open the microphones, and wake up when something has come."""
        settings = self.settings
        self._capture = Capture(self._wiring, to_hz=self._rate_hz, delay_s=settings.delay_s)
        self._told = dataclasses.replace(self._capture.counts)
        self._meter: LevelMeter | None = None
        self._awake = self.create_guard_condition(self._publish_captured)
        self._keeper = MicrophoneKeeper(
            self._microphone, silence_s=settings.silence_timeout_s,
            retry_s=settings.retry_period_s, on_block=self._awake.trigger)
        self.every(WATCH_PERIOD_S, self._watch, clock=self.steady)

    def halt(self) -> None:
        """Close the microphones."""
        if not self._keeper.close():
            self.fail('the driver of the microphones hangs, only a new process helps')
        self.destroy_guard_condition(self._awake)

    def _publish_captured(self) -> None:
        recording = self._keeper.take()
        if recording is None:
            return
        self.diagnostics.tell(device=recording.name, device_rate_hz=recording.rate_hz)
        if self._meter is None:
            self._meter = LevelMeter(stretch_samples=round(
                self.settings.level_period_s * recording.rate_hz))
        stretches = self._capture.push(recording)
        to_graph_s = graph_time.offset_s(lambda: self.now_s) if stretches else 0.0
        for stretch in stretches:
            self._publish(stretch, to_graph_s)

    def _publish(self, stretch: StampedAudio, to_graph_s: float) -> None:
        self._audio.publish(messages.audio_message(
            stretch.audio, stretch.start_s + to_graph_s, self.settings.frame_id))
        level = self._meter.push(stretch.recorded)
        if level is not None:
            self._tell(level)
        loudest = float(np.abs(stretch.audio).max())
        if loudest > MOST_OVER_FULL_SCALE:
            self.diagnostics.complain(
                'gain_db', f'takes audio to {loudest:.2g} of full scale, the rest is cut off')

    def _tell(self, level: Level) -> None:
        for ear, rms_db, peak_db in zip(('left', 'right'), level.rms_db, level.peak_db):
            self.diagnostics.tell(**{f'{ear}_rms_db': rms_db, f'{ear}_peak_db': peak_db})
        for condition in level.conditions[:1]:
            self.diagnostics.complain('level', condition.reason)

    def _watch(self) -> None:
        """Say what is missing and what was lost."""
        counts, told = self._capture.counts, self._told
        self.diagnostics.tell(openings=counts.openings, overruns=counts.overruns,
                              underruns=counts.underruns, refused=counts.refused)
        if counts.overruns > told.overruns:
            self.diagnostics.complain(
                'overrun', f'{counts.overruns} times samples were lost: raise latency_s, or '
                'give this machine less to do')
        if counts.refused > told.refused:
            self.diagnostics.complain(graph.AUDIO, f'refused: {counts.last_refusal}')
        self._told = dataclasses.replace(counts)
        if self._keeper.trouble:
            self.diagnostics.complain(
                'microphones', self._keeper.trouble, level=ERROR, fades=False)
        elif counts.openings:
            self.diagnostics.settle('microphones')


def main() -> None:
    """Run the node."""
    sys.exit(run(AudioCaptureNode))


if __name__ == '__main__':
    main()
