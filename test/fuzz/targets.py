# SPDX-License-Identifier: Apache-2.0
"""Every reader of foreign bytes, with valid inputs to begin with and the errors it may raise.

``seeds`` makes the valid inputs, ``read`` gives one input to the reader, in a folder of its own.
Whatever is not among the ``named`` errors is a crash. ``share`` is how often a target is drawn:
cheap readers have the most.
"""

from __future__ import annotations

import array
import contextlib
import dataclasses
import gzip
import io
import json
from pathlib import Path
import pickle
import struct
import sys
from typing import Any
from typing import Callable

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'replay'), str(HERE.parent / 'inference')]

from asgf_nav_ros.contract import ContractMismatch  # noqa: E402
from asgf_nav_ros.contract import PolicyContract  # noqa: E402
from asgf_nav_ros.sight.image_codec import ImageError  # noqa: E402
from asgf_nav_ros.sound.pcm import PcmError  # noqa: E402
from sim_bridge.sound_sources import SoundError  # noqa: E402
from sim_bridge.soundspaces.layout import DatasetError  # noqa: E402
from sim_bridge.soundspaces.responses import BrokenResponse  # noqa: E402

SMALL = PolicyContract(sample_rate_hz=8000, window_s=0.1, image_height=8, image_width=8,
                       hidden_size=4)


@dataclasses.dataclass(frozen=True)
class Target:
    """A reader under test."""

    name: str
    seeds: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], Any]
    named: tuple[type[BaseException], ...] = (ValueError,)
    share: int = 1


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


# ---- messages: fixed numbers first, then the encoding, then the payload

_IMAGE = struct.Struct('<IIIBB')
_ENCODINGS = ('rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', '16UC1', '32FC1', '32FC2', '32FC5',
              '16SC2', '32FC0', '')


def _image_bytes(height: int, width: int, step: int, encoding: str, data: bytes, *,
                 big: int = 0) -> bytes:
    return _IMAGE.pack(height, width, step, big, _ENCODINGS.index(encoding)) + data


def _image(content: bytes) -> Any:
    from sensor_msgs.msg import Image
    height, width, step, big, number = _IMAGE.unpack(content[:_IMAGE.size].ljust(_IMAGE.size))
    encoding = _ENCODINGS[number] if number < len(_ENCODINGS) else f'32FC{number}'
    message = Image(height=height, width=width, step=step, is_bigendian=big, encoding=encoding)
    message.data = content[_IMAGE.size:]
    return message


def _image_seeds(_: Path) -> list[bytes]:
    floats = np.linspace(-1, 5, 24, dtype='<f4').tobytes()
    return [_image_bytes(4, 4, 12, 'rgb8', floats[:48]),
            _image_bytes(2, 5, 24, 'bgra8', floats[:48]),
            _image_bytes(4, 6, 12, '16UC1', floats[:48]),
            _image_bytes(6, 4, 16, '32FC1', floats), _image_bytes(4, 3, 24, '32FC2', floats),
            _image_bytes(6, 4, 16, '32FC1', floats, big=1),
            _image_bytes(1, 24, 96, '16SC2', floats)]


def _read_audio(content: bytes, _: Path) -> None:
    from asgf_nav_ros.nodes import messages
    message = _image(content)
    audio = messages.audio_of(message)
    assert audio.shape == (2, message.width) and np.abs(audio).max() <= 1


def _read_color(content: bytes, _: Path) -> None:
    from asgf_nav_ros.nodes import messages
    message = _image(content)
    assert messages.color_of(message).shape == (message.height, message.width, 3)


def _read_depth(content: bytes, _: Path) -> None:
    from asgf_nav_ros.nodes import messages
    depth = messages.depth_of(_image(content))
    assert np.isfinite(depth).all() and (depth >= 0).all()


def _read_spectrogram(content: bytes, _: Path) -> None:
    from asgf_nav_ros.nodes import messages
    message = _image(content)
    assert messages.spectrogram_of(message).shape[:2] == (message.height, message.width)


def _read_pcm(content: bytes, _: Path) -> None:
    from asgf_nav_ros.sound.pcm import decode_pcm
    width, big = struct.unpack('<IB', content[:5].ljust(5))
    assert decode_pcm(content[5:], width=width, is_bigendian=bool(big)).shape == (2, width)


