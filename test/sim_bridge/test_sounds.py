# SPDX-License-Identifier: Apache-2.0
import collections
import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sim_bridge import cache
from sim_bridge import sound_sources
from sim_bridge import sounds
from sim_bridge.sounds import Sound
from sim_bridge.sounds import SoundError

RATE_HZ = 16000
CATALOGUE = sounds.load_catalogue()


@pytest.fixture(scope='module', autouse=True)
def rendered():
    sounds.prepare_sounds(CATALOGUE.sounds)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('ASGF_NAV_CACHE', str(tmp_path / 'cache'))


def write_tone(path, *, rate_hz=RATE_HZ, seconds=1.2, channels=1, level=0.5):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = level * np.sin(2 * np.pi * 500 * time_s)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate_hz, subtype='FLOAT')
    return path


def test_catalogue_is_split_like_soundspaces():
    assert [len(CATALOGUE.split(name)) for name in sounds.SPLITS] == [73, 11, 18]
    assert len({sound.name for sound in CATALOGUE.sounds}) == 102
    assert len(CATALOGUE.categories) >= 12


def test_heard_sound_is_the_telephone_of_the_training_split():
    assert CATALOGUE.heard.name == CATALOGUE.heard.category == 'telephone'
    assert CATALOGUE.heard in CATALOGUE.split('train')


def test_test_split_has_known_and_unknown_categories():
    trained = {sound.category for sound in CATALOGUE.split('train')}
    tested = {sound.category for sound in CATALOGUE.split('test')}
    assert len(tested - trained) >= 3
    assert len(tested & trained) >= 5


def test_no_source_recording_is_in_two_splits():
    places = collections.defaultdict(set)
    for sound in CATALOGUE.sounds:
        preset = sound.phrase and (sound.phrase.bank, sound.phrase.program)
        places[sound.path, sound.entry, preset].add(sound.split)
    assert all(len(splits) == 1 for splits in places.values())


def test_sources_are_those_that_the_catalogue_was_made_with():
    for sound in CATALOGUE.sounds:
        path = Path(sound.path)
        if sound.entry is not None:
            source = sound_sources.container_entry(path, sound.entry)
        elif sound.phrase is None:
            source = path.read_bytes()
        else:
            continue
        assert hashlib.sha256(source).hexdigest() == sound.sha256, sound.name


@pytest.mark.parametrize('sound', CATALOGUE.sounds, ids=lambda sound: sound.name)
def test_clip_is_one_loopable_second_with_something_to_hear(sound):
    clip = sounds.load_sound(sound, RATE_HZ)
    assert clip.shape == (RATE_HZ,) and clip.dtype == np.float32
    assert np.abs(clip).max() == pytest.approx(1.0)
    assert abs(clip.mean()) < 1e-3
    assert max(abs(clip[0]), abs(clip[-1])) < 0.01
    frames_db = 10 * np.log10(np.mean(clip.reshape(100, -1) ** 2, axis=1) + 1e-12)
    assert np.mean(frames_db > -40) >= 0.5
    spectrum = np.abs(np.fft.rfft(clip)) ** 2
    assert spectrum[:300].sum() < 0.7 * spectrum.sum()


def test_clip_keeps_its_content_at_another_rate():
    low = sounds.load_sound(CATALOGUE.find('trumpet'), 16000)
    high = sounds.load_sound(CATALOGUE.find('trumpet'), 44100)
    assert len(high) == 44100
    low_band = np.abs(np.fft.rfft(low))[:4000] / 16000
    high_band = np.abs(np.fft.rfft(high))[:4000] / 44100
    assert np.corrcoef(low_band, high_band)[0, 1] > 0.99


def test_whole_recording_is_kept_on_request():
    sound = CATALOGUE.find('wind')
    assert len(sounds.load_sound(sound, RATE_HZ, duration_s=None)) > 2 * RATE_HZ


def test_rendering_alone_equals_rendering_with_others(empty_cache):
    sound = CATALOGUE.find('brush_kit')
    alone, _ = sound_sources.load_phrase(Path(sound.path), sound.phrase)
    for file in (cache.cache_directory() / 'sounds').iterdir():
        file.unlink()
    sounds.prepare_sounds(CATALOGUE.find(name) for name in ('telephone', 'violin', 'brush_kit'))
    again, _ = sound_sources.load_phrase(Path(sound.path), sound.phrase)
    np.testing.assert_array_equal(again, alone)


def test_first_rendering_does_the_whole_catalogue(empty_cache):
    sounds.load_sound(CATALOGUE.find('telephone'), RATE_HZ)
    phrases = {sound.phrase for sound in CATALOGUE.sounds if sound.phrase}
    assert len(list((cache.cache_directory() / 'sounds').iterdir())) == len(phrases)


