# SPDX-License-Identifier: Apache-2.0
"""Read raw recordings: sound files, OpenTTD sample containers and SoundFont presets."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import json
from pathlib import Path
import struct
from typing import Iterable

import numpy as np
import soundfile

from sim_bridge import cache

SOUNDFONT_RATE_HZ = 44100
LONGEST_RECORDING_S = 600.0
LOUDEST = 1e9  # full scale is 1, or 32768 in careless files; beyond, sums overflow


class SoundError(ValueError):
    """A recording is missing, unreadable, too long, silent or not finite."""


@dataclasses.dataclass(frozen=True)
class Phrase:
    """Notes played by one preset of a SoundFont.

    bank, program : the preset, numbered as in General MIDI.
    notes : (key, velocity, on_s, off_s) each; key 60 is middle C.
    duration_s : length of the rendering.
    """

    bank: int
    program: int
    notes: tuple[tuple[int, int, float, float], ...]
    duration_s: float


def read_sound_file(
        path: Path, *, longest_s: float = LONGEST_RECORDING_S) -> tuple[np.ndarray, int]:
    """Decode a WAV, FLAC or OGG file to ((n,) float32 mono, sample rate in Hz).

    Raises:
        SoundError: unreadable, empty, longer than ``longest_s``, silent or not finite.
    """
    try:
        with soundfile.SoundFile(path) as stream:
            length_s = stream.frames / stream.samplerate
            if length_s > longest_s:
                raise SoundError(
                    f'{path}: must be at most {longest_s:g} s long, got {length_s:.0f} s')
            samples = stream.read(dtype='float32', always_2d=True)
            rate_hz = stream.samplerate
    except (soundfile.SoundFileError, OSError) as error:
        raise SoundError(f'{path}: not a readable sound file ({error})') from error
    return _mono(samples, str(path)), rate_hz


def container_entry(path: Path, index: int) -> bytes:
    """Bytes of entry ``index`` (a WAV file) of an OpenTTD .cat sample container.

    The container starts with (offset, size) pairs of uint32, little endian; the top bit of an
    offset says that names are stored. Each sample is preceded by a length byte and its name.
    """
    with path.open('rb') as stream:
        first, = struct.unpack('<I', stream.read(4))
        count = (first & 0x7fffffff) // 8
        if not 0 <= index < count:
            raise SoundError(f'{path}: entry must be in [0, {count}), got {index}')
        stream.seek(8 * index)
        offset, size = struct.unpack('<II', stream.read(8))
        stream.seek(offset & 0x7fffffff)
        stream.seek(stream.read(1)[0], io.SEEK_CUR)
        return stream.read(size)


def read_container_entry(path: Path, index: int) -> tuple[np.ndarray, int]:
    """Decode one entry of a .cat container to ((n,) float32 mono, sample rate in Hz)."""
    try:
        samples, rate_hz = soundfile.read(
            io.BytesIO(container_entry(path, index)), dtype='float32', always_2d=True)
    except (soundfile.SoundFileError, struct.error, IndexError) as error:
        raise SoundError(f'{path}: entry {index} is not a WAV file ({error})') from error
    return _mono(samples, f'{path}: entry {index}'), rate_hz


def render_phrases(path: Path, phrases: Iterable[Phrase]) -> None:
    """Render the phrases that the cache lacks, at ``SOUNDFONT_RATE_HZ``.

    Loading a large SoundFont takes seconds and hundreds of megabytes: it is loaded once for all
    of them and dropped again.
    """
    files = {phrase: _cache_file(path, phrase) for phrase in phrases}
    missing = [phrase for phrase, file in files.items() if not file.exists()]
    if not missing:
        return
    synth, soundfont = _load_soundfont(path)
    for phrase in missing:
        samples = _render(synth, soundfont, phrase)
        cache.write_atomically(
            files[phrase], functools.partial(np.save, arr=samples, allow_pickle=False))


def load_phrase(path: Path, phrase: Phrase, *,
                along_with: Iterable[Phrase] = ()) -> tuple[np.ndarray, int]:
    """A rendered phrase as ((n,) float32 mono, sample rate in Hz).

    Args:
        path: the SoundFont.
        phrase: the wanted notes.
        along_with: phrases to render too, where ``phrase`` has to be rendered first.
    """
    file = _cache_file(path, phrase)
    if not file.exists():
        render_phrases(path, [phrase, *along_with])
    return np.load(file, allow_pickle=False), SOUNDFONT_RATE_HZ


def _mono(samples: np.ndarray, name: str) -> np.ndarray:
    """Mean of the channels of ``samples`` (n, channels), refused when useless."""
    if len(samples) == 0:
        raise SoundError(f'{name}: must hold samples, got none')
    if not (np.abs(samples) <= LOUDEST).all():
        raise SoundError(f'{name}: samples must be finite and at most {LOUDEST:g}, got '
                         f'{np.abs(samples).max():g}')
    mono = samples.mean(axis=1, dtype=np.float32)
    if np.ptp(mono) < 1e-4:
        raise SoundError(f'{name}: must be audible, got silence')
    return mono


def _cache_file(path: Path, phrase: Phrase) -> Path:
    key = json.dumps([path.stat().st_size, SOUNDFONT_RATE_HZ, dataclasses.astuple(phrase)])
    digest = hashlib.sha256(key.encode()).hexdigest()[:24]
    return cache.cache_directory() / 'sounds' / f'{path.stem}-{digest}.npy'


def _load_soundfont(path: Path):
    try:
        import tinysoundfont
    except ImportError as error:
        raise SoundError('SoundFont clips need the Python package tinysoundfont: '
                         'pip install tinysoundfont') from error
    synth = tinysoundfont.Synth(samplerate=SOUNDFONT_RATE_HZ, gain=-6.0)
    return synth, synth.sfload(str(path))


def _render(synth, soundfont: int, phrase: Phrase) -> np.ndarray:
    synth.program_select(0, soundfont, phrase.bank, phrase.program, phrase.bank == 128)
    events = sorted(
        [(on_s, 1, key, velocity) for key, velocity, on_s, _ in phrase.notes]
        + [(off_s, 0, key, 0) for key, _, _, off_s in phrase.notes]
        + [(phrase.duration_s, 2, 0, 0)])
    pieces, now = [], 0
    for time_s, kind, key, velocity in events:
        until = round(time_s * SOUNDFONT_RATE_HZ)
        pieces.append(_generate(synth, until - now))
        now = until
        if kind == 1:
            synth.noteon(0, key, velocity)
        elif kind == 0:
            synth.noteoff(0, key)
    synth.sounds_off()
    _generate(synth, SOUNDFONT_RATE_HZ // 2)  # lets killed voices fade before the next phrase
    return np.concatenate(pieces)


def _generate(synth, frames: int) -> np.ndarray:
    if frames <= 0:
        return np.zeros(0, np.float32)
    stereo = np.frombuffer(synth.generate(frames), np.float32).reshape(-1, 2)
    return stereo.mean(axis=1, dtype=np.float32)