def _pcm_seeds(_: Path) -> list[bytes]:
    return [struct.pack('<IB', count, big) + bytes(range(4 * count))
            for count, big in ((1, 0), (7, 1), (60, 0))]


_CAMERA = struct.Struct('<II9d')


def _camera_seeds(_: Path) -> list[bytes]:
    return [_CAMERA.pack(width, height, f, 0, width / 2, 0, f, height / 2, 0, 0, 1)
            for width, height, f in ((8, 8, 4.0), (640, 480, 400.0), (1280, 720, 900.0))]


def _read_camera(content: bytes, _: Path) -> None:
    from sensor_msgs.msg import CameraInfo

    from asgf_nav_ros.nodes import messages
    from asgf_nav_ros.sight.view import View
    width, height, *k = _CAMERA.unpack(content[:_CAMERA.size].ljust(_CAMERA.size))
    camera = messages.camera_of(CameraInfo(width=width, height=height, k=k))
    if width * height <= 1 << 20:
        shown = View(camera, SMALL).depth(np.ones((height, width), np.float32))
        assert shown.shape == (8, 8)


_ODOMETRY = struct.Struct('<8d')


def _odometry_seeds(_: Path) -> list[bytes]:
    return [_ODOMETRY.pack(1.0, 2.0, 0.0, 0.0, 0.6, 0.8, 0.1, -0.2),
            _ODOMETRY.pack(-1e3, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)]


def _read_odometry(content: bytes, _: Path) -> None:
    from geometry_msgs.msg import Point
    from geometry_msgs.msg import Quaternion
    from nav_msgs.msg import Odometry

    from asgf_nav_ros.nodes import messages
    x, y, qx, qy, qz, qw, linear, angular = _ODOMETRY.unpack(
        content[:_ODOMETRY.size].ljust(_ODOMETRY.size))
    message = Odometry()
    message.pose.pose.position = Point(x=x, y=y)
    message.pose.pose.orientation = Quaternion(x=qx, y=qy, z=qz, w=qw)
    message.twist.twist.linear.x, message.twist.twist.angular.z = linear, angular
    pose, _ = messages.motion_of(message)
    assert not pose.finite or abs(pose.yaw_rad) <= np.pi


def _compressed_seeds(_: Path) -> list[bytes]:
    import cv2
    picture = np.random.default_rng(1).integers(0, 255, (12, 16, 3), np.uint8)
    return [cv2.imencode(ending, picture, options)[1].tobytes() for ending, options in (
        ('.png', []), ('.jpg', []), ('.jpg', [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]))]


def _read_compressed(content: bytes, _: Path) -> None:
    from asgf_nav_ros.sight.compressed_image import decode_compressed_color
    picture = decode_compressed_color(array.array('B', content))
    assert picture.ndim == 3 and picture.dtype == np.uint8


# ---- models and documents

def _read_contract(content: bytes, _: Path) -> None:
    assert isinstance(PolicyContract.from_json(content.decode(errors='replace')), PolicyContract)


def _contract_seeds(_: Path) -> list[bytes]:
    return [SMALL.to_json().encode(), PolicyContract().to_json().encode()]


def _model_seeds(folder: Path) -> list[bytes]:
    from onnx_builder import build_policy
    return [build_policy(folder / 'seed.onnx', SMALL).read_bytes()]


def _read_metadata(content: bytes, folder: Path) -> None:
    from asgf_nav_ros.inference.model_metadata import read_contract_of_file
    read_contract_of_file(_file(folder, 'model.onnx', content))


def _read_model(content: bytes, folder: Path) -> None:
    from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
    OnnxPolicy(_file(folder, 'model.onnx', content))


def _told_seeds(_: Path) -> list[bytes]:
    return [json.dumps({'episode': 'a', 'step': 3, 'stamp_s': 11.5, 'action': 'STOP',
                        'motion': None, 'color_stamp_s': 11.4,
                        'probabilities': {'STOP': 0.5}}).encode()]


def _read_told(content: bytes, _: Path) -> None:
    from asgf_nav_ros.replay.recording_index import decision_document
    decision_document(content.decode(errors='replace'))


