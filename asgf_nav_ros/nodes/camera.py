# SPDX-License-Identifier: Apache-2.0
"""Node ``camera``: images of a camera, a file or a driver in, the policy's own view out."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image

from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import graph_time
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.diagnostics import ERROR
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.model_contract import read_contract
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.sight.calibration import Calibration
from asgf_nav_ros.sight.compressed_image import decode_compressed_color
from asgf_nav_ros.sight.video_keeper import VideoKeeper
from asgf_nav_ros.sight.video_source import SOURCES
from asgf_nav_ros.sight.video_source import VideoSettings
from asgf_nav_ros.sight.view import Camera
from asgf_nav_ros.sight.view import LEAST_SHARE
from asgf_nav_ros.sight.view import View

WATCH_PERIOD_S = 0.25
TOPICS = 'topics'
VIDEO = VideoSettings()


@dataclasses.dataclass(frozen=True, kw_only=True)
class CameraParameters(NodeParameters):
    """Parameters of ``camera``."""

    source: str = parameter(
        VIDEO.source, 'device: a camera of this machine; file: a video; openni2: an RGB-D camera, '
        'where OpenCV was built for it; topics: a driver on ~/driver/color, ~/driver/depth and '
        '~/driver/camera_info.',
        choices=(*SOURCES, TOPICS))
    path: str = parameter(VIDEO.path, 'Index or path of the camera, path of the file.')
    width: int = parameter(
        VIDEO.width, 'Pixels to ask the camera for; 0 takes what it gives.', low=0, high=8192)
    height: int = parameter(
        VIDEO.height, 'Pixels to ask the camera for; 0 takes what it gives.', low=0, high=8192)
    rate_hz: float = parameter(
        VIDEO.rate_hz, 'Frames a second; 0 takes what the camera gives, or the file says.',
        low=0, high=240)
    loop: bool = parameter(VIDEO.loop, 'Play a file again when it is over.')
    calibration_file: str = parameter(
        '', "Lens of the camera, as ROS's calibrators write it; empty takes hfov_rad. Topics "
        'have a camera_info.')
    hfov_rad: float = parameter(
        1.57, 'Horizontal field of view of a camera without calibration_file.',
        low=0.1, high=3.1)
    compressed: bool = parameter(
        False, 'The driver sends colour as CompressedImage (JPEG or PNG).')
    delay_s: float = parameter(
        0.0, 'From the light to the program, taken off the stamps of a camera of this machine.',
        low=0, high=2)
    silence_timeout_s: float = parameter(
        2.0, 'Name a camera that has sent nothing for so long.', low=0.1, high=30)
    retry_period_s: float = parameter(
        1.0, 'Between attempts to open the camera.', low=0.1, high=60)
    least_view_share: float = parameter(
        LEAST_SHARE, "Of the width, and of the height, of the model's view: a camera that sees "
        'less is refused, and what it does not see is black and has no depth.', low=0.1, high=1)
    frame_id: str = parameter('camera', 'Optical frame of a camera of this machine.')

    def video(self) -> VideoSettings:
        """What to open."""
        return VideoSettings(source=self.source, path=self.path, width=self.width,
                             height=self.height, rate_hz=self.rate_hz, loop=self.loop)


class CameraNode(ManagedNode):
    """Carries images through a ``View`` to ``color/image`` and ``depth/image``."""

    def __init__(self, **options: Any) -> None:
        super().__init__('camera', CameraParameters, **options)

    def set_up(self) -> None:
        """Take size and field of view from the model's contract."""
        self._contract = read_contract(self.settings.model_path)
        self._own = Camera.of_contract(self._contract)
        self._calibration = None
        if self.settings.source != TOPICS:
            self._video = self.settings.video()
            if self.settings.calibration_file:
                self._calibration = Calibration.of_file(self.settings.calibration_file)
        qos = graph.sensor_qos('reliable')
        self._color = self.advertise(Image, graph.COLOR, qos)
        self._depth = self.advertise(Image, graph.DEPTH, qos)
        self._info = self.advertise(CameraInfo, graph.CAMERA_INFO, qos)

    def start(self) -> None:
        """Open the camera, or listen to its driver."""
        self._view: View | None = None
        self._seen_through: Camera | None = None
        if self.settings.source == TOPICS:
            self._listen_to_driver()
            return
        self._awake = self.create_guard_condition(self._publish_newest)
        self._keeper = VideoKeeper(
            self._video, silence_s=self.settings.silence_timeout_s,
            retry_s=self.settings.retry_period_s, on_frame=self._awake.trigger)
        self.every(WATCH_PERIOD_S, self._watch, clock=self.steady)

    def _listen_to_driver(self) -> None:
        qos = graph.sensor_qos(self.settings.sensor_reliability)
        self.listen(CameraInfo, '~/driver/camera_info', self._on_camera_info, qos)
        self.listen(Image, '~/driver/depth', self._on_depth, qos)
        if self.settings.compressed:
            self.listen(CompressedImage, '~/driver/color', self._on_compressed_color, qos)
        else:
            self.listen(Image, '~/driver/color', self._on_color, qos)

    def halt(self) -> None:
        """Close the camera."""
        if self.settings.source == TOPICS:
            return
        if not self._keeper.close():
            self.fail('the driver of the camera hangs, only a new process helps')
        self.destroy_guard_condition(self._awake)

    def _look_through(self, camera: Camera) -> None:
        """Plan the crop, unless it is that of this camera already."""
        if camera == self._seen_through:
            return
        self._view = View(camera, self._contract, least_share=self.settings.least_view_share)
        self._seen_through = camera
        if self._view.shortfall:
            self.diagnostics.complain(
                graph.CAMERA_INFO, f'{self._view.shortfall}: the rest is black, without depth')

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._look_through(messages.camera_of(message))

    def _on_color(self, message: Image) -> None:
        self._send_color(messages.color_of(message), messages.seconds(message.header.stamp),
                         message.header.frame_id)

    def _on_compressed_color(self, message: CompressedImage) -> None:
        self._send_color(decode_compressed_color(message.data),
                         messages.seconds(message.header.stamp), message.header.frame_id)

    def _on_depth(self, message: Image) -> None:
        self._send_depth(messages.depth_of(message), messages.seconds(message.header.stamp),
                         message.header.frame_id)

    def _publish_newest(self) -> None:
        frame = self._keeper.take()
        if frame is None:
            return
        stamp_s = (frame.taken_s + graph_time.offset_s(lambda: self.now_s)
                   - self.settings.delay_s)
        try:
            self._look_through(self._lens(frame.rgb).camera)
            self._send_color(self._calibration.rectify(frame.rgb), stamp_s,
                             self.settings.frame_id)
            if frame.depth is not None:
                self._send_depth(frame.depth, stamp_s, self.settings.frame_id)
        except ValueError as error:
            self.refuse(graph.COLOR, error)

    def _lens(self, rgb: np.ndarray) -> Calibration:
        if self._calibration is None:
            self._calibration = Calibration.of_angle(
                self.settings.hfov_rad, width=rgb.shape[1], height=rgb.shape[0])
        return self._calibration

    def _send_color(self, rgb: np.ndarray, stamp_s: float, frame_id: str) -> None:
        if self._view is not None:
            self._color.publish(
                messages.color_message(self._view.color(rgb), stamp_s, frame_id))
            self._info.publish(messages.camera_message(self._own, stamp_s, frame_id))

    def _send_depth(self, depth: np.ndarray, stamp_s: float, frame_id: str) -> None:
        if self._view is not None:
            self._depth.publish(
                messages.depth_message(self._view.depth(depth), stamp_s, frame_id))

    def _watch(self) -> None:
        """Say what is missing."""
        self.diagnostics.tell(openings=self._keeper.openings)
        if trouble := self._keeper.trouble:
            self.diagnostics.complain('camera', trouble, level=ERROR, fades=False)
        else:
            self.diagnostics.settle('camera')


def main() -> None:
    """Run the node."""
    sys.exit(run(CameraNode))


if __name__ == '__main__':
    main()
