# SPDX-License-Identifier: Apache-2.0
"""Node ``trial_robot``: a base, a camera and two ears that fail on command, for tests of faults.

It drives on a treadmill: the wall ahead keeps its distance and the sound its direction, so that a
policy goes on for as long as a test lasts. Commands come on stdin and events go to stdout, JSON,
one line each; times are of the machine's steady clock, which all its processes share:

    {"fault": "silent", "stream": "odom"}, {"fault": ""} ends it, {"episode": "name"} begins one
    {"event": "moving" | "still" | "action" | "diagnostics" | "motion_state" | ..., "t": seconds}

``held_up`` says that the machine did not let the robot itself run for so long: what it saw then
came late.
"""

from __future__ import annotations

import dataclasses
import json
import math
import queue
import sys
import threading
import time
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.model_contract import read_contract
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.nodes.trial_faults import intrude
from asgf_nav_ros.nodes.trial_faults import TrialFault
from asgf_nav_ros.sight.view import Camera

TICK_S = 0.02
BASE_TIMEOUT_S = 0.4  # every base needs one; diff_drive_controller's is 0.5 unless it is set
HELD_UP_S = 0.15  # between ticks
TICKS_PER_IMAGE = 3
WALL_M, CEILING_M, DEPTH_NOISE_M = 5.0, 2.5, 0.01
LAG_SAMPLES, FAR_EAR = 3, 0.9
STREAMS = {
    graph.ODOMETRY: Odometry, graph.AUDIO: Image, graph.COLOR: Image, graph.DEPTH: Image,
    graph.CAMERA_INFO: CameraInfo}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialRobotParameters(NodeParameters):
    """Parameters of ``trial_robot``."""

    seed: int = parameter(0, 'Of noise and loss.', low=0, high=2**31)
    owns_clock: bool = parameter(False, 'Publish /clock, for nodes with use_sim_time.')
    sound_level: float = parameter(
        0.05, 'Standard deviation of what the nearer ear hears; 1 is full scale.',
        low=0, high=0.2)


