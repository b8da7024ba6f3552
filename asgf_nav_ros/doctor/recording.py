# SPDX-License-Identifier: Apache-2.0
"""A few seconds from the microphones, or all that comes until somebody has heard enough."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import time

import numpy as np

from asgf_nav_ros.sound.ear_signal import EarSignal
from asgf_nav_ros.sound.ear_signal import EarWiring
from asgf_nav_ros.sound.microphone import Microphone
from asgf_nav_ros.sound.microphone import MicrophoneError
from asgf_nav_ros.sound.microphone import MicrophoneSettings
from asgf_nav_ros.sound.resampler import Resampler

_PATIENCE_S = 4.0  # sound servers take over a second for the first samples
_LOOK_S = 0.02
_START_S = 0.3  # clicks and ramps of the sound card


@dataclasses.dataclass(frozen=True)
class Ears:
    """``audio`` (2, n) float32 of full scale, left ear first."""

    audio: np.ndarray
    rate_hz: int
    device: str


def listen(microphone: Microphone, wiring: EarWiring, *, seconds: float) -> Iterator[np.ndarray]:
    """Yield (2, n) float32 of full scale as it comes, for so long.

    Raises:
        MicrophoneError: nothing has come for a few seconds.
        ValueError: the samples cannot be used.
    """
    signal = EarSignal(wiring, from_hz=microphone.rate_hz, to_hz=microphone.rate_hz)
    left = round(seconds * microphone.rate_hz)
    while left > 0:
        if microphone.silent_for_s > _PATIENCE_S:
            raise MicrophoneError(
                f'nothing has come from {microphone.name} for {_PATIENCE_S:g} s')
        for block in microphone.take():
            left -= len(block.samples)
            yield signal.ears(block.samples)
        time.sleep(_LOOK_S)


def record(settings: MicrophoneSettings, wiring: EarWiring, *, seconds: float,
           rate_hz: int = 0) -> Ears:
    """Record for so long, as it comes or resampled to ``rate_hz``.

    Raises:
        MicrophoneError: the device is not there, or nothing comes.
        ValueError: the samples cannot be used.
    """
    microphone = Microphone(settings)
    try:
        blocks = list(listen(microphone, wiring, seconds=seconds + _START_S))
    finally:
        microphone.close()
    audio = np.concatenate(blocks, axis=1)[:, round(_START_S * microphone.rate_hz):]
    if rate_hz in (0, microphone.rate_hz):
        return Ears(audio, microphone.rate_hz, microphone.name)
    resampled = Resampler(microphone.rate_hz, rate_hz).push(audio)
    return Ears(resampled, rate_hz, microphone.name)