def test_missing_package_is_named():
    sound = dataclasses.replace(CATALOGUE.find('sheep'), path='/nowhere/opensfx.cat')
    with pytest.raises(SoundError, match=r"'sheep' .*apt install openttd-opensfx$"):
        sounds.load_sound(sound, RATE_HZ)


def test_unknown_names_are_refused():
    with pytest.raises(SoundError, match="no sound is called 'unicorn'"):
        CATALOGUE.find('unicorn')
    with pytest.raises(SoundError, match="got 'training'"):
        CATALOGUE.split('training')
    with pytest.raises(SoundError, match='entry must be in'):
        sound_sources.container_entry(Path(CATALOGUE.find('sheep').path), 999)


def test_folder_is_read_with_subfolders_as_categories(tmp_path):
    write_tone(tmp_path / 'tone.wav', rate_hz=44100, channels=2)
    write_tone(tmp_path / 'kitchen' / 'kettle.wav', rate_hz=8000)
    (tmp_path / 'notes.txt').write_text('not a sound')
    catalogue = sounds.read_sound_folder(tmp_path)
    assert {(sound.name, sound.category, sound.split) for sound in catalogue.sounds} == {
        ('tone', 'own', 'test'), ('kitchen/kettle', 'kitchen', 'test')}
    for sound in catalogue.sounds:
        clip = sounds.load_sound(sound, RATE_HZ)
        assert np.argmax(np.abs(np.fft.rfft(clip))) == pytest.approx(500, abs=1)


@pytest.mark.parametrize('ending', ['flac', 'ogg', 'WAV'])
def test_folder_takes_other_formats(tmp_path, ending):
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, RATE_HZ)
    soundfile.write(tmp_path / f'noise.{ending}', noise, RATE_HZ)
    assert len(sounds.read_sound_folder(tmp_path).sounds) == 1


def test_leading_silence_is_cut(tmp_path):
    samples = np.zeros(3 * RATE_HZ)
    samples[2 * RATE_HZ:] = np.random.default_rng(1).uniform(-0.5, 0.5, RATE_HZ)
    soundfile.write(tmp_path / 'late.wav', samples, RATE_HZ)
    clip = sounds.load_sound(sounds.read_sound_folder(tmp_path).sounds[0], RATE_HZ)
    assert np.sqrt(np.mean(clip ** 2)) > 0.5


def test_short_recording_is_padded(tmp_path):
    write_tone(tmp_path / 'short.wav', seconds=0.3)
    clip = sounds.load_sound(sounds.read_sound_folder(tmp_path).sounds[0], RATE_HZ)
    assert len(clip) == RATE_HZ and not clip[round(0.31 * RATE_HZ):].any()


@pytest.mark.parametrize('samples, complaint', [
    (np.zeros(0), 'must hold samples'),
    (np.zeros(RATE_HZ), 'silence'),
    (np.full(RATE_HZ, 0.25), 'silence'),
    (np.r_[np.nan, np.ones(RATE_HZ)], 'finite'),
    (np.r_[np.inf, np.ones(RATE_HZ)], 'finite'),
    (np.r_[3e38, np.ones(RATE_HZ)], 'finite and at most 1e.09, got 3e.38')])
def test_useless_recording_is_refused_by_name(tmp_path, samples, complaint):
    soundfile.write(tmp_path / 'bad.wav', samples, RATE_HZ, subtype='FLOAT')
    with pytest.raises(SoundError, match=rf'bad\.wav.*{complaint}'):
        sounds.read_sound_folder(tmp_path)


def test_too_long_recording_is_refused(tmp_path):
    soundfile.write(tmp_path / 'long.wav', np.ones(601 * 100), 100)
    with pytest.raises(SoundError, match=r'long\.wav: must be at most 600 s long, got 601 s'):
        sounds.read_sound_folder(tmp_path)


def test_file_that_is_no_sound_is_refused(tmp_path):
    (tmp_path / 'text.wav').write_text('hello')
    with pytest.raises(SoundError, match=r'text\.wav: not a readable sound file'):
        sounds.read_sound_folder(tmp_path)


def test_empty_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(SoundError, match='holds no'):
        sounds.read_sound_folder(tmp_path)
    with pytest.raises(SoundError, match='must be a folder'):
        sounds.read_sound_folder(tmp_path / 'nothing')


def test_unknown_split_is_refused():
    with pytest.raises(SoundError, match="got 'dev'"):
        Sound('a', 'b', 'dev', 'CC0-1.0', '', 'a.wav')
