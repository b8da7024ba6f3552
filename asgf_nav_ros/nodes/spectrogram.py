# SPDX-License-Identifier: Apache-2.0
"""Node ``spectrogram``: audio in, spectrograms of whole windows out."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.model_contract import read_contract
from asgf_nav_ros.nodes.parameters import full_scale
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.sound.audio_condition import audio_conditions
from asgf_nav_ros.sound.ear_swap import EarSwap
from asgf_nav_ros.sound.ear_watch import EarWatch
from asgf_nav_ros.sound.hearing import Hearing
from asgf_nav_ros.sound.hearing import HearingSettings
from asgf_nav_ros.sound.listening_window import ListeningWindow
from asgf_nav_ros.sound.listening_window import Window
from asgf_nav_ros.sound.noise_gate import NoiseGateSettings
from asgf_nav_ros.sound.noise_profile import read_noise_profile
from asgf_nav_ros.sound.window_schedule import WindowSchedule


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpectrogramParameters(NodeParameters):
    """Parameters of ``spectrogram``."""

    publish_period_s: float = parameter(
        0.1, 'Time between windows after the first one at rest.', low=0.01, high=10)
    follow_motion: bool = parameter(
        True, 'Publish only windows at rest, as motion_state says; false publishes always.')
    full_scale: float = full_scale()
    input_timeout_s: float = parameter(
        0.3, 'Without newer audio it is not well, and motion stops.', low=0.05, high=60)
    stamp_jitter_s: float = parameter(
        0.005, 'Error of audio stamps that is no gap.', low=0.0001, high=0.4)
    noise_profile: str = parameter(
        '', "File of asgf-nav doctor --noise-profile: the robot's own steady noise is turned down "
        'by it; empty leaves the audio alone.')
    noise_gate_floor_db: float = parameter(
        NoiseGateSettings.floor_db, 'Least gain: what is left of the level of mere noise.',
        low=-60, high=0)
    noise_gate_margin_db: float = parameter(
        NoiseGateSettings.margin_db, 'Take the noise for that much louder than measured.',
        low=-20, high=20)
    noise_gate_smoothing_s: float = parameter(
        NoiseGateSettings.smoothing_s, 'Time over which the ratio of sound to noise is averaged.',
        low=0, high=10)

    @property
    def hearing(self) -> HearingSettings:
        """What is done to the audio.

        Raises:
            ValueError: the noise profile cannot be read or is none.
        """
        profile = read_noise_profile(self.noise_profile) if self.noise_profile else None
        return HearingSettings(self.full_scale, profile, NoiseGateSettings(
            floor_db=self.noise_gate_floor_db, margin_db=self.noise_gate_margin_db,
            smoothing_s=self.noise_gate_smoothing_s))


class SpectrogramNode(ManagedNode):
    """Joins audio, asks for windows, publishes their spectrograms."""

    supervised = True

    def __init__(self, **options: Any) -> None:
        super().__init__('spectrogram', SpectrogramParameters, **options)

    def set_up(self) -> None:
        """Take rate, window and transform from the model's contract."""
        self._contract = read_contract(self.settings.model_path)
        hearing = self.settings.hearing
        self._hearing, self._told = Hearing(hearing, self._contract), hearing.document()
        self._listening = ListeningWindow(self._contract, jitter_s=self.settings.stamp_jitter_s)
        self._ears = EarWatch(self._contract.sample_rate_hz)
        self._swap, self._rests = EarSwap(self._contract.sample_rate_hz), False
        self._schedule = WindowSchedule(self._contract, period_s=self.settings.publish_period_s)
        self._spectrogram = self.advertise(Image, graph.SPECTROGRAM, graph.event_qos())
        self._info = self.advertise(String, graph.SPECTROGRAM_INFO, graph.state_qos())

    def start(self) -> None:
        """Listen, and say what is done to the audio, for a replay."""
        self._info.publish(String(data=json.dumps(self._told)))
        sensor = graph.sensor_qos(
            self.settings.sensor_reliability, depth=graph.DEPTH_OF_AUDIO)
        self.listen(Header, graph.MOTION_STATE, self._on_motion_state, graph.state_qos(),
                    awaited=self.settings.follow_motion)
        self.listen(Header, graph.EPISODE, self._on_episode, graph.state_qos(), awaited=False)
        self.listen(Image, graph.AUDIO, self._on_audio, sensor, stamped=True,
                    fresh_s=self.settings.input_timeout_s)

    def rewind(self) -> None:
        """Forget audio from a time that is yet to come."""
        self._listening.reset()
        self._ears.reset()
        self._swap.reset()
        self._schedule.reset()

    def _on_motion_state(self, message: Header) -> None:
        self._rests = MotionState(message.frame_id).at_rest
        if not self.settings.follow_motion:
            return
        if self._rests:
            self._schedule.rest(messages.seconds(message.stamp))
        else:
            self._schedule.move()
        self._publish_due(message.frame_id)

    def _on_episode(self, _: Header) -> None:
        self._swap.reset()  # it may begin elsewhere, where the sound comes from another side

    def _on_audio(self, message: Image) -> None:
        audio = messages.audio_of(message)
        for event in self._listening.push(messages.seconds(message.header.stamp), audio):
            self.diagnostics.complain(graph.AUDIO, event.reason)
            self._swap.reset()  # nobody knows what happened meanwhile
            if reason := self._ears.interrupt(event, self.now_s):
                self.ail(graph.AUDIO, reason)
        self._publish_due(message.header.frame_id)  # first of all: a decision waits for it
        self._judge_ears(audio)
        self.diagnostics.tell(held_s=self._listening.held_s)

    def _judge_ears(self, audio: np.ndarray) -> None:
        reason = self._ears.push(audio)
        if not self._rests:
            self._swap.reset()
        elif self._swap.push(audio):
            reason = reason or 'left and right have changed places: check with asgf-nav doctor'
        if reason:
            self.ail(f'{graph.AUDIO} (ears)', reason)

    def _publish_due(self, frame_id: str) -> None:
        while (window := self._schedule.due(self._listening)) is not None:
            self._check_condition(window)
            self._spectrogram.publish(messages.spectrogram_message(
                self._hearing.spectrogram(window.audio), window.end_s, frame_id))

    def _check_condition(self, window: Window) -> None:
        """Say what is wrong with the ears; the policy hears it all the same."""
        for condition in audio_conditions(window.audio)[:1]:
            self.diagnostics.complain(f'{graph.AUDIO} (level)', condition.reason)


def main() -> None:
    """Run the node."""
    sys.exit(run(SpectrogramNode))


if __name__ == '__main__':
    main()
