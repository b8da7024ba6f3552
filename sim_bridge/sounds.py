# SPDX-License-Identifier: Apache-2.0
"""The catalogue of real sounds that a robot is sent to find, and one's own folder of them."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from pathlib import Path
from typing import Iterable
from typing import Mapping

import numpy as np
from scipy import signal

from sim_bridge import sound_sources
from sim_bridge.sound_sources import Phrase
from sim_bridge.sound_sources import SoundError

SPLITS = ('train', 'val', 'test')
CATALOGUE_FILE = Path(__file__).with_name('catalogue.json')
SOUND_FILE_ENDINGS = ('.wav', '.flac', '.ogg')
LARGEST_FILE_BYTES = 256 * 2**20
ONSET_LEVEL = 0.05  # of the peak: where a recording starts to be heard
LEAD_IN_S = 0.005
FADE_S = 0.005


@dataclasses.dataclass(frozen=True)
class Sound:
    """One recording of the catalogue or of a user's folder.

    split : 'train', 'val' or 'test'; clips of one original recording share it.
    package : the Debian package that brings ``path``; empty for a user's own file.
    path : a sound file, an OpenTTD .cat container (``entry``) or a SoundFont (``phrase``).
    sha256 : of the sound file or container entry that the catalogue was made with.
    start_s : where the clip starts; None starts it at the onset.
    """

    name: str
    category: str
    split: str
    licence: str
    package: str
    path: str
    sha256: str | None = None
    entry: int | None = None
    phrase: Phrase | None = None
    start_s: float | None = None

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise SoundError(f'{self.name}: split must be one of {SPLITS}, got {self.split!r}')


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Sounds in a fixed order; ``heard`` is the one that 'heard' evaluations use."""

    sounds: tuple[Sound, ...]
    heard: Sound

    def split(self, name: str) -> tuple[Sound, ...]:
        """All sounds of a split.

        Raises:
            SoundError: ``name`` is no split.
        """
        if name not in SPLITS:
            raise SoundError(f'split must be one of {SPLITS}, got {name!r}')
        return tuple(sound for sound in self.sounds if sound.split == name)

    def find(self, name: str) -> Sound:
        """The sound called ``name``.

        Raises:
            SoundError: there is none; the message lists some that there are.
        """
        for sound in self.sounds:
            if sound.name == name:
                return sound
        some = ', '.join(sound.name for sound in self.sounds[:8])
        raise SoundError(f'no sound is called {name!r}; there are {some}, ...')

    @property
    def categories(self) -> tuple[str, ...]:
        """Sorted names of the categories."""
        return tuple(sorted({sound.category for sound in self.sounds}))


@functools.lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """The 102 recordings of Debian packages that the policies are trained and tested on."""
    fields = json.loads(CATALOGUE_FILE.read_text(encoding='utf-8'))
    sounds = tuple(_sound(entry) for entry in fields['sounds'])
    heard = next(sound for sound in sounds if sound.name == fields['heard'])
    return Catalogue(sounds, heard)


def load_sound(
        sound: Sound, sample_rate_hz: int, *, duration_s: float | None = 1.0) -> np.ndarray:
    """A clip that can be looped: from its onset, peak 1, no DC, faded at both ends.

    Args:
        sound: an entry of a catalogue.
        sample_rate_hz: wanted rate.
        duration_s: exact length, padded with silence; None keeps the recording to its end.

    Returns:
        (n,) float32 in [-1, 1].

    Raises:
        SoundError: its package is not installed, or the recording is useless.
    """
    samples, rate_hz = _recording(sound)
    samples = _resample(samples, rate_hz, sample_rate_hz)
    return _looping_clip(samples, sample_rate_hz, sound.start_s, duration_s)


def prepare_sounds(sounds: Iterable[Sound]) -> None:
    """Check that every file is there and render all SoundFont phrases in one go."""
    phrases: dict[Path, list[Phrase]] = {}
    for sound in sounds:
        path = _installed(sound)
        if sound.phrase is not None:
            phrases.setdefault(path, []).append(sound.phrase)
    for path, wanted in phrases.items():
        sound_sources.render_phrases(path, wanted)


