# SPDX-License-Identifier: Apache-2.0
"""Node ``visuals``: what RViz and Foxglove show of a run: path, action, direction, dashboard."""

from __future__ import annotations

import collections
import dataclasses
import math
import sys
from typing import Any

from geometry_msgs.msg import Pose
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String

from asgf_nav_ros.contract import Action
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.replay.live_picture import live_picture
from asgf_nav_ros.replay.live_picture import LiveMoment
from asgf_nav_ros.replay.recording_index import decision_document

PATH, ACTION_ARROW = 'visual/path', 'visual/action'
SOUND_DIRECTION, DASHBOARD = 'visual/sound_direction', 'visual/dashboard'
FRAME = 'visual'
TURNED_RAD = {Action.TURN_LEFT: math.pi / 2, Action.TURN_RIGHT: -math.pi / 2}
# Up and out of the floor: a robot that stops goes nowhere on it.
UPWARDS = (0.0, -math.sqrt(0.5), 0.0, math.sqrt(0.5))


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisualsParameters(NodeParameters):
    """Parameters of ``visuals``."""

    dashboard_period_s: float = parameter(
        0.5, 'Between two pictures; each is drawn only if somebody looks.', low=0.05, high=60)
    path_period_s: float = parameter(0.5, 'Between two paths.', low=0.05, high=60)
    path_spacing_m: float = parameter(
        0.05, 'Way between two poses of the path.', low=0.001, high=10)
    path_poses: int = parameter(
        2000, 'The path keeps the newest ones.', low=2, high=100000)


class VisualsNode(ManagedNode):
    """Turns what the graph says into what tools draw; nothing listens to it but people."""

    def __init__(self, **options: Any) -> None:
        super().__init__('visuals', VisualsParameters, **options)

    def set_up(self) -> None:
        """Create publishers; late joiners get the last of each."""
        latched = graph.state_qos()
        self._path = self.advertise(Path, PATH, latched)
        self._arrow = self.advertise(PoseStamped, ACTION_ARROW, latched)
        self._direction = self.advertise(PoseStamped, SOUND_DIRECTION, latched)
        self._dashboard = self.advertise(Image, DASHBOARD, latched)

    def start(self) -> None:
        """Listen."""
        self.rewind()
        sensor = graph.sensor_qos(self.settings.sensor_reliability)
        event, state = graph.event_qos(), graph.state_qos()
        for kind, topic, callback, qos in (
                (Odometry, graph.ODOMETRY, self._on_odometry, sensor),
                (Image, graph.COLOR, self._on_color, sensor),
                (Image, graph.DEPTH, self._on_depth, sensor),
                (Image, graph.SPECTROGRAM, self._on_spectrogram, sensor),
                (String, graph.DECISION, self._on_decision, event),
                (Header, graph.MOTION_STATE, self._on_motion_state, state),
                (Header, graph.EPISODE, self._on_episode, state)):
            self.listen(kind, topic, callback, qos, awaited=False)
        self.every(self.settings.dashboard_period_s, self._draw, clock=self.steady)
        self.every(self.settings.path_period_s, self._publish_path, clock=self.steady)

    def rewind(self) -> None:
        """Forget the episode."""
        self._poses: collections.deque[PoseStamped] = collections.deque(
            maxlen=self.settings.path_poses)
        self._odometry: Odometry | None = None
        self._moment = LiveMoment()
        self._episode: tuple[str, float] | None = None
        self._path_is_new = False

    def _on_episode(self, message: Header) -> None:
        episode = (message.frame_id, messages.seconds(message.stamp))
        if episode != self._episode:
            self._poses.clear()
            self._moment.decision = {}
            self._episode, self._path_is_new = episode, True

    def _on_motion_state(self, message: Header) -> None:
        self._moment.motion_state = message.frame_id[:20]

    def _on_odometry(self, message: Odometry) -> None:
        pose, _ = messages.motion_of(message)
        if not pose.finite:
            raise ValueError('the pose must be finite, got NaN or infinity')
        self._odometry = message
        last = self._poses[-1].pose.position if self._poses else None
        here = message.pose.pose.position
        if last is None or (math.hypot(here.x - last.x, here.y - last.y)
                            >= self.settings.path_spacing_m):
            self._poses.append(PoseStamped(header=message.header, pose=message.pose.pose))
            self._path_is_new = True

    def _on_color(self, message: Image) -> None:
        self._moment.color = messages.color_of(message)

    def _on_depth(self, message: Image) -> None:
        self._moment.depth = messages.depth_of(message)

    def _on_spectrogram(self, message: Image) -> None:
        self._moment.spectrogram = messages.spectrogram_of(message)

    def _on_decision(self, message: String) -> None:
        self._moment.decision = told = decision_document(message.data)
        if self._odometry is not None:
            self._point(Action[told['action']], told.get('sound_azimuth_rad'))

    def _point(self, action: Action, azimuth_rad: Any) -> None:
        """Publish both arrows, which begin where the robot is."""
        pose, _ = messages.motion_of(self._odometry)
        self._arrow.publish(self._arrow_at(
            None if action == Action.STOP else pose.yaw_rad + TURNED_RAD.get(action, 0.0)))
        if isinstance(azimuth_rad, float) and math.isfinite(azimuth_rad):
            self._direction.publish(self._arrow_at(pose.yaw_rad + azimuth_rad))

    def _arrow_at(self, yaw_rad: float | None) -> PoseStamped:
        """A pose whose x axis points to ``yaw_rad``, or upwards."""
        pose = Pose(position=self._odometry.pose.pose.position)
        turned = pose.orientation
        turned.x, turned.y, turned.z, turned.w = UPWARDS if yaw_rad is None else (
            0.0, 0.0, math.sin(yaw_rad / 2), math.cos(yaw_rad / 2))
        return PoseStamped(header=self._odometry.header, pose=pose)

    def _publish_path(self) -> None:
        if self._path_is_new and self._poses:
            self._path.publish(Path(header=self._poses[-1].header, poses=list(self._poses)))
            self._path_is_new = False

    def _draw(self) -> None:
        if self._dashboard.get_subscription_count():
            self._dashboard.publish(
                messages.color_message(live_picture(self._moment), self.now_s, FRAME))


def main() -> None:
    """Run the node."""
    sys.exit(run(VisualsNode))


if __name__ == '__main__':
    main()