def _hearing_seeds(folder: Path) -> list[bytes]:
    from asgf_nav_ros.sound.hearing import HearingSettings
    profile = _profile()
    return [json.dumps(HearingSettings(2.0, each).document()).encode() for each in (None, profile)]


def _read_hearing(content: bytes, _: Path) -> None:
    from asgf_nav_ros.replay.recording_index import json_document
    from asgf_nav_ros.sound.hearing import HearingSettings
    HearingSettings.of_document(json_document(content.decode(errors='replace')))


def _profile() -> Any:
    from asgf_nav_ros.sound.noise_profile import NoiseProfile
    power = np.random.default_rng(0).uniform(0.1, 1, (2, 17)).round(3)
    return NoiseProfile(8000, 32, 32, 8.0, power)


def _profile_seeds(folder: Path) -> list[bytes]:
    _profile().write(folder / 'noise.yaml', device='microphones')
    return [(folder / 'noise.yaml').read_bytes()]


def _read_profile(content: bytes, _: Path) -> None:
    from asgf_nav_ros.sound.noise_profile import noise_profile_of_yaml
    assert np.isfinite(noise_profile_of_yaml(content).power).all()


# ---- sounds and SoundSpaces

def _wav_seeds(_: Path) -> list[bytes]:
    from scipy.io import wavfile
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, (60, 2))
    found = []
    for kind, channels in ((np.float32, 2), (np.int16, 2), (np.int16, 1), (np.uint8, 2)):
        buffer = io.BytesIO()
        wavfile.write(buffer, 16000, (samples[:, :channels] * 100).astype(kind))
        found.append(buffer.getvalue())
    return found


def _read_response(content: bytes, folder: Path) -> None:
    from sim_bridge.soundspaces.responses import read_response
    response = read_response(_file(folder, 'response.wav', content), sample_rate_hz=16000)
    assert response.shape[0] == 2 and np.isfinite(response).all()


def _sound_seeds(folder: Path) -> list[bytes]:
    import soundfile
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, (500, 2)).astype(np.float32)
    found = _wav_seeds(folder)
    for kind in ('flac', 'ogg'):
        soundfile.write(folder / f'seed.{kind}', samples, 16000)
        found.append((folder / f'seed.{kind}').read_bytes())
    return found


def _read_sound(content: bytes, folder: Path) -> None:
    from sim_bridge.sound_sources import read_sound_file
    samples, _ = read_sound_file(_file(folder, 'sound.wav', content))
    assert np.isfinite(samples).all()


def _graph_seeds(_: Path) -> list[bytes]:
    import networkx
    graph = networkx.Graph()
    for node in range(6):
        graph.add_node(node, point=(0.5 * node, 0.0, np.float64(1.0)))
    graph.add_edges_from((node, node + 1) for node in range(5))
    return [pickle.dumps(graph, protocol=protocol) for protocol in (3, 4)]


def _read_graph(content: bytes, folder: Path) -> None:
    from sim_bridge.soundspaces.scene_graph import read_scene_graph
    read_scene_graph(_file(folder, 'graph.pkl', content), step_m=0.5)


def _observation_seeds(_: Path) -> list[bytes]:
    views = {(0, rotation): {'rgb': np.full((4, 4, 3), 7, np.uint8),
                             'depth': np.ones((4, 4), np.float32)}
             for rotation in (0, 90, 180, 270)}
    return [pickle.dumps(views, protocol=protocol) for protocol in (3, 4)]


def _read_observations(content: bytes, folder: Path) -> None:
    from sim_bridge.soundspaces.observations import SceneObservations
    seen = SceneObservations(_file(folder, 'seen.pkl', content))
    seen.nodes()
    for heading in range(4):
        assert seen.view(0, heading)[1].ndim == 2


_SPLIT, _SCENE = 'test', 'apartment_0'


def _episode_seeds(_: Path) -> list[bytes]:
    episodes = [{'episode_id': str(number), 'scene_id': f'{_SCENE}/habitat/mesh_semantic.ply',
                 'start_position': [0.5, 0.0, 1.0], 'start_rotation': [0.0, 1.0, 0.0, 0.0],
                 'goals': [{'position': [1.5, 0.0, 1.0], 'radius': 0.00001}],
                 'info': {'geodesic_distance': 1.0, 'num_action': 4, 'sound': 'telephone'}}
                for number in range(2)]
    text = json.dumps({'episodes': episodes}).encode()
    return [text, gzip.compress(text, mtime=0)]


