# SPDX-License-Identifier: Apache-2.0
"""SoundSpaces 2.0 as a ``Simulator``: habitat sees and traces in its process, this one listens."""

from __future__ import annotations

import dataclasses
import math
from typing import Any
from typing import Callable

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from sim_bridge.habitat.backend import Robot
from sim_bridge.habitat.connection import Connection
from sim_bridge.habitat.coordinates import pose_of
from sim_bridge.habitat.episode import HabitatEpisode
from sim_bridge.habitat.server_process import Server
from sim_bridge.habitat.step_sound import StepSound
from sim_bridge.simulator import Pose2D
from sim_bridge.streaming_audio import StreamingConvolver

STEP_TIME_S = 0.25  # of SoundSpaces 2.0
CROSSFADE_S = 0.05
MOST_DEATHS = 3  # in a row, before the server is given up
LONGEST_RESPONSE_S = 20.0
_STILL = 1e-6  # metres and radians: rounding in a world is no motion
_TIMEOUTS_S = {'open': 600.0, 'begin': 180.0}  # scenes load, navigation meshes are computed
_TIMEOUT_S = 60.0
_OF_THE_CONTRACT = ('sample_rate_hz', 'image_height', 'image_width', 'hfov_rad', 'depth_max_m',
                    'camera_height_m', 'forward_step_m', 'turn_rad')


class HabitatDied(RuntimeError):
    """The server ended or fell silent; the episode is lost, the next ``reset`` starts anew."""


class HabitatGivenUp(HabitatDied):
    """The server died ``MOST_DEATHS`` times in a row; it is not started again."""


