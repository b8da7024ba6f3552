# SPDX-License-Identifier: Apache-2.0
"""Bags of other people's drivers: no decision in them, other names, types, rates and sizes."""

import json

from bag_builder import BagBuilder
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from asgf_nav_ros import cli
from asgf_nav_ros.sight.view import Camera

RATE_HZ, SECONDS, BLOCK = 48000, 4, 4800
CAMERA = Camera(width=96, height=64, fx=30.0, fy=30.0, cx=48.0, cy=32.0)
REALSENSE = {'color': '/camera/camera/color/image_raw',
             'depth': '/camera/camera/aligned_depth_to_color/image_raw',
             'info': '/camera/camera/color/camera_info'}
ZED = {'color': '/zed/zed_node/rgb/image_rect_color/compressed',
       'depth': '/zed/zed_node/depth/depth_registered',
       'info': '/zed/zed_node/rgb/image_rect_color/camera_info'}


def look(bag, names, stamp_s, rng):
    rgb = rng.integers(0, 255, (64, 96, 3), dtype=np.uint8)
    bag.camera_info(stamp_s, CAMERA, topic=names['info'])
    if 'compressed' in names['color']:
        bag.jpeg(stamp_s, rgb, topic=names['color'])
        bag.depth(stamp_s, np.full((64, 96), 2.5, np.float32), topic=names['depth'])
    else:
        bag.color(stamp_s, rgb, topic=names['color'])
        bag.depth(stamp_s, np.full((64, 96), 2500, np.uint16), topic=names['depth'])


def speak(bag, kind, stamp_s, samples):
    """One block of (n, 2) int16."""
    header = bag.header(stamp_s)
    if kind == 'audio_data_stamped':
        data = bag.new('audio_common_msgs/msg/AudioData', data=samples.ravel().view(np.uint8))
        message = bag.new('audio_common_msgs/msg/AudioDataStamped', header=header, audio=data)
        bag.write('/audio_stamped', message, stamp_s)
        return
    empty = {name: np.array([], kind) for name, kind in (
        ('float32_data', np.float32), ('int32_data', np.int32), ('int8_data', np.int8),
        ('uint8_data', np.uint8))}
    data = bag.new('audio_common_msgs/msg/AudioData', int16_data=samples.ravel(), **empty)
    info = bag.new('audio_common_msgs/msg/AudioInfo', format=8, channels=2, rate=RATE_HZ,
                   chunk=BLOCK)
    audio = bag.new('audio_common_msgs/msg/Audio', info=info, audio_data=data)
    bag.write('/microphones/audio', bag.new(
        'audio_common_msgs/msg/AudioStamped', header=header, audio=audio), stamp_s)


