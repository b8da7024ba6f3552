# SPDX-License-Identifier: Apache-2.0
import pytest

from sim_bridge import cache


def test_environment_chooses_the_directory(tmp_path, monkeypatch):
    monkeypatch.setenv('ASGF_NAV_CACHE', str(tmp_path / 'a' / 'b'))
    assert cache.cache_directory() == tmp_path / 'a' / 'b'
    assert cache.cache_directory().is_dir()


def test_written_file_replaces_the_old_one(tmp_path):
    file = tmp_path / 'deep' / 'file'
    for text in (b'old', b'new'):
        cache.write_atomically(file, lambda stream, text=text: stream.write(text))
    assert file.read_bytes() == b'new'
    assert list(file.parent.iterdir()) == [file]


def test_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    file = tmp_path / 'file'
    file.write_bytes(b'old')

    def write(stream):
        stream.write(b'half')
        raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'):
        cache.write_atomically(file, write)
    assert file.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [file]
