# SPDX-License-Identifier: Apache-2.0
"""The level of real microphones against that of the sounds that policies are trained with."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np

# Of the loudest second at both ears, 1 m from a source, in the houses of training, where 1 is
# the peak of a source at 1 m in the open: measured by tools/measure_training_level.py (10 to
# 90 %: -22.5 to -8.2 dB).
TRAINING_RMS_DB = -14.1
SOURCE_DISTANCE_M = 1.0
LEAST_ABOVE_ROOM_DB = 10.0
_LEAST_FULL_SCALE, _MOST_FULL_SCALE = 0.001, 1000.0  # of the parameter


@dataclasses.dataclass(frozen=True)
class LevelCalibration:
    """``full_scale`` for node ``spectrogram``, and what it was made of (dB of full scale)."""

    full_scale: float
    sound_rms_db: float
    room_rms_db: float
    peak: float
    device: str

    def to_yaml(self) -> str:
        """As a file for ``params_file`` of the launch files."""
        return (
            f'# Written by asgf-nav doctor --calibrate with {" ".join(self.device.split())}: the '
            f'sound at {SOURCE_DISTANCE_M:g} m\n'
            f'# has {self.sound_rms_db:.1f} dB, the room {self.room_rms_db:.1f} dB; in training '
            f'such a sound has {TRAINING_RMS_DB:.1f} dB.\n'
            '/**/spectrogram:\n'
            '  ros__parameters:\n'
            f'    full_scale: {self.full_scale:.5g}\n')

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        fresh = path.with_name(path.name + '.new')
        fresh.write_text(self.to_yaml(), encoding='utf-8')
        os.replace(fresh, path)


def loudest_second_db(audio: np.ndarray, rate_hz: int) -> float:
    """RMS over both ears of the loudest second of (2, n), dB of full scale."""
    power = np.mean(np.square(audio, dtype=float), axis=0)
    sums = np.cumsum(np.concatenate([[0.0], power]))
    length = min(rate_hz, len(power))
    return float(10 * np.log10(max((sums[length:] - sums[:-length]).max() / length, 1e-12)))


def calibrate(sound: np.ndarray, room: np.ndarray, *, rate_hz: int,
              device: str) -> LevelCalibration:
    """Find the full scale with which a sound is as loud as in training.

    Args:
        sound: (2, n) float32 of full scale, with the sound to be found 1 m ahead.
        room: (2, m), the same without it.
        rate_hz: of both.
        device: name of the microphones.

    Raises:
        ValueError: the sound is clipped, or hardly louder than the room.
    """
    level_db, room_db = loudest_second_db(sound, rate_hz), loudest_second_db(room, rate_hz)
    peak = float(np.abs(sound).max())
    if peak >= 0.999:
        raise ValueError('the sound is clipped: lower the gain of the microphones and try again')
    if level_db - room_db < LEAST_ABOVE_ROOM_DB:
        raise ValueError(
            f'the sound must be at least {LEAST_ABOVE_ROOM_DB:g} dB louder than the room, got '
            f'{level_db - room_db:.1f} dB: play it louder, or raise the gain of the microphones')
    full_scale = 10 ** ((TRAINING_RMS_DB - level_db) / 20)
    if not _LEAST_FULL_SCALE <= full_scale <= _MOST_FULL_SCALE:
        raise ValueError(f'full_scale must be in [{_LEAST_FULL_SCALE:g}, {_MOST_FULL_SCALE:g}], '
                         f'the sound would need {full_scale:.3g}')
    return LevelCalibration(full_scale, level_db, room_db, peak, device)