def read_sound_folder(folder: str | Path) -> Catalogue:
    """A user's own WAV, FLAC and OGG files, all of split 'test'; a subfolder is a category.

    Files may be mono or stereo, of any rate, and at most 10 minutes long.

    Raises:
        SoundError: no folder, no sound in it, or a file that is too big, unreadable, empty,
            silent or not finite; the message names the file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SoundError(f'{folder}: must be a folder of {", ".join(SOUND_FILE_ENDINGS)} files')
    files = sorted(path for path in folder.rglob('*')
                   if path.is_file() and path.suffix.lower() in SOUND_FILE_ENDINGS)
    if not files:
        raise SoundError(f'{folder}: holds no {", ".join(SOUND_FILE_ENDINGS)} file')
    sounds = tuple(_own_sound(path, folder) for path in files)
    return Catalogue(sounds, sounds[0])


def _own_sound(path: Path, folder: Path) -> Sound:
    size = path.stat().st_size
    if size > LARGEST_FILE_BYTES:
        raise SoundError(f'{path}: must be at most {LARGEST_FILE_BYTES >> 20} MiB, '
                         f'got {size >> 20} MiB')
    sound_sources.read_sound_file(path)
    place = path.relative_to(folder)
    category = place.parts[0] if len(place.parts) > 1 else 'own'
    return Sound(place.with_suffix('').as_posix(), category, 'test', 'own', '', str(path))


def _sound(entry: Mapping[str, object]) -> Sound:
    entry = dict(entry)
    if 'phrase' in entry:
        phrase = dict(entry.pop('phrase'))
        phrase['notes'] = tuple(tuple(note) for note in phrase['notes'])
        entry['phrase'] = Phrase(**phrase)
    return Sound(**entry)


def _installed(sound: Sound) -> Path:
    path = Path(sound.path)
    if not path.exists():
        remedy = f'apt install {sound.package}' if sound.package else 'the file is gone'
        raise SoundError(f'sound {sound.name!r} needs {path}: {remedy}')
    return path


def _recording(sound: Sound) -> tuple[np.ndarray, int]:
    path = _installed(sound)
    if sound.phrase is not None:
        # Whoever wants one usually wants many, and loading the SoundFont is what costs.
        others = (other.phrase for other in load_catalogue().sounds
                  if other.phrase is not None and other.path == sound.path)
        return sound_sources.load_phrase(path, sound.phrase, along_with=others)
    if sound.entry is not None:
        return sound_sources.read_container_entry(path, sound.entry)
    return sound_sources.read_sound_file(path)


def _resample(samples: np.ndarray, rate_hz: int, wanted_hz: int) -> np.ndarray:
    if wanted_hz <= 0:
        raise ValueError(f'sample_rate_hz must be positive, got {wanted_hz}')
    if rate_hz == wanted_hz:
        return samples
    common = math.gcd(rate_hz, wanted_hz)
    return signal.resample_poly(samples, wanted_hz // common, rate_hz // common)


def _looping_clip(samples: np.ndarray, rate_hz: int, start_s: float | None,
                  duration_s: float | None) -> np.ndarray:
    samples = np.asarray(samples, np.float64)
    start = _onset(samples, rate_hz) if start_s is None else round(start_s * rate_hz)
    length = len(samples) - start if duration_s is None else round(duration_s * rate_hz)
    clip = samples[start:start + length]
    clip = clip - clip.mean()
    fade = min(round(FADE_S * rate_hz), len(clip) // 2)
    ramp = np.sin(0.5 * np.pi * (np.arange(fade) + 0.5) / max(fade, 1)) ** 2
    clip[:fade] *= ramp
    clip[len(clip) - fade:] *= ramp[::-1]
    clip = np.pad(clip, (0, length - len(clip)))
    return (clip / np.abs(clip).max()).astype(np.float32)


def _onset(samples: np.ndarray, rate_hz: int) -> int:
    """First sample to keep: a short lead-in before the level first passes the threshold."""
    loud = np.abs(samples - samples.mean())
    first = int(np.argmax(loud > ONSET_LEVEL * loud.max()))
    return max(first - round(LEAD_IN_S * rate_hz), 0)
