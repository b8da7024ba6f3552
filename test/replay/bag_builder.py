# SPDX-License-Identifier: Apache-2.0
"""Small recordings, written message by message with the rosbags library."""

import dataclasses
import json

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.typesys import get_typestore
from rosbags.typesys import Stores

from asgf_nav_ros.contract import Observation
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.replay.audio_messages import register_audio_types
from asgf_nav_ros.sight.view import Camera
from asgf_nav_ros.sound import pcm
from asgf_nav_ros.sound.hearing import Hearing
from asgf_nav_ros.sound.hearing import HearingSettings

BLOCK_S = 0.1
LOG_DELAY_S = 1000.0  # the recorder's clock is another one than that of the stamps
COVARIANCE = np.zeros(36)


class BagBuilder:
    """Writes messages to a new rosbag2; a context manager."""

    def __init__(self, path, *, storage=StoragePlugin.MCAP, audio='image'):
        self.types = get_typestore(Stores.ROS2_JAZZY)
        register_audio_types(self.types, audio)
        self._writer = Writer(path, version=9, storage_plugin=storage)
        self._connections = {}

    def __enter__(self):
        self._writer.open()
        return self

    def __exit__(self, *_):
        self._writer.close()

    def new(self, type_name, **fields):
        return self.types.types[type_name](**fields)

    def header(self, stamp_s, frame_id=''):
        sec, nanosec = divmod(round(stamp_s * 1e9), 10 ** 9)
        time = self.new('builtin_interfaces/msg/Time', sec=sec, nanosec=nanosec)
        return self.new('std_msgs/msg/Header', stamp=time, frame_id=frame_id)

    def write(self, topic, message, log_s):
        kind = message.__msgtype__
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self.types)
        self._writer.write(self._connections[topic], round((log_s + LOG_DELAY_S) * 1e9),
                           self.types.serialize_cdr(message, kind))

    def image(self, topic, stamp_s, data, encoding, height, width, step):
        self.write(topic, self.new(
            'sensor_msgs/msg/Image', header=self.header(stamp_s), height=height, width=width,
            encoding=encoding, is_bigendian=0, step=step,
            data=np.frombuffer(data, np.uint8)), stamp_s)

    def audio(self, stamp_s, samples, *, topic='/audio'):
        count = samples.shape[1]
        self.image(topic, stamp_s, pcm.encode_pcm(samples), '16SC2', 1, count, 4 * count)

    def color(self, stamp_s, rgb, *, topic='/color/image'):
        self.image(topic, stamp_s, rgb.tobytes(), 'rgb8', *rgb.shape[:2], 3 * rgb.shape[1])

    def jpeg(self, stamp_s, rgb, *, topic):
        _, data = cv2.imencode('.png', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        self.write(topic, self.new('sensor_msgs/msg/CompressedImage',
                                   header=self.header(stamp_s), format='png', data=data), stamp_s)

    def depth(self, stamp_s, depth, *, topic='/depth/image'):
        height, width = depth.shape
        if depth.dtype == np.uint16:
            self.image(topic, stamp_s, depth.tobytes(), '16UC1', height, width, 2 * width)
        else:
            self.image(topic, stamp_s, depth.tobytes(), '32FC1', height, width, 4 * width)

    def spectrogram(self, stamp_s, planes):
        height, width, channels = planes.shape
        self.image('/spectrogram', stamp_s, planes.tobytes(), f'32FC{channels}', height, width,
                   4 * width * channels)

    def camera_info(self, stamp_s, camera, *, topic='/camera_info'):
        region = self.new('sensor_msgs/msg/RegionOfInterest', x_offset=0, y_offset=0, height=0,
                          width=0, do_rectify=False)
        k = np.array([camera.fx, 0, camera.cx, 0, camera.fy, camera.cy, 0, 0, 1], float)
        self.write(topic, self.new(
            'sensor_msgs/msg/CameraInfo', header=self.header(stamp_s), height=camera.height,
            width=camera.width, distortion_model='plumb_bob', d=np.zeros(5), k=k,
            r=np.eye(3).ravel(), p=np.zeros(12), binning_x=0, binning_y=0, roi=region), stamp_s)

    def odometry(self, stamp_s, x_m, y_m):
        point = self.new('geometry_msgs/msg/Point', x=x_m, y=y_m, z=0.0)
        turned = self.new('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0)
        pose = self.new('geometry_msgs/msg/PoseWithCovariance', covariance=COVARIANCE,
                        pose=self.new('geometry_msgs/msg/Pose', position=point,
                                      orientation=turned))
        zero = self.new('geometry_msgs/msg/Vector3', x=0.0, y=0.0, z=0.0)
        twist = self.new('geometry_msgs/msg/TwistWithCovariance', covariance=COVARIANCE,
                         twist=self.new('geometry_msgs/msg/Twist', linear=zero, angular=zero))
        self.write('/odom', self.new(
            'nav_msgs/msg/Odometry', header=self.header(stamp_s), child_frame_id='base_link',
            pose=pose, twist=twist), stamp_s)

    def name(self, topic, stamp_s, name):
        self.write(topic, self.header(stamp_s, name), stamp_s)

    def document(self, topic, log_s, document):
        text = document if isinstance(document, str) else json.dumps(document)
        self.write(topic, self.new('std_msgs/msg/String', data=text), log_s)


@dataclasses.dataclass
class Scene:
    """What a robot hears and sees at rest ``number``, from a seed."""

    contract: object
    rng: np.random.Generator

    def window(self):
        """(2, n) float32 as it comes out of 16 bits, one ear louder."""
        loud = self.rng.uniform(0.02, 0.3, (2, 1))
        samples = loud * self.rng.uniform(-1, 1, (2, self.contract.window_samples))
        return pcm.decode_pcm(pcm.encode_pcm(samples), width=samples.shape[1])

    def view(self):
        size = (self.contract.image_height, self.contract.image_width)
        return (self.rng.integers(0, 255, (*size, 3), dtype=np.uint8),
                self.rng.uniform(0.5, 4, size).astype(np.float32))


def record_run(path, model_path, *, decisions=8, seed=5, temperature=1.0, episodes=1,
               spectrograms=True, info=True, told=True, left_out=(), hearing=None, **options):
    """A robot that stops, listens and decides, by the real policy; what it decided.

    left_out : ('color', 3) and the like are not written.
    hearing : what is done to the audio, as the bag then tells.
    """
    policy = OnnxPolicy(model_path)
    contract = policy.contract
    heard = Hearing(hearing or HearingSettings(), contract)
    scene = Scene(contract, np.random.default_rng(11))
    actions, time_s = [], 10.0
    with BagBuilder(path, **options) as bag:
        if info:
            bag.document('/policy_info', time_s, {
                'model': 'tiny.onnx', 'model_sha256': policy.sha256, 'provider': 'cpu',
                'temperature': temperature, 'seed': seed,
                'contract': dataclasses.asdict(contract)})
        if hearing is not None:
            bag.document('/spectrogram_info', time_s, hearing.document())
        for episode in range(episodes):
            policy.reset()
            rng = np.random.default_rng(seed)
            bag.name('/episode', time_s, f'run-{episode}')
            for step in range(decisions):
                number = len(actions)
                window, (rgb, depth) = scene.window(), scene.view()
                bag.name('/motion_state', time_s, 'idle')
                spectrogram = heard.spectrogram(window)
                block = round(BLOCK_S * contract.sample_rate_hz)
                for start in range(0, window.shape[1], block):
                    stamp_s = time_s + start / contract.sample_rate_hz
                    if ('audio', number) not in left_out:
                        bag.audio(stamp_s, window[:, start:start + block])
                    bag.odometry(stamp_s, 0.1 * number, 0.0)
                end_s = (round(time_s * 1e9) + round(contract.window_s * 1e9)) * 1e-9
                end_s = int(end_s) + round((end_s - int(end_s)) * 1e9) * 1e-9
                bag.camera_info(end_s, Camera.of_contract(contract))
                if ('color', number) not in left_out:
                    bag.color(end_s, rgb)
                bag.depth(end_s, depth)
                if spectrograms:
                    bag.spectrogram(end_s, spectrogram)
                decision = policy.decide(Observation(
                    rgb=rgb, depth=depth, spectrogram=spectrogram, stamp_s=end_s),
                    temperature=temperature, rng=rng)
                actions.append(decision.action.name)
                bag.name('/action', end_s, actions[-1])
                if told and ('decision', number) not in left_out:
                    bag.document('/decision', end_s, {
                        'episode': f'run-{episode}', 'step': step, 'stamp_s': end_s,
                        'color_stamp_s': end_s, 'depth_stamp_s': end_s, 'motion': None,
                        'action': actions[-1], 'probabilities': dict(zip(
                            contract.actions, decision.probabilities.tolist()))})
                bag.name('/motion_state', end_s + 0.05, 'moving')
                time_s += contract.window_s + 1.5
    return actions