def record(path, kind, names, *, storage=StoragePlugin.MCAP, coding='wave', louder=0):
    """Four seconds of a noise that is ten times louder at one ear."""
    rng = np.random.default_rng(2)
    with BagBuilder(path, audio=kind, storage=storage) as bag:
        if kind == 'audio_data_stamped':
            bag.write('/audio_info', bag.new(
                'audio_common_msgs/msg/AudioInfo', channels=2, sample_rate=RATE_HZ,
                sample_format='S16LE', bitrate=0, coding_format=coding), 10.0)
        for block in range(SECONDS * RATE_HZ // BLOCK):
            stamp_s = 10.0 + block * BLOCK / RATE_HZ
            samples = rng.normal(0, 600, (BLOCK, 2))
            samples[:, louder] *= 10
            speak(bag, kind, stamp_s, np.clip(samples, -32768, 32767).astype(np.int16))
            look(bag, names, stamp_s, rng)


@pytest.fixture
def replay(tmp_path, model, capsys):
    def call(bag, *options):
        result = tmp_path / 'replay.json'
        code = cli.main(['replay', str(bag), '--json', str(result), '--model', str(model),
                         *options])
        document = json.loads(result.read_text()) if result.exists() else None
        return code, document, capsys.readouterr()
    return call


@pytest.mark.parametrize('kind', ['audio_data_stamped', 'audio_stamped'])
@pytest.mark.parametrize('names', [REALSENSE, ZED], ids=['realsense', 'zed'])
def test_drivers_bags_are_decided_on_window_by_window(replay, tmp_path, kind, names):
    record(tmp_path / 'bag', kind, names)
    code, document, _ = replay(tmp_path / 'bag')
    assert code == cli.EXIT_OK
    assert document['decisions'] == SECONDS - 1 and document['agreement'] is None
    assert document['topics']['color'] == names['color']
    assert document['topics']['camera_info'] == names['info']
    assert document['topics']['depth'] == names['depth']


@pytest.mark.parametrize('kind', ['audio_data_stamped', 'audio_stamped'])
def test_sqlite3_bags_without_definitions_are_read(replay, tmp_path, kind):
    record(tmp_path / 'bag', kind, REALSENSE, storage=StoragePlugin.SQLITE3)
    _, document, _ = replay(tmp_path / 'bag')
    assert document['decisions'] == SECONDS - 1


@pytest.mark.parametrize('louder, side', [(0, 'TURN_LEFT'), (1, 'TURN_RIGHT')])
def test_the_ears_of_a_driver_are_not_swapped(tmp_path, model, contract, louder, side):
    from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
    from asgf_nav_ros.replay.bag_file import BagFile
    from asgf_nav_ros.replay.decide_again import decide_all
    from asgf_nav_ros.replay.observations import ObservationPass
    from asgf_nav_ros.replay.recording_index import RecordingIndex
    record(tmp_path / 'bag', 'audio_stamped', REALSENSE, louder=louder)
    index = RecordingIndex(BagFile(tmp_path / 'bag'), {})
    choices = index.choices(window_s=1.0, tolerance_s=0.25)
    seen = ObservationPass(index, choices, contract)
    again = list(decide_all(OnnxPolicy(model), index, iter(seen)))
    for each in again:
        left, right = each.observation.spectrogram.mean(axis=(0, 1))
        assert (left > right) == (louder == 0)
        assert each.decision.probabilities[contract.actions.index(side)] > 0.4
        assert each.observation.rgb.shape == (32, 32, 3)
        assert each.observation.depth == pytest.approx(2.5)


def test_mp3_is_refused_with_what_to_do(replay, tmp_path):
    record(tmp_path / 'bag', 'audio_data_stamped', REALSENSE, coding='mp3')
    code, _, printed = replay(tmp_path / 'bag')
    assert code == cli.EXIT_FAILURE
    assert '/audio_info: audio must be recorded as wave S16LE' in printed.err
    assert printed.err.count('\n') == 1


@pytest.mark.parametrize('kind, field, other', [
    ('audio_data_stamped', b'uint32 sample_rate', b'uint32 sample_rats'),
    ('audio_data_stamped', b'string coding_format', b'string coding_farmat'),
    ('audio_stamped', b'int32 rate', b'int32 rats')])
def test_audio_that_its_bag_describes_otherwise_is_named(replay, tmp_path, kind, field, other):
    record(tmp_path / 'bag', kind, REALSENSE)
    file = next((tmp_path / 'bag').glob('*.mcap'))
    file.write_bytes(file.read_bytes().replace(field, other))
    code, _, printed = replay(tmp_path / 'bag')
    assert code == cli.EXIT_FAILURE
    assert 'audio must have the fields of audio_common_msgs: ' in printed.err


def test_one_stamp_from_nowhere_does_not_hide_the_rest(replay, tmp_path):
    """A driver's first message may be stamped before its clock was set."""
    rng = np.random.default_rng(2)
    with BagBuilder(tmp_path / 'bag', audio='audio_stamped') as bag:
        for stamp_s in (0.0, *(1e9 + k * BLOCK / RATE_HZ for k in range(31))):
            speak(bag, 'audio_stamped', stamp_s, rng.integers(-900, 900, (BLOCK, 2), np.int16))
            look(bag, REALSENSE, stamp_s, rng)
    code, document, _ = replay(tmp_path / 'bag')
    assert code == cli.EXIT_OK and document['decisions'] == 3


def test_a_bag_without_ears_says_so(replay, tmp_path):
    with BagBuilder(tmp_path / 'bag') as bag:
        look(bag, REALSENSE, 10.0, np.random.default_rng(0))
    code, _, printed = replay(tmp_path / 'bag')
    assert code == cli.EXIT_FAILURE
    assert 'no audio and no decision' in printed.err and printed.err.count('\n') == 1


def test_a_narrow_camera_is_named_with_both_fields_of_view(replay, tmp_path, monkeypatch):
    narrow = Camera(width=96, height=64, fx=90.0, fy=90.0, cx=48.0, cy=32.0)
    monkeypatch.setitem(globals(), 'CAMERA', narrow)
    record(tmp_path / 'bag', 'audio_stamped', REALSENSE)
    code, document, printed = replay(tmp_path / 'bag')
    assert code == cli.EXIT_FAILURE and document['decisions'] == 0
    assert 'the policy wants a horizontal field of view of 90.0 deg' in printed.err
