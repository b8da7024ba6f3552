# SPDX-License-Identifier: Apache-2.0
import contextlib
import dataclasses
import json
import random

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from asgf_nav_ros.replay.bag_file import BagError
from asgf_nav_ros.replay.bag_file import BagFile
from asgf_nav_ros.replay.recording_index import RecordingIndex


def test_stamps_are_read_without_the_rest_of_the_message(run):
    bag = BagFile(run[0])
    for raw in bag.messages():
        if raw.topic in ('/audio', '/odom', '/color/image'):
            stamp = bag.deserialize(raw).header.stamp
            assert raw.stamp_s == stamp.sec + stamp.nanosec * 1e-9
    assert bag.damage is None


def test_files_of_one_bag_follow_each_other(run, tmp_path):
    data = next(run[0].glob('*.mcap')).read_bytes()
    for number in (0, 2, 10):
        (tmp_path / f'bag_{number}.mcap').write_bytes(data)
    assert [file.name for file in BagFile(tmp_path)._files] == [
        'bag_0.mcap', 'bag_2.mcap', 'bag_10.mcap']
    count = sum(1 for _ in BagFile(run[0]).messages())
    assert sum(1 for _ in BagFile(tmp_path).messages()) == 3 * count


@pytest.mark.parametrize('name, message', [
    ('nowhere', 'there is none'), ('film.mp4', 'got a file .mp4'), ('packed', 'unpack')])
def test_a_path_without_a_bag_is_refused(tmp_path, name, message):
    (tmp_path / 'film.mp4').write_bytes(b'')
    (tmp_path / 'packed').mkdir()
    (tmp_path / 'packed' / 'bag.mcap.zstd').write_bytes(b'')
    with pytest.raises(BagError, match=message):
        BagFile(tmp_path / name)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2 ** 31), st.integers(1, 40))
def test_messages_of_random_bytes_raise_nothing_but_value_errors(run, seed, count):
    rng, bag = random.Random(seed), BagFile(run[0])
    for number, raw in enumerate(bag.messages()):
        if number % 50 == 0:
            data = bytearray(raw.data)
            for _ in range(count):
                data[rng.randrange(min(len(data), 400))] = rng.randrange(256)
            with contextlib.suppress(ValueError):
                bag.deserialize(dataclasses.replace(raw, data=bytes(data)))


@pytest.mark.parametrize('document', [
    'no JSON', '[]', '{"stamp_s": "now", "action": "STOP"}', '{"stamp_s": 1.0, "action": "FLY"}',
    '{"stamp_s": 1.0, "action": ["STOP"]}', '{"stamp_s": NaN, "action": "STOP"}', '[' * 50000,
    json.dumps({'a': 'x' * 70000})])
def test_decisions_that_are_none_are_noted(tmp_path, document):
    from bag_builder import BagBuilder
    with BagBuilder(tmp_path / 'bag') as bag:
        bag.document('/decision', 10.0, document)
        bag.document('/decision', 11.0, document)
    index = RecordingIndex(BagFile(tmp_path / 'bag'), {})
    assert len(index.notes) == 1
    assert index.notes[0].startswith('2 times left out on /decision: ')
    with pytest.raises(ValueError, match='no audio and no decision'):
        index.choices(window_s=1.0, tolerance_s=0.25)
