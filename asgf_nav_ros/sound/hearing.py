# SPDX-License-Identifier: Apache-2.0
"""From a window of ``audio`` to what the policy hears: level, noise gate, spectrogram."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from typing import Any

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.level import FULL_SCALE
from asgf_nav_ros.sound.noise_gate import NoiseGate
from asgf_nav_ros.sound.noise_gate import NoiseGateSettings
from asgf_nav_ros.sound.noise_profile import NoiseProfile
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram

MAX_FULL_SCALE = 1e6


@dataclasses.dataclass(frozen=True, eq=False)
class HearingSettings:
    """What a robot does to its audio; a recording keeps it, so that a replay does the same.

    full_scale : sound level that full scale of the audio stands for.
    profile : of the robot's own noise; None gates nothing.
    gate : how it does.
    """

    full_scale: float = FULL_SCALE
    profile: NoiseProfile | None = None
    gate: NoiseGateSettings = dataclasses.field(default_factory=NoiseGateSettings)

    def __post_init__(self) -> None:
        if not 0 < self.full_scale <= MAX_FULL_SCALE:
            raise ValueError(f'full_scale must be in (0, {MAX_FULL_SCALE:g}], '
                             f'got {self.full_scale!r:.40}')

    def document(self) -> dict[str, Any]:
        """All of it in plain numbers."""
        profile = None if self.profile is None else self.profile.document()
        return {'full_scale': self.full_scale, 'noise_profile': profile,
                'noise_gate': dataclasses.asdict(self.gate)}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> HearingSettings:
        """Read what ``document`` wrote.

        Raises:
            ValueError: it is something else.
        """
        full_scale, gate = document.get('full_scale'), document.get('noise_gate')
        if isinstance(full_scale, bool) or not isinstance(full_scale, (int, float)):
            raise ValueError(f'full_scale must be a number, got {full_scale!r:.40}')
        names = {field.name for field in dataclasses.fields(NoiseGateSettings)}
        if not isinstance(gate, Mapping) or set(gate) != names:
            raise ValueError(f'noise_gate must have {", ".join(sorted(names))}, got {gate!r:.80}')
        profile = document.get('noise_profile')
        return cls(full_scale, None if profile is None else NoiseProfile.of_document(profile),
                   NoiseGateSettings(**gate))


class Hearing:
    """The settings at work for one policy."""

    def __init__(self, settings: HearingSettings, contract: PolicyContract) -> None:
        """Prepare.

        Raises:
            ValueError: the noise profile is for another rate or STFT.
        """
        self._contract, self._level = contract, np.float32(settings.full_scale)
        self._gate = None if settings.profile is None else NoiseGate(
            settings.profile, contract, settings.gate, full_scale=settings.full_scale)

    def spectrogram(self, audio: np.ndarray) -> np.ndarray:
        """What the policy hears of a window; the same audio always gives the same.

        Args:
            audio: (2, window_samples) float32 in [-1, 1], left ear first.

        Returns:
            (bins, frames, channels) float32.

        Raises:
            ValueError: wrong shape, or NaN or infinity in the audio.
        """
        if self._gate is None:
            return log_magnitude_spectrogram(audio * self._level, self._contract)
        self._gate.begin()
        return log_magnitude_spectrogram(
            audio * self._level, self._contract, attenuate=self._gate.attenuate)