class TrialRobotNode(ManagedNode):
    """Senses, obeys ``cmd_vel``, and tells what it hears from the other nodes."""

    def __init__(self, **options: Any) -> None:
        super().__init__('trial_robot', TrialRobotParameters, **options)

    def set_up(self) -> None:
        """Prepare senses and publishers."""
        self._contract = read_contract(self.settings.model_path)
        self._rng = np.random.default_rng(self.settings.seed)
        self._room = room_depth(Camera.of_contract(self._contract), self._contract.camera_height_m)
        self._fault = TrialFault('', '', self._rng)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._publishers_of = {}
        self._offer(self.settings.sensor_reliability)
        self._episode = self.advertise(Header, graph.EPISODE, graph.state_qos())
        if self.settings.owns_clock:
            self._time_of_all = self.advertise(
                Clock, graph.CLOCK, graph.sensor_qos('reliable', depth=1))

    def start(self) -> None:
        """Begin to sense, obey and report."""
        self._pose, self._velocity = Pose(2.0, 1.0, 0.0), (0.0, 0.0)
        self._commanded_s, self._moving, self._ticks = -math.inf, False, 0
        self._stamp_s = 1.0 if self.settings.owns_clock else self.now_s
        self._heard_samples, self._heard_from_s = 0, self._stamp_s
        self._texts: dict[str, str] = {}
        events = graph.event_qos(depth=100)
        self.listen(TwistStamped, graph.CMD_VEL, self._on_cmd_vel, events, awaited=False)
        self.listen(Header, graph.ACTION, self._on_action, events, awaited=False)
        self.listen(Header, graph.MOTION_STATE, self._on_motion_state, graph.state_qos(),
                    awaited=False)
        self.listen(DiagnosticArray, graph.DIAGNOSTICS, self._on_diagnostics, events,
                    awaited=False)
        self._ticked_s = time.monotonic()
        threading.Thread(target=self._read, daemon=True).start()
        self.every(TICK_S, self._tick, clock=self.steady)
        tell('ready')

    def _offer(self, reliability: str) -> None:
        """Advertise every sensor with this quality of service, in place of what was offered."""
        for publisher in self._publishers_of.values():
            self.destroy_publisher(publisher)
        self._publishers_of = {
            topic: self.create_publisher(kind, topic, graph.sensor_qos(reliability, depth=50))
            for topic, kind in STREAMS.items()}

    # ---- what it hears

    def _on_cmd_vel(self, message: TwistStamped) -> None:
        age_s = self._stamp_s - messages.seconds(message.header.stamp)
        if abs(age_s) > BASE_TIMEOUT_S:  # diff_drive_controller drives no old commands either
            return
        self._velocity = (message.twist.linear.x, message.twist.angular.z)
        self._commanded_s = time.monotonic()
        self._say_whether_moving(by='command')

    def _say_whether_moving(self, *, by: str) -> None:
        moving = self._velocity != (0.0, 0.0)
        if moving != self._moving:
            tell('moving' if moving else 'still', by=by, forward=self._velocity[0] > 0)
        self._moving = moving

    def _on_action(self, message: Header) -> None:
        tell('action', name=message.frame_id[:40], decided_on=self._steady_s(message.stamp))

    def _on_motion_state(self, message: Header) -> None:
        if self._texts.get(graph.MOTION_STATE) != message.frame_id:
            self._texts[graph.MOTION_STATE] = message.frame_id
            tell('motion_state', state=message.frame_id[:40],
                 since=self._steady_s(message.stamp))

    def _steady_s(self, stamp: Time) -> float:
        """A stamp on the clock of the events."""
        return time.monotonic() - (self._stamp_s - messages.seconds(stamp))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            known = self._texts.get(status.name) == status.message
            if not known and self.get_name() not in status.name:
                self._texts[status.name] = status.message
                tell('diagnostics', node=status.name, text=status.message)

    # ---- what it is told

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self.finish(0)

    def _obey(self, order: dict[str, Any]) -> None:
        if 'episode' in order:
            self._episode.publish(messages.header(order['episode'], self._stamp_s))
        if 'reliability' in order:
            self._offer(order['reliability'])
            tell('offered')
        if 'fault' in order:
            self._fault.retire(self)
            self._fault = TrialFault(order['fault'], order.get('stream', ''), self._rng)
            tell('fault', name=order['fault'])

    # ---- what it does

    def _tick(self) -> None:
        late_s, self._ticked_s = time.monotonic() - self._ticked_s, time.monotonic()
        if late_s > HELD_UP_S:
            tell('held_up', for_s=late_s)
        while not self._lines.empty():
            self._obey(json.loads(self._lines.get()))
        self._ticks += 1
        if time.monotonic() - self._commanded_s > BASE_TIMEOUT_S:
            self._velocity = (0.0, 0.0)
            self._say_whether_moving(by='base')
        self._drive()
        self._tell_time()
        self._sense()
        intrude(self, self._fault, self._contract.spectrogram_shape)

    def _drive(self) -> None:
        linear_mps, angular_radps = self._velocity
        yaw_rad = self._pose.yaw_rad + angular_radps * TICK_S
        self._pose = Pose(self._pose.x_m + linear_mps * math.cos(yaw_rad) * TICK_S,
                          self._pose.y_m + linear_mps * math.sin(yaw_rad) * TICK_S, yaw_rad)

    def _tell_time(self) -> None:
        if not self.settings.owns_clock:
            self._stamp_s = self.now_s
            return
        self._stamp_s += self._fault.clock_step_s(TICK_S)
        if self._fault.name == 'no_clock':
            return
        self._time_of_all.publish(Clock(clock=messages.stamp_of(self._stamp_s)))

    def _sense(self) -> None:
        contract, now_s = self._contract, self._stamp_s
        size = (contract.image_height, contract.image_width)
        self._send(graph.ODOMETRY, messages.odometry_message(self._pose, self._velocity, now_s))
        self._send(graph.AUDIO, messages.audio_message(self._listen(), self._audio_s, 'ears'))
        if self._ticks % TICKS_PER_IMAGE:
            return
        depth = self._room + self._rng.normal(0, DEPTH_NOISE_M, size).astype(np.float32)
        rgb = self._rng.integers(0, 256, (*size, 3), np.uint8)
        self._send(graph.CAMERA_INFO, messages.camera_message(
            Camera.of_contract(contract), now_s, 'camera'))
        self._send(graph.DEPTH, messages.depth_message(depth, now_s, 'camera'))
        self._send(graph.COLOR, messages.color_message(rgb, now_s, 'camera'))

    def _send(self, topic: str, message: Any) -> None:
        for sent in self._fault.apply(topic, message, self._stamp_s):
            self._publishers_of[topic].publish(sent)

    def _listen(self) -> np.ndarray:
        """The block that ended now: noise from ahead, a little to the left."""
        rate_hz = self._contract.sample_rate_hz
        late_s = self._stamp_s - (self._heard_from_s + self._heard_samples / rate_hz)
        if abs(late_s) > 1.0:  # the clock jumped
            self._heard_from_s, self._heard_samples = self._stamp_s - TICK_S, 0
            late_s = TICK_S
        count = max(round(late_s * rate_hz), 1)
        self._audio_s = self._heard_from_s + self._heard_samples / rate_hz
        self._heard_samples += count
        noise = self._rng.standard_normal(count + LAG_SAMPLES) * self.settings.sound_level
        return np.stack([noise[:count], FAR_EAR * noise[LAG_SAMPLES:]]).astype(np.float32)


def room_depth(camera: Camera, camera_height_m: float) -> np.ndarray:
    """(height, width) float32, metres: a wall ahead, floor and ceiling."""
    down = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    height_m = np.where(down > 0, camera_height_m, CEILING_M - camera_height_m)
    ahead_m = np.minimum(height_m / np.maximum(np.abs(down), 1e-6), WALL_M)
    return np.repeat(ahead_m[:, None], camera.width, axis=1).astype(np.float32)


def tell(event: str, **facts: Any) -> None:
    """Print one event."""
    print(json.dumps({'event': event, 't': time.monotonic(), **facts}), flush=True)


def main() -> None:
    """Run the node."""
    sys.exit(run(TrialRobotNode))


if __name__ == '__main__':
    main()
