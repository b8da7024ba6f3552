# SPDX-License-Identifier: Apache-2.0
"""Ears and camera of the simulated robot, as topics."""

from __future__ import annotations

import math

from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.sight.view import Camera
from sim_bridge.embedded import EmbeddedWorld
from sim_bridge.soundspaces.driven_world import DrivenWorld

CAMERA_FRAME, EARS_FRAME = 'camera', 'ears'
# Ticks are sums of nanoseconds, periods are floats.
ROUNDING_S = 1e-6


class SimulatedSenses:
    """Publishes what a world hears and sees, when it is due."""

    def __init__(self, node: ManagedNode, world: EmbeddedWorld | DrivenWorld,
                 contract: PolicyContract) -> None:
        """Advertise the topics on ``node``, with its ``SimulatorParameters``."""
        self._world, self._rate_hz = world, contract.sample_rate_hz
        self._block_s = node.settings.audio_block_s
        self._full_scale = node.settings.full_scale
        self._image_period_s = node.settings.image_period_s
        self._camera = Camera.of_contract(contract)
        reliability = node.settings.sensor_reliability
        sensor = graph.sensor_qos(reliability, depth=graph.DEPTH_OF_SIMULATION)
        self.audio = node.advertise(
            Image, graph.AUDIO, graph.sensor_qos(reliability, depth=graph.DEPTH_OF_AUDIO))
        self.color = node.advertise(Image, graph.COLOR, sensor)
        self._depth = node.advertise(Image, graph.DEPTH, sensor)
        self._camera_info = node.advertise(CameraInfo, graph.CAMERA_INFO, sensor)
        self.begin(0.0)

    def begin(self, time_s: float) -> None:
        """Hear from now on, and look at the next occasion."""
        self._heard_from_s, self._heard_samples = time_s, 0
        self._looked_s = -math.inf

    def hear(self, time_s: float) -> float:
        """Publish the block that ends now, if one does; the end of all that is published."""
        begin_s = self._heard_from_s + self._heard_samples / self._rate_hz
        if time_s < begin_s + self._block_s - ROUNDING_S:
            return begin_s
        count = round((time_s - begin_s) * self._rate_hz)
        audio = self._world.listen(count) / self._full_scale
        self.audio.publish(messages.audio_message(audio, begin_s, EARS_FRAME))
        self._heard_samples += count
        return self._heard_from_s + self._heard_samples / self._rate_hz

    def look(self, time_s: float, *, now: bool, regularly: bool) -> None:
        """Publish images now, or if they are due; the first ones are due at once.

        Args:
            time_s: stamp.
            now: whatever is due.
            regularly: every image period.
        """
        due = time_s >= self._looked_s + self._image_period_s - ROUNDING_S
        first = self._looked_s == -math.inf
        if not (now or first or (regularly and due)):
            return
        rgb, depth = self._world.view()
        self._camera_info.publish(messages.camera_message(self._camera, time_s, CAMERA_FRAME))
        self._depth.publish(messages.depth_message(depth, time_s, CAMERA_FRAME))
        self.color.publish(messages.color_message(rgb, time_s, CAMERA_FRAME))
        self._looked_s = time_s
