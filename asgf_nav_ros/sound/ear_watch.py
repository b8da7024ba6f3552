# SPDX-License-Identifier: Apache-2.0
"""Notices within a third of a second that a microphone or its stream fails."""

from __future__ import annotations

import collections

import numpy as np

from asgf_nav_ros.sound.audio_condition import audio_conditions
from asgf_nav_ros.sound.audio_condition import AudioFault
from asgf_nav_ros.sound.audio_condition import AudioLimits
from asgf_nav_ros.sound.listening_window import SpanEvent
from asgf_nav_ros.sound.listening_window import SpanFault
from asgf_nav_ros.sound.recent_samples import RecentSamples

PERIOD_S = 0.3
# A door that slams clips for a moment, a wrong gain clips all the time.
LIMITS = AudioLimits(clipped_share=0.01)
# One ear may hear little of a faint source on the other side, but not this much less.
DEAD_RATIO = 20.0
# So many blocks that are the same, sample by sample, are a driver that hangs.
REPEATS = 4
# One short interruption is an overrun; more of them in this time, or one that lasts, are a stream
# that does not work.
INTERRUPTIONS, INTERRUPTION_PERIOD_S = 2, 0.5
LASTING_S = 0.03


class EarWatch:
    """Judges the newest ``PERIOD_S`` of audio, and how often it was interrupted."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._samples = round(PERIOD_S * sample_rate_hz)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._recent = RecentSamples((2,), keep=self._samples)
        self._last, self._repeats = np.empty((2, 0), np.float32), 0
        self._interrupted_s: collections.deque[float] = collections.deque(maxlen=INTERRUPTIONS)

    def push(self, audio: np.ndarray) -> str:
        """Take the next samples, (2, n) float32 in [-1, 1]; what is wrong, or an empty string."""
        self._recent.append(audio)
        self._repeats = self._repeats + 1 if np.array_equal(audio, self._last) else 0
        self._last = audio
        if self._repeats >= REPEATS and audio.any():
            return f'the same {audio.shape[1]} samples come again and again, the driver hangs'
        if self._recent.end < self._samples:
            return ''
        recent = self._recent.part(self._recent.end - self._samples, self._recent.end)
        for condition in audio_conditions(recent, LIMITS):
            if _is_certain(condition.fault, recent):
                return condition.reason
        return ''

    def interrupt(self, event: SpanEvent, now_s: float) -> str:
        """Take a fault of the stamps; its reason if it lasts or such faults keep coming."""
        self._interrupted_s.append(now_s)
        often = (len(self._interrupted_s) == INTERRUPTIONS
                 and now_s - self._interrupted_s[0] <= INTERRUPTION_PERIOD_S)
        lasts = event.fault == SpanFault.GAP and event.end_s - event.start_s >= LASTING_S
        return event.reason if often or lasts else ''


def _is_certain(fault: AudioFault, audio: np.ndarray) -> bool:
    """Whether so short a time is enough to tell."""
    peaks = np.abs(audio).max(axis=1)
    if fault == AudioFault.SILENT:
        return not peaks.any()  # no microphone is as quiet as that
    return fault != AudioFault.DEAD_EAR or peaks.max() >= DEAD_RATIO * LIMITS.silent_peak