def _read_episodes(content: bytes, folder: Path) -> None:
    """Text is packed first, so that damage also reaches what is inside."""
    from sim_bridge.soundspaces.episode_files import read_episodes
    from sim_bridge.soundspaces.layout import Layout
    layout = Layout(folder, 'replica')
    path = layout.content(_SPLIT) / f'{_SCENE}.json.gz'
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = content[:2] == b'\x1f\x8b'
    path.write_bytes(content if packed else gzip.compress(content, 1))
    assert all(episode.scene == _SCENE for episode in read_episodes(layout, _SPLIT, _SCENE))


def _point_seeds(_: Path) -> list[bytes]:
    return [''.join(f'{number}\t{0.5 * number}\t-1.5\t0.1\n' for number in range(5)).encode()]


def _read_points(content: bytes, folder: Path) -> None:
    from sim_bridge.soundspaces.layout import DATASETS
    from sim_bridge.soundspaces.layout import read_points
    points = read_points(_file(folder, 'points.txt', content), DATASETS['replica'])
    assert points.shape[1] == 3 and np.isfinite(points).all()


# ---- recordings

def _write_bag(path: Path, **options: Any) -> Path:
    """A bag with a message for each role that a replay knows."""
    from bag_builder import BagBuilder

    from asgf_nav_ros.sight.view import Camera
    from asgf_nav_ros.sound.hearing import HearingSettings
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    with BagBuilder(path, **options) as bag:
        bag.document('/policy_info', 9.0, {'seed': 1, 'temperature': 0.5})
        bag.document('/spectrogram_info', 9.0, HearingSettings(2.0, _profile()).document())
        bag.name('/episode', 10.0, 'a')
        bag.name('/motion_state', 10.0, 'idle')
        bag.audio(10.0, rng.uniform(-1, 1, (2, 800)))
        bag.odometry(10.05, 1.0, 2.0)
        bag.camera_info(10.1, Camera.of_contract(SMALL))
        bag.color(10.1, rgb)
        bag.depth(10.1, np.ones((8, 8), np.float32))
        bag.spectrogram(10.1, np.ones(SMALL.spectrogram_shape, np.float32))
        bag.name('/action', 10.1, 'STOP')
        bag.document('/decision', 10.1, {'step': 0, 'stamp_s': 10.1, 'action': 'STOP',
                                         'color_stamp_s': 10.1, 'depth_stamp_s': 10.1})
    return path


def _mcap_seeds(folder: Path) -> list[bytes]:
    return [next(_write_bag(folder / 'bag').glob('*.mcap')).read_bytes()]


def _driver_seeds(folder: Path) -> list[bytes]:
    """Audio of drivers, with types that the file describes itself."""
    from bag_builder import BagBuilder
    found = []
    for kind in ('audio_data_stamped', 'audio_stamped'):
        with BagBuilder(folder / kind, audio=kind) as bag:
            _write_driver_audio(bag, kind)
            bag.jpeg(10.1, np.zeros((8, 8, 3), np.uint8), topic='/color/image_raw/compressed')
        found.append(next((folder / kind).glob('*.mcap')).read_bytes())
    return found


def _write_driver_audio(bag: Any, kind: str) -> None:
    for number in range(6):
        head = bag.header(10 + 0.05 * number)
        samples = np.arange(800, dtype=np.int16)
        if kind == 'audio_data_stamped':
            if not number:
                bag.write('/audio_info', bag.new(
                    'audio_common_msgs/msg/AudioInfo', channels=2, sample_rate=8000,
                    sample_format='S16LE', bitrate=0, coding_format='wave'), 10.0)
            data = bag.new('audio_common_msgs/msg/AudioData', data=samples.view(np.uint8))
            message = bag.new('audio_common_msgs/msg/AudioDataStamped', header=head, audio=data)
        else:
            none = {f'{name}_data': np.zeros(0, name)
                    for name in ('float32', 'int32', 'int8', 'uint8')}
            data = bag.new('audio_common_msgs/msg/AudioData', int16_data=samples, **none)
            info = bag.new('audio_common_msgs/msg/AudioInfo', format=8, channels=2, rate=8000,
                           chunk=400)
            audio = bag.new('audio_common_msgs/msg/Audio', info=info, audio_data=data)
            message = bag.new('audio_common_msgs/msg/AudioStamped', header=head, audio=audio)
        bag.write('/audio', message, 10 + 0.05 * number)


