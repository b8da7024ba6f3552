# SPDX-License-Identifier: Apache-2.0
"""What may be wrong with audio that has the right format: named, so that nodes can report it."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np


class AudioFault(enum.Enum):
    """Conditions under which a policy should not trust its ears."""

    NOT_FINITE = 'not_finite'
    SILENT = 'silent'
    DEAD_EAR = 'dead_ear'
    IDENTICAL_EARS = 'identical_ears'
    CLIPPED = 'clipped'


@dataclasses.dataclass(frozen=True)
class AudioCondition:
    """One fault and its reason in one line."""

    fault: AudioFault
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class AudioLimits:
    """From where on audio counts as silent or clipped; levels are of full scale."""

    silent_peak: float = 1e-4  # -80 dB: about three steps of 16 bits
    clipped_peak: float = 0.999
    clipped_share: float = 0.001  # of the samples of one ear

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not 0 < value <= 1:
                raise ValueError(f'{name} must be in (0, 1], got {value}')


DEFAULT_LIMITS = AudioLimits()


def audio_conditions(
        audio: np.ndarray, limits: AudioLimits = DEFAULT_LIMITS) -> tuple[AudioCondition, ...]:
    """Faults of a stretch of audio, gravest first; empty when all is well.

    Silence of a whole window may be true (the source pauses); the rest never is in a real room.

    Args:
        audio: (2, n) float in [-1, 1], n > 0, left ear first.
        limits: what counts as silent and clipped.

    Raises:
        ValueError: wrong shape.
    """
    audio = np.asarray(audio)
    if audio.ndim != 2 or audio.shape[0] != 2 or audio.shape[1] == 0:
        raise ValueError(f'audio must be (2, n) with n > 0, got {audio.shape}')
    bad = np.count_nonzero(~np.isfinite(audio))
    if bad:
        return (AudioCondition(
            AudioFault.NOT_FINITE, f'{bad} of {audio.size} samples are NaN or infinite'),)
    level = np.abs(audio)
    peaks = level.max(axis=1)
    if (peaks < limits.silent_peak).all():
        return (AudioCondition(
            AudioFault.SILENT,
            f'both ears stay under {limits.silent_peak:g} of full scale, '
            f'the loudest sample is {peaks.max():.2g}'),)
    return (*_compare_ears(audio, peaks, limits), *_clipping(level, limits))


def _compare_ears(
        audio: np.ndarray, peaks: np.ndarray, limits: AudioLimits) -> list[AudioCondition]:
    quiet = int(peaks.argmin())
    if peaks[quiet] < limits.silent_peak:
        return [AudioCondition(
            AudioFault.DEAD_EAR,
            f'the {("left", "right")[quiet]} ear is silent (peak {peaks[quiet]:.2g}) while the '
            f'other has {peaks[1 - quiet]:.2g}')]
    if np.array_equal(audio[0], audio[1]):
        return [AudioCondition(
            AudioFault.IDENTICAL_EARS,
            'both ears are the same signal, which is mono and tells no side')]
    return []


def _clipping(level: np.ndarray, limits: AudioLimits) -> list[AudioCondition]:
    shares = (level >= limits.clipped_peak).mean(axis=1)
    loud = int(shares.argmax())
    if shares[loud] < limits.clipped_share:
        return []
    return [AudioCondition(
        AudioFault.CLIPPED,
        f'{100 * shares[loud]:.2g} % of the {("left", "right")[loud]} ear is at full scale, '
        'lower the gain of the microphones')]
