# SPDX-License-Identifier: Apache-2.0
"""Node ``policy``: decides on one action each time that the robot has stopped and listened."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
import sys
import time
from typing import Any

from nav_msgs.msg import Odometry
import numpy as np
from sensor_msgs.msg import CameraInfo
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_msgs.msg import String
from std_srvs.srv import Trigger

from asgf_nav_ros.contract import Observation
from asgf_nav_ros.inference.choice import DEPLOYED_TEMPERATURE
from asgf_nav_ros.inference.onnx_policy import Decision
from asgf_nav_ros.inference.onnx_policy import OnnxPolicy
from asgf_nav_ros.inference.onnx_policy import PolicyOutputError
from asgf_nav_ros.inference.providers import PROVIDERS
from asgf_nav_ros.inference.providers import ProviderUnavailable
from asgf_nav_ros.motion.frozen_image import FrozenImage
from asgf_nav_ros.motion.observation_gatherer import ObservationGatherer
from asgf_nav_ros.motion.odometry_features import OdometryFeatures
from asgf_nav_ros.motion.turn_taking import TurnTaking
from asgf_nav_ros.nodes import graph
from asgf_nav_ros.nodes import messages
from asgf_nav_ros.nodes.diagnostics import ERROR
from asgf_nav_ros.nodes.managed_node import ManagedNode
from asgf_nav_ros.nodes.managed_node import run
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from asgf_nav_ros.sight.view import LEAST_SHARE
from asgf_nav_ros.sight.view import View

WATCH_PERIOD_S = 0.1
MOTION_TIMEOUT_S = 1.0  # motion tells its state ten times a second
LONGEST_NAME = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class PolicyParameters(NodeParameters):
    """Parameters of ``policy``."""

    model_sha256: str = parameter('', 'Refuse a model file with another SHA-256; empty takes any.')
    provider: str = parameter('cpu', 'Where ONNX Runtime runs the model.', choices=PROVIDERS)
    threads: int = parameter(1, 'Threads of ONNX Runtime on the CPU.', low=1, high=64)
    temperature: float = parameter(
        DEPLOYED_TEMPERATURE, 'Sample actions, and get out of circles; 0 always takes the most '
        'probable one.',
        low=0, high=5)
    seed: int = parameter(0, 'Of the sampling; each episode starts from it.', low=0, high=2**31)
    tolerance_s: float = parameter(
        0.25, 'Between the end of the window and the images decided on.', low=0.01, high=5)
    input_timeout_s: float = parameter(
        0.4, 'Without newer images (and odometry, where the model wants it) it is not well, and '
        'motion stops.', low=0.05, high=60)
    listen_while_moving: bool = parameter(
        False, 'After an action that went well, decide at once on what was heard on the way too: '
        'faster, but the motors are heard and directions have changed. follow_motion of '
        'spectrogram must be false.')
    observation_timeout_s: float = parameter(
        3.0, 'Name what is missing when no observation is complete for so long.',
        low=0.5, high=60)
    action_timeout_s: float = parameter(
        1.0, 'Send an action that motion has not taken again.', low=0.1, high=60)
    hfov_tolerance_rad: float = parameter(
        0.035, 'The camera may see so much less than the model wants.', low=0, high=1)
    least_view_share: float = parameter(
        LEAST_SHARE, "Of the width, and of the height, of the model's view: a camera that sees "
        'less is refused, and what it does not see is black and has no depth.', low=0.1, high=1)


class PolicyNode(ManagedNode):
    """Carries messages between the graph, ``TurnTaking`` and an ``OnnxPolicy``."""

    supervised = True

    def __init__(self, **options: Any) -> None:
        super().__init__('policy', PolicyParameters, **options)

    def set_up(self) -> None:
        """Load, check and warm up the model."""
        settings = self.settings
        if not settings.model_path:
            raise ValueError('model_path must name an ONNX policy, got none')
        try:
            self._policy = OnnxPolicy(
                settings.model_path, provider=settings.provider, threads=settings.threads,
                expected_sha256=settings.model_sha256 or None)
        except (ProviderUnavailable, PolicyOutputError) as error:
            raise ValueError(str(error)) from error
        self.get_logger().info(
            f'{settings.model_path} runs on {self._policy.provider} '
            f'{self._policy.provider_reason}')
        self._turn = TurnTaking(action_timeout_s=settings.action_timeout_s,
                                listen_while_moving=settings.listen_while_moving)
        self._gatherer = ObservationGatherer(
            self._policy.contract, tolerance_s=settings.tolerance_s)
        self._own_motion = OdometryFeatures(self._policy.contract)
        self._view: View | None = None
        self._camera: object = None
        self._frozen_color, self._frozen_depth = FrozenImage(), FrozenImage()
        self._decided = self._sent_again = 0
        self._action = self.advertise(Header, graph.ACTION, graph.event_qos())
        self._decision = self.advertise(String, graph.DECISION, graph.event_qos())
        self._info = self.advertise(String, graph.POLICY_INFO, graph.state_qos())
        self.serve(Trigger, '~/reset', self._on_reset)
        self._begin()

    def start(self) -> None:
        """Listen."""
        self._info.publish(String(data=self._info_json()))
        sensor = graph.sensor_qos(self.settings.sensor_reliability)
        self.listen(Header, graph.EPISODE, self._on_episode, graph.state_qos(), awaited=False)
        self.listen(Header, graph.MOTION_STATE, self._on_motion_state, graph.state_qos(),
                    fresh_s=MOTION_TIMEOUT_S)
        self.listen(CameraInfo, graph.CAMERA_INFO, self._on_camera_info, sensor)
        fresh_s = self.settings.input_timeout_s
        self.listen(Image, graph.COLOR, self._on_color, sensor, stamped=True, fresh_s=fresh_s)
        self.listen(Image, graph.DEPTH, self._on_depth, sensor, stamped=True, fresh_s=fresh_s)
        self.listen(Image, graph.SPECTROGRAM, self._on_spectrogram,
                    graph.sensor_qos(self.settings.sensor_reliability), stamped=True)
        wanted = self._policy.contract.odometry  # else to tell a frozen camera by, if it is there
        self.listen(Odometry, graph.ODOMETRY, self._on_odometry, sensor, stamped=True,
                    awaited=wanted, fresh_s=fresh_s if wanted else None)
        self.every(WATCH_PERIOD_S, self._watch)

    def rewind(self) -> None:
        """Forget what was heard and seen at times that are yet to come."""
        self._frozen_color, self._frozen_depth = FrozenImage(), FrozenImage()
        self._turn.forget()
        self._own_motion.clear()
        self._begin()

    def _begin(self) -> None:
        """Forget the episode."""
        self._gatherer.clear()
        self._own_motion.begin()
        self._policy.reset()
        self._rng = np.random.default_rng(self.settings.seed)
        self._step = 0
        self._listened_s: tuple[float, float] | None = None

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._turn.reset(self.now_s)
        self._begin()
        response.success, response.message = True, 'memory is empty, listening'
        return response

    def _on_episode(self, message: Header) -> None:
        if len(message.frame_id) > LONGEST_NAME:
            raise ValueError(f'the name of an episode must have at most {LONGEST_NAME} '
                             f'characters, got {len(message.frame_id)}')
        if self._turn.see_episode(message.frame_id, messages.seconds(message.stamp)):
            self._begin()

    def _on_motion_state(self, message: Header) -> None:
        self._turn.see_motion(message.frame_id, messages.seconds(message.stamp))
        self._decide_when_ready()

    def _on_odometry(self, message: Odometry) -> None:
        pose, _ = messages.motion_of(message)
        self._frozen_color.move(pose)
        self._frozen_depth.move(pose)
        self._own_motion.see(pose, messages.seconds(message.header.stamp))
        self._decide_when_ready()

    def _on_camera_info(self, message: CameraInfo) -> None:
        camera = messages.camera_of(message)
        if camera != self._camera:
            self._view = View(camera, self._policy.contract,
                              tolerance_rad=self.settings.hfov_tolerance_rad,
                              least_share=self.settings.least_view_share)
            self._camera = camera
            if self._view.shortfall:
                self.diagnostics.complain(
                    graph.CAMERA_INFO, f'{self._view.shortfall}: the rest is black, without depth')

    def _on_color(self, message: Image) -> None:
        rgb = messages.color_of(message)
        _require_change(self._frozen_color, rgb)
        if self._view is not None:
            self._gatherer.see_color(
                self._view.color(rgb), messages.seconds(message.header.stamp))
            self._decide_when_ready()

    def _on_depth(self, message: Image) -> None:
        depth = messages.depth_of(message)
        _require_change(self._frozen_depth, depth)
        if self._view is not None:
            self._gatherer.see_depth(
                self._view.depth(depth), messages.seconds(message.header.stamp))
            self._decide_when_ready()

    def _on_spectrogram(self, message: Image) -> None:
        spectrogram = messages.spectrogram_of(message)
        self._require_spectrogram(spectrogram)
        self._gatherer.hear(spectrogram, messages.seconds(message.header.stamp))
        self._decide_when_ready()

    def _require_spectrogram(self, spectrogram: np.ndarray) -> None:
        wanted = self._policy.contract.spectrogram_shape
        if spectrogram.shape != wanted:
            raise ValueError(f'spectrogram must be {wanted}, got {spectrogram.shape}')
        if not np.isfinite(spectrogram).all():
            raise ValueError('spectrogram must be finite, got NaN or infinity')

    def _decide_when_ready(self) -> None:
        since_s = self._turn.listens_since_s
        observation = None if since_s is None else self._gatherer.gather(
            since_s, heard_since_s=self._turn.hears_since_s)
        if observation is not None and self._policy.contract.odometry:
            observation = self._with_motion(observation)
        if observation is None:
            return
        try:
            decision = self._policy.decide(
                observation, temperature=self.settings.temperature, rng=self._rng)
        except PolicyOutputError as error:
            self._gatherer.clear()
            self.diagnostics.complain('model', f'no action: {error}', level=ERROR)
            return
        except ValueError:  # refused by the guard of the callback, never to be asked again
            self._gatherer.clear()
            raise
        self._publish(decision, observation)

    def _with_motion(self, observation: Observation) -> Observation | None:
        motion = self._own_motion.features(observation.stamp_s)
        return None if motion is None else dataclasses.replace(observation, motion=motion)

    def _publish(self, decision: Decision, observation: Observation) -> None:
        stamp_s = observation.stamp_s
        self._turn.decide(decision.action, stamp_s, self.now_s)
        self._own_motion.decided(decision.action, stamp_s)
        self._action.publish(messages.header(decision.action.name, stamp_s))
        latency_ms = 1e3 * (time.perf_counter() - self.received_s)
        self._decision.publish(String(data=self._to_json(decision, observation, latency_ms)))
        self._step += 1
        self._decided += 1
        self.diagnostics.settle('observation')
        self.diagnostics.tell(action=decision.action.name, actions_sent=self._decided,
                              actions_sent_again=self._sent_again, latency_ms=latency_ms,
                              exploring=decision.exploring, provider=self._policy.provider,
                              waits_for=self._turn.waits_for)

    def _info_json(self) -> str:
        """What a replay must know to decide and draw as this node does."""
        settings, policy = self.settings, self._policy
        return json.dumps({
            'model': Path(settings.model_path).name, 'model_sha256': policy.sha256,
            'provider': policy.provider, 'temperature': settings.temperature,
            'seed': settings.seed, 'contract': dataclasses.asdict(policy.contract),
            'view': {'tolerance_rad': settings.hfov_tolerance_rad,
                     'least_share': settings.least_view_share}})

    def _to_json(self, decision: Decision, seen: Observation, latency_ms: float) -> str:
        """What was decided and why; with ``step`` the decisions since the memory was empty."""
        return json.dumps({
            'episode': self._turn.episode, 'step': self._step, 'stamp_s': seen.stamp_s,
            'color_stamp_s': seen.color_stamp_s, 'depth_stamp_s': seen.depth_stamp_s,
            'motion': None if seen.motion is None else seen.motion.tolist(),
            'action': decision.action.name, 'exploring': decision.exploring,
            'probabilities': dict(zip(self._policy.contract.actions,
                                      decision.probabilities.tolist())),
            'value': decision.value, 'gate': decision.gate,
            'attention': decision.attention.tolist(),
            'frame_weights': decision.frame_weights.tolist(),
            'sound_azimuth_rad': decision.sound_azimuth_rad,
            'sound_distance_m': decision.sound_distance_m,
            'inference_ms': decision.inference_ms, 'latency_ms': latency_ms})

    def _watch(self) -> None:
        """Send a lost action again, and say what is missing."""
        again = self._turn.send_again(self.now_s)
        if again is not None:
            self._action.publish(messages.header(again.action.name, again.stamp_s))
            self._sent_again += 1
            self.diagnostics.tell(actions_sent_again=self._sent_again)
            self.diagnostics.complain(
                graph.ACTION, f'motion has not taken {again.action.name}, sent it again')
        self._name_missing()

    def _name_missing(self) -> None:
        since_s, now_s = self._turn.listens_since_s, self.now_s
        if since_s is None:
            self._listened_s = None
        elif self._listened_s is None or self._listened_s[0] != since_s:
            self._listened_s = (since_s, now_s)
        elif now_s - self._listened_s[1] > self.settings.observation_timeout_s:
            what = ['camera_info'] if self._view is None else self._gatherer.missing(
                since_s, heard_since_s=self._turn.hears_since_s)
            if self._policy.contract.odometry and self._own_motion.pose_at(now_s) is None:
                what.append('odom, which the model wants')
            self.diagnostics.complain('observation', 'waits for ' + ', '.join(what), fades=False)


def _require_change(camera: FrozenImage, image: np.ndarray) -> None:
    camera.see(image)
    if camera.frozen:
        raise ValueError('the image did not change while the robot moved: the camera is frozen')


def main() -> None:
    """Run the node."""
    sys.exit(run(PolicyNode))


if __name__ == '__main__':
    main()