def _sqlite_seeds(folder: Path) -> list[bytes]:
    from rosbags.rosbag2 import StoragePlugin
    bag = _write_bag(folder / 'bag', storage=StoragePlugin.SQLITE3)
    return [next(bag.glob('*.db3')).read_bytes()]


def _ros1_seeds(folder: Path) -> list[bytes]:
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import get_typestore
    from rosbags.typesys import Stores
    types = get_typestore(Stores.ROS1_NOETIC)
    kind = 'std_msgs/msg/Header'
    with Writer(folder / 'seed.bag') as bag:
        connection = bag.add_connection('/action', kind, typestore=types)
        time = types.types['builtin_interfaces/msg/Time'](sec=10, nanosec=0)
        message = types.types[kind](seq=0, stamp=time, frame_id='STOP')
        bag.write(connection, 10 ** 10, types.serialize_ros1(message, kind))
    return [(folder / 'seed.bag').read_bytes()]


def _read_bag(name: str) -> Callable[[bytes, Path], None]:
    """Everything that a replay does with a file before a policy decides."""
    def read(content: bytes, folder: Path) -> None:
        from asgf_nav_ros.replay.bag_file import BagFile
        from asgf_nav_ros.replay.observations import ObservationPass
        from asgf_nav_ros.replay.recording_index import RecordingIndex
        bag = BagFile(_file(folder, name, content))
        for raw in bag.messages():
            with contextlib.suppress(ValueError):
                bag.deserialize(raw)
        index = RecordingIndex(bag, {})
        choices = index.choices(window_s=SMALL.window_s, tolerance_s=0.25)
        for gathered in ObservationPass(index, choices, SMALL):
            assert gathered.complete == (not gathered.missing)
    return read


TARGETS = {target.name: target for target in (
    Target('pcm', _pcm_seeds, _read_pcm, (PcmError,), share=120),
    Target('audio_message', _image_seeds, _read_audio, (PcmError,), share=100),
    Target('color_message', _image_seeds, _read_color, (ImageError,), share=100),
    Target('depth_message', _image_seeds, _read_depth, (ImageError,), share=100),
    Target('spectrogram_message', _image_seeds, _read_spectrogram, (ImageError,), share=100),
    Target('camera_info', _camera_seeds, _read_camera, share=30),
    Target('odometry', _odometry_seeds, _read_odometry, share=100),
    Target('compressed_image', _compressed_seeds, _read_compressed, (ImageError,), share=30),
    Target('contract', _contract_seeds, _read_contract, (ContractMismatch,), share=80),
    Target('decision', _told_seeds, _read_told, share=80),
    Target('hearing', _hearing_seeds, _read_hearing, share=60),
    Target('model_metadata', _model_seeds, _read_metadata, share=30),
    Target('model', _model_seeds, _read_model, share=3),
    Target('noise_profile', _profile_seeds, _read_profile, share=8),
    Target('response_wav', _wav_seeds, _read_response, (BrokenResponse, DatasetError), share=30),
    Target('sound_file', _sound_seeds, _read_sound, (SoundError,), share=15),
    Target('scene_graph', _graph_seeds, _read_graph, (DatasetError,), share=20),
    Target('scene_observations', _observation_seeds, _read_observations, (DatasetError,),
           share=20),
    Target('episodes', _episode_seeds, _read_episodes, (DatasetError,), share=15),
    Target('points', _point_seeds, _read_points, (DatasetError,), share=15),
    Target('mcap_bag', _mcap_seeds, _read_bag('bag.mcap'), share=15),
    Target('driver_bag', _driver_seeds, _read_bag('bag.mcap'), share=2),
    Target('sqlite3_bag', _sqlite_seeds, _read_bag('bag.db3'), share=1),
    Target('ros1_bag', _ros1_seeds, _read_bag('bag.bag'), share=2))}