class HabitatWorld:
    """A ``Simulator`` whose robot lives in the process of a habitat server.

    Each action and what is heard after it take ``step_time_s``. As in SoundSpaces 2.0, an
    observation is that much sound followed by silence up to the contract's window; see
    ``StepSound``. ``listen`` streams the same sound for a robot that drives, without steps.

    pose, odometry : of the robot, and the same seen from its start; x and y as in REP-103.
    source_xyz : (3,) metres, in the coordinates of ``pose``.
    time_s, travelled_m : since the start of the episode.
    """

    def __init__(self, contract: PolicyContract, server: Server, *,
                 sounds: Callable[[str], np.ndarray], step_time_s: float = STEP_TIME_S,
                 seed: int = 0) -> None:
        """Describe the robot; the server is started by the first ``reset``.

        Args:
            contract: sample rate, camera, step and turn.
            server: where habitat runs.
            sounds: the recording of a name, (n,) float at the contract's rate.
            step_time_s: sound heard per action; ``contract.window_s`` fills the window.
            seed: joins each episode's own seed.

        Raises:
            ValueError: ``step_time_s`` is not in (0, contract.window_s].
        """
        if not 0 < step_time_s <= contract.window_s:
            raise ValueError(f'step_time_s must be in (0, {contract.window_s}], '
                             f'got {step_time_s}')
        self.contract = contract
        self._robot = Robot(**{name: getattr(contract, name) for name in _OF_THE_CONTRACT})
        self._server = server
        self._sounds = sounds
        self._step_samples = round(step_time_s * contract.sample_rate_hz)
        self._step_time_s = step_time_s
        self._seed = seed
        self._connection: Connection | None = None
        self._deaths = 0
        self._last_obituary = ''

    def __enter__(self) -> HabitatWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the server, and end it where this world started it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._server.stop()

    def reset(self, episode: HabitatEpisode) -> None:
        """Start ``episode``, and first the server where it does not run.

        Raises:
            HabitatDied: the server died over this scene; HabitatGivenUp: again and again.
            Refused: the server cannot place the episode, and says why.
        """
        dry = self._sounds(episode.sound)
        self._call('open', scene=episode.scene, robot=dataclasses.asdict(self._robot))
        situation = self._call('begin', position=list(episode.position), goal=list(episode.goal),
                               yaw_rad=float(episode.yaw_rad), seed=episode.seed)
        rng = np.random.default_rng([self._seed, episode.seed])
        start = int(rng.integers(self._step_samples))
        fade = int(CROSSFADE_S * self.contract.sample_rate_hz)
        self._steps = StepSound(dry, sample_rate_hz=self.contract.sample_rate_hz, start=start,
                                step_samples=self._step_samples, crossfade_samples=fade)
        self._convolver = StreamingConvolver(dry, crossfade_samples=fade, phase=start)
        source = pose_of(episode.goal, 0.0)
        self.source_xyz = np.array(
            [source.x_m, source.y_m, episode.goal[1] + self._robot.ear_height_m])
        self.time_s = self.travelled_m = 0.0
        self.pose = self._start = self._pose(situation)
        self._response: np.ndarray | None = None
        self._settle(situation)
        self._deaths = 0

    def act(self, action: Action) -> bool:
        """Carry out one primitive action; tell whether something was in the way."""
        return self._settle(self._call('act', action=Action(action).name))

    def advance(self, linear_mps: float, angular_radps: float, dt_s: float) -> bool:
        """Drive for ``dt_s``; tell whether something was in the way.

        Raises:
            ValueError: a speed or the time is not finite, or the time is negative.
        """
        if not np.isfinite([linear_mps, angular_radps, dt_s]).all() or dt_s < 0:
            raise ValueError('speeds must be finite and dt_s at least 0, got '
                             f'{linear_mps}, {angular_radps}, {dt_s}')
        collided = self._settle(self._call('drive', forward_m=float(linear_mps * dt_s),
                                           turn_rad=float(angular_radps * dt_s)))
        self.time_s += dt_s
        return collided

    def observe(self) -> Observation:
        """Listen for ``step_time_s``, then look."""
        audio = np.zeros((2, self.contract.window_samples), np.float32)
        audio[:, :self._step_samples] = self._steps.hear(self.response())
        self.time_s += self._step_time_s
        rgb, depth = self.view()
        return Observation(rgb=rgb, depth=depth, stamp_s=self.time_s,
                           spectrogram=log_magnitude_spectrogram(audio, self.contract))

    def listen(self, count: int) -> np.ndarray:
        """The next ``count`` samples at both ears: (2, count) float32."""
        return self._convolver.render(count, self.response())

    def response(self) -> np.ndarray:
        """Impulse response from the source to both ears here, (2, n) float32."""
        if self._response is None:
            response = self._call('response').get('response')
            longest = round(LONGEST_RESPONSE_S * self.contract.sample_rate_hz)
            shape = response.shape if isinstance(response, np.ndarray) else ()
            if len(shape) != 2 or shape[0] != 2 or not 0 < shape[1] <= longest:
                raise self._nonsense(f'a response of shape {shape}')
            if response.dtype != np.float32 or not np.isfinite(response).all():
                raise self._nonsense('a response that is not finite float32')
            self._response = response
        return self._response

    def view(self) -> tuple[np.ndarray, np.ndarray]:
        """What the camera sees now: rgb (H, W, 3) uint8, depth (H, W) float32 metres."""
        seen = self._call('look')
        size = (self.contract.image_height, self.contract.image_width)
        for name, shape, dtype in (('rgb', (*size, 3), np.uint8), ('depth', size, np.float32)):
            image = seen.get(name)
            if not isinstance(image, np.ndarray) or (image.shape, image.dtype) != (shape, dtype):
                raise self._nonsense(f'{name} that is not {shape} {np.dtype(dtype).name}')
        return seen['rgb'], seen['depth']

    def geodesic_m(self) -> float:
        """Length of the shortest way on the navigation mesh."""
        return self._geodesic_m

    def oracle_action(self) -> Action:
        """First action of a shortest way to the source; STOP at it."""
        name = self._call('oracle_action').get('action')
        if name not in Action.__members__:
            raise self._nonsense(f'the action {name!r:.40}')
        return Action[name]

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        try:
            if self._connection is None:
                if name != 'open':
                    raise HabitatDied('no server runs: call reset first')
                self._start_server()
            return self._connection.call(name, timeout_s=_TIMEOUTS_S.get(name, _TIMEOUT_S),
                                         **arguments)
        except ConnectionError as error:
            raise self._bury(f'{name}: {error}') from error

    def _start_server(self) -> None:
        if self._deaths >= MOST_DEATHS:
            raise HabitatGivenUp(f'the habitat server died {self._deaths} times in a row, it is '
                                 f'not started again; the last time, it {self._last_obituary}')
        self._connection = self._server.connect()

    def _bury(self, during: str) -> HabitatDied:
        """Give up the connection, and return the error that says why."""
        self._last_obituary = f'{self._server.obituary()} (during {during})'
        self.close()
        self._deaths += 1
        return HabitatDied(f'the habitat server {self._last_obituary}; the next reset starts it '
                           'again')

    def _nonsense(self, what: str) -> HabitatDied:
        return self._bury(f'an answer with {what}')

    def _settle(self, situation: dict[str, Any]) -> bool:
        """Take over where the robot is now; tell whether it touched something."""
        reached = self._pose(situation)
        moved = reached.relative_to(self.pose)
        if max(map(abs, (moved.x_m, moved.y_m, moved.yaw_rad))) > _STILL:
            self._response = None
        self.travelled_m += math.hypot(*(reached.xy - self.pose.xy))
        self.pose = reached
        self.odometry = reached.relative_to(self._start)
        geodesic_m = situation.get('geodesic_m')
        if not isinstance(geodesic_m, float) or math.isnan(geodesic_m):
            raise self._nonsense(f'the distance {geodesic_m!r:.40}')
        self._geodesic_m = geodesic_m
        return situation.get('collided') is True

    def _pose(self, situation: dict[str, Any]) -> Pose2D:
        numbers = [*situation.get('position', ()), situation.get('yaw_rad')]
        if len(numbers) != 4 or not all(
                isinstance(each, float) and math.isfinite(each) for each in numbers):
            raise self._nonsense(f'the pose {numbers!r:.80}')
        return pose_of(numbers[:3], numbers[3])
