# SPDX-License-Identifier: Apache-2.0
"""How loud the robot itself is at its ears, measured while it stands still with its fans on."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.spectrogram import frames_of
from asgf_nav_ros.sound.spectrogram import spectra_of_frames

FORMAT, VERSION = 'asgf_nav_noise_profile', 1
MAX_FILE_BYTES = 1 << 17
MAX_N_FFT = 4096
MAX_POWER = 1e9  # a sine of full scale has (win_length / 4) ** 2
LEAST_SECONDS = 2.0
# Between the loudest and the median part of a second. What changes more than that is no fan,
# and its mean would be subtracted from silence.
MOST_UNSTEADY_DB = 6.0
_PARTS_A_SECOND = 4
_COUNTS = ('sample_rate_hz', 'n_fft', 'win_length')
_KEYS = ('format', 'version', *_COUNTS, 'seconds', 'power')
_EARS = ('left', 'right')


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseProfile:
    """Mean power of stationary noise in each bin of the policy's STFT, at either ear.

    sample_rate_hz, n_fft, win_length : of the STFT, without which a power means nothing.
    seconds : listened to.
    power : (2, n_fft // 2 + 1) float64, left ear first, mean of ``|STFT|^2`` of ``audio`` as it
        is on the topic, in [-1, 1].

    Raises:
        ValueError: a field is out of range, or the profile is silent.
    """

    sample_rate_hz: int
    n_fft: int
    win_length: int
    seconds: float
    power: np.ndarray

    def __post_init__(self) -> None:
        for name in _COUNTS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f'{name} must be a positive whole number, got {value!r:.40}')
        if not self.win_length <= self.n_fft <= MAX_N_FFT:
            raise ValueError(f'n_fft must be from win_length, {self.win_length}, to {MAX_N_FFT}, '
                             f'got {self.n_fft}')
        if not (_is_number(self.seconds) and 0 < self.seconds < math.inf):
            raise ValueError(f'seconds must be positive and finite, got {self.seconds!r:.40}')
        shape = (2, self.n_fft // 2 + 1)
        if self.power.shape != shape:
            raise ValueError(f'power must be {shape}, got {self.power.shape}')
        if not ((self.power >= 0) & (self.power <= MAX_POWER)).all():
            raise ValueError(f'power must be in [0, {MAX_POWER:g}] in every bin')
        if not self.power.any():
            raise ValueError('power must not be 0 in every bin: that is no noise')

    @property
    def level_db(self) -> tuple[float, float]:
        """RMS of the noise at the left and the right ear, dB of full scale."""
        # Parseval; the mean square of a Hann window is 3 / 8.
        bins = 2 * self.power.sum(axis=1) - self.power[:, 0]
        square = bins / (self.n_fft * self.win_length * 3 / 8)
        left, right = 10 * np.log10(np.maximum(square, 1e-20))
        return float(left), float(right)

    def require(self, contract: PolicyContract) -> None:
        """Refuse to be used with a policy that hears otherwise.

        Raises:
            ValueError: another rate or STFT; the message names both sides.
        """
        for name in _COUNTS:
            wanted, found = getattr(contract, name), getattr(self, name)
            if wanted != found:
                raise ValueError(f'the policy wants {name}={wanted}, the noise profile has '
                                 f'{found}: measure it with asgf-nav doctor --noise-profile')

    def document(self) -> dict[str, Any]:
        """All of it in plain numbers."""
        return {'format': FORMAT, 'version': VERSION,
                **{name: getattr(self, name) for name in _COUNTS}, 'seconds': self.seconds,
                'power': dict(zip(_EARS, self.power.tolist()))}

    @classmethod
    def of_document(cls, document: Any) -> NoiseProfile:
        """Read what ``document`` wrote.

        Raises:
            ValueError: it is something else.
        """
        if not isinstance(document, Mapping) or document.get('format') != FORMAT:
            raise ValueError(f'a noise profile must be a mapping with the format {FORMAT}')
        if document.get('version') != VERSION or set(document) != set(_KEYS):
            raise ValueError(f'a noise profile must have version {VERSION} and exactly '
                             f'{", ".join(_KEYS)}, got {", ".join(map(str, document))!s:.200}')
        return cls(*(document[name] for name in (*_COUNTS, 'seconds')),
                   power=_powers(document['power']))

    def write(self, path: Path, *, device: str) -> None:
        """Write a YAML file, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        left_db, right_db = self.level_db
        text = (f'# Written by asgf-nav doctor --noise-profile with {" ".join(device.split())}:\n'
                f'# {left_db:.1f} dB of full scale at the left ear, {right_db:.1f} dB at the '
                'right one.\n' + yaml.safe_dump(self.document(), sort_keys=False,
                                                default_flow_style=None, width=98))
        fresh = path.with_name(path.name + '.new')
        fresh.write_text(text, encoding='utf-8')
        os.replace(fresh, path)


class _PlainLoader(yaml.SafeLoader):
    """Without aliases, by which a few lines stand for more than the memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError('aliases are not taken')
        return super().compose_node(parent, index)


# What PyYAML raises where a value is not what its tag says.
_TAG_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def read_noise_profile(path: str | os.PathLike[str]) -> NoiseProfile:
    """Read a file that ``asgf-nav doctor --noise-profile`` wrote.

    Raises:
        ValueError: it cannot be read, is too large, or is no noise profile; one line.
    """
    try:
        with Path(path).open('rb') as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f'noise profile {path} cannot be read: {error.strerror}') from error
    try:
        return noise_profile_of_yaml(content)
    except ValueError as error:
        raise ValueError(f'noise profile {path}: {error}') from error


def noise_profile_of_yaml(content: bytes) -> NoiseProfile:
    """Read the content of such a file.

    Raises:
        ValueError: too large, no YAML, or no noise profile.
    """
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f'it must have at most {MAX_FILE_BYTES} bytes')
    try:
        document = yaml.load(content, _PlainLoader)
    except (yaml.YAMLError, *_TAG_ERRORS, RecursionError) as error:
        raise ValueError(f'it must be YAML: {" ".join(str(error).split()):.120}') from error
    return NoiseProfile.of_document(document)


def measure_noise(audio: np.ndarray, contract: PolicyContract) -> NoiseProfile:
    """Measure what is heard while the robot stands still and nothing else sounds.

    Args:
        audio: (2, n) float32 in [-1, 1] at the contract's rate, left ear first.
        contract: gives rate and STFT.

    Raises:
        ValueError: too short, an ear is silent, or the noise is not steady.
    """
    rate_hz = contract.sample_rate_hz
    seconds = audio.shape[1] / rate_hz
    if seconds < LEAST_SECONDS:
        raise ValueError(f'{LEAST_SECONDS:g} s of noise are needed at least, got {seconds:.2f} s')
    if not np.isfinite(audio).all():
        raise ValueError('audio must be finite, got NaN or infinity')
    for ear, samples in zip(_EARS, audio):
        if not samples.any():
            raise ValueError(f'the {ear} ear is silent: there is nothing to measure')
    _require_steady(audio, rate_hz // _PARTS_A_SECOND)
    frames = frames_of(np.ascontiguousarray(audio, np.float32), contract)
    power = np.square(np.abs(spectra_of_frames(frames, contract))).mean(axis=1, dtype=float)
    rounded = np.array([[float(f'{value:.5g}') for value in ear] for ear in power])
    return NoiseProfile(rate_hz, contract.n_fft, contract.win_length, round(seconds, 2), rounded)


def _require_steady(audio: np.ndarray, part: int) -> None:
    count = audio.shape[1] // part
    power = np.square(audio[:, :count * part], dtype=float).reshape(2, count, part).mean((0, 2))
    above_db = 10 * math.log10(power.max() / max(float(np.median(power)), 1e-20))
    if above_db > MOST_UNSTEADY_DB:
        raise ValueError(f'the noise must be steady, its loudest part is {above_db:.1f} dB above '
                         f'the usual one (at most {MOST_UNSTEADY_DB:g}): something else was '
                         'heard, try again in a quiet room')


def _powers(value: Any) -> np.ndarray:
    if not isinstance(value, Mapping) or set(value) != set(_EARS):
        raise ValueError(f'power must have a list of numbers for each of {", ".join(_EARS)}')
    left, right = (value[ear] for ear in _EARS)
    for numbers in (left, right):
        if not isinstance(numbers, list) or not all(map(_is_number, numbers)):
            raise ValueError('power must be lists of numbers')
    if len(left) != len(right) or len(left) > MAX_N_FFT // 2 + 1:
        raise ValueError(f'power must be lists of one length of at most {MAX_N_FFT // 2 + 1}, '
                         f'got {len(left)} and {len(right)}')
    try:
        return np.array([left, right], float)
    except OverflowError as error:
        raise ValueError(f'power must be in [0, {MAX_POWER:g}] in every bin') from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
