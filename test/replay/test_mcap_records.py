# SPDX-License-Identifier: Apache-2.0
import struct

from backports import zstd
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import lz4.frame
import pytest

from asgf_nav_ros.replay.mcap_records import MAGIC
from asgf_nav_ros.replay.mcap_records import McapDamage
from asgf_nav_ros.replay.mcap_records import McapRecords


def text(value):
    return struct.pack('<I', len(value)) + value.encode()


def record(kind, content):
    return struct.pack('<BQ', kind, len(content)) + content


def message(payload, *, channel=1, log_ns=7):
    return record(0x05, struct.pack('<HIQQ', channel, 0, log_ns, log_ns) + payload)


SCHEMA = record(
    0x03, struct.pack('<H', 1) + text('pkg/msg/Type') + text('ros2msg') + text('int8 x'))
CHANNEL = record(0x04, struct.pack('<HH', 1, 1) + text('/topic') + text('cdr') + text(''))
END = record(0x0F, bytes(4))


def chunk(records, compression='', pack=bytes, unpacked=None):
    size = len(records) if unpacked is None else unpacked
    packed = pack(records)
    return record(0x06, struct.pack('<QQQI', 0, 0, size, 0) + text(compression)
                  + struct.pack('<Q', len(packed)) + packed)


def read(data):
    """Payloads that came, and the damage."""
    found = []
    try:
        for channel, log_ns, payload in McapRecords(data):
            assert (channel.topic, channel.type_name, log_ns) == ('/topic', 'pkg/msg/Type', 7)
            found.append(bytes(payload))
    except McapDamage as damage:
        return found, str(damage)
    return found, None


@pytest.mark.parametrize('compression, pack', [
    ('', bytes), ('lz4', lz4.frame.compress), ('zstd', zstd.compress)])
def test_chunks_are_read_however_they_are_compressed(compression, pack):
    data = MAGIC + chunk(SCHEMA + CHANNEL + message(b'a'), compression, pack)
    data += chunk(message(b'b'), compression, pack) + message(b'c') + END
    assert read(data) == ([b'a', b'b', b'c'], None)


def test_what_stands_before_a_cut_is_read():
    whole = MAGIC + SCHEMA + CHANNEL + chunk(message(b'first') + message(b'second')) + END
    cut = whole[:whole.index(b'second') + 3]
    found, damage = read(cut)
    assert found == [b'first'] and 'ends inside a record' in damage


def test_a_file_without_an_end_says_so():
    found, damage = read(MAGIC + SCHEMA + CHANNEL + message(b'a'))
    assert found == [b'a'] and 'was interrupted' in damage


@pytest.mark.parametrize('data, words', [
    (b'', 'does not begin'), (MAGIC + message(b''), 'not described'),
    (MAGIC + SCHEMA + CHANNEL + record(0x05, b'short'), 'a message of 5 bytes'),
    (MAGIC + chunk(b'', 'rar'), "compressed with 'rar'"),
    (MAGIC + chunk(b'', unpacked=1 << 40), 'are read at most'),
    (MAGIC + chunk(b'nonsense', 'lz4'), 'cannot be unpacked'),
    (MAGIC + chunk(b'nonsense', 'zstd'), 'cannot be unpacked'),
    (MAGIC + record(0x04, struct.pack('<HHI', 1, 1, 99)), 'beyond the end'),
    (MAGIC + record(0x04, struct.pack('<HHI', 1, 1, 1) + b'\xff' + text('cdr')), 'no text')])
def test_nonsense_is_named(data, words):
    with pytest.raises(McapDamage, match=words):
        list(McapRecords(data))


def test_a_bomb_unpacks_to_no_more_than_it_says():
    bomb = zstd.compress(message(b'a') + bytes(1 << 24))
    data = MAGIC + SCHEMA + CHANNEL + chunk(bomb, 'zstd', bytes, unpacked=len(message(b'a'))) + END
    assert read(data) == ([b'a'], None)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_raise_nothing_but_damage(data):
    whole = MAGIC + chunk(SCHEMA + CHANNEL + message(b'abc') * 3) + message(b'd') + END
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(len(MAGIC), len(whole) - 1))] = data.draw(
            st.integers(0, 255))
    try:
        for _ in McapRecords(bytes(changed)):
            pass
    except McapDamage:
        pass
