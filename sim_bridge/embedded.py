# SPDX-License-Identifier: Apache-2.0
"""The embedded world: a differential-drive robot that sees and hears in a simulated house."""

from __future__ import annotations

import functools

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from sim_bridge.acoustics.hrtf import Hrtf
from sim_bridge.acoustics.listener import ContinuousListener
from sim_bridge.acoustics.scene import AcousticScene
from sim_bridge.diff_drive import drive
from sim_bridge.diff_drive import measure
from sim_bridge.diff_drive import OdometryNoise
from sim_bridge.diff_drive import ROBOT_RADIUS_M
from sim_bridge.episodes import Episode
from sim_bridge.episodes import load_house
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.navigation import NavigationGraph
from sim_bridge.house.obstacles import ObstacleMap
from sim_bridge.house.plan import House
from sim_bridge.rendering import Renderer
from sim_bridge.simulator import Pose2D
from sim_bridge.sounds import Catalogue
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound
from sim_bridge.streaming_audio import StreamingConvolver
from sim_bridge.way_to_goal import WayToGoal

CROSSFADE_S = 0.05  # as SoundSpaces 2.0 between impulse responses
GEODESIC_TOLERANCE_M = 0.01


class EmbeddedWorld:
    """A continuous ``Simulator``: moves along arcs, collides, and hears while it moves.

    The world goes on only by ``advance``, ``act`` and ``observe``. A caller that streams sound
    asks for ``listen(round(dt_s * rate))`` after each ``advance(..., dt_s)``. The same seed and
    the same calls give the same images and samples, bit for bit.
    """

    def __init__(self, contract: PolicyContract, *, seed: int = 0,
                 odometry_noise: OdometryNoise | None = None,
                 catalogue: Catalogue | None = None, hrtf: Hrtf | None = None,
                 rays: int = 20000) -> None:
        """Describe the robot.

        Args:
            contract: sample rate, camera, step and turn.
            seed: joins each episode's own seed.
            odometry_noise: of ``odometry``; perfect by default.
            catalogue: where episodes find their sounds; the built-in one by default.
            hrtf: the ears; KEMAR by default.
            rays: traced per episode for the late field.
        """
        self.contract = contract
        self._seed = seed
        self._noise = odometry_noise or OdometryNoise()
        self._catalogue = catalogue or load_catalogue()
        self._hrtf = hrtf or _kemar(contract.sample_rate_hz)
        self._rays = rays
        self._house_name: str | None = None
        self._renderer: Renderer | None = None

    def __enter__(self) -> EmbeddedWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the renderer; the world cannot be looked at any more."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
            self._house_name = None

    def reset(self, episode: Episode, *, graph: NavigationGraph | None = None) -> None:
        """Start ``episode``.

        Args:
            graph: the one that the episode was drawn on, when it is not that of
                ``build_navigation_graph(house, step_m=contract.forward_step_m)``.

        Raises:
            ValueError: the episode was drawn on another graph, or its house or sound is unknown.
        """
        self.enter(load_house(episode.house), graph=graph, name=episode.house)
        self._check_graph(episode)
        start = self.graph.nodes[episode.start_node]
        sound = self._catalogue.find(episode.sound)
        self.begin(
            start=Pose2D(*start, self.graph.yaw_rad(episode.start_heading)),
            source_xyz=(*self.graph.nodes[episode.goal_node], self.contract.camera_height_m),
            dry=load_sound(sound, self.contract.sample_rate_hz), seed=episode.seed)

    def enter(self, house: House, *, graph: NavigationGraph | None = None,
              name: str | None = None) -> None:
        """Build graph, obstacles, renderer and acoustics of a house; kept while it stays."""
        if name is None or name != self._house_name:
            self.close()
            self.house = house
            self.obstacles = ObstacleMap(house, ROBOT_RADIUS_M)
            self._renderer = Renderer(house, self.contract)
            self._scene = AcousticScene(house)
            self._house_name = name
        self.graph = graph or build_navigation_graph(
            house, step_m=self.contract.forward_step_m, radius_m=ROBOT_RADIUS_M)

    def begin(self, *, start: Pose2D, source_xyz: tuple[float, float, float],
              dry: np.ndarray, seed: int = 0) -> None:
        """Place robot and source in the house that was entered.

        Args:
            start: pose of the robot.
            source_xyz: (3,) metres, place of the source.
            dry: (n,) float32, one turn of the looped sound.
            seed: decides late reverberation, phase of the loop and odometry noise.

        Raises:
            ValueError: the robot does not fit at ``start``, or the source is outside.
        """
        self.source_xyz = np.asarray(source_xyz, np.float64)
        if not self.obstacles.free(start.xy[None])[0]:
            raise ValueError(f'start must be free for a robot of {ROBOT_RADIUS_M} m, got {start}')
        if self.house.room_at(self.source_xyz[:2]) < 0:
            raise ValueError(f'source must be inside the house, got {tuple(self.source_xyz)}')
        reverberation, phase, self._odometry_rng = np.random.default_rng(
            [self._seed, seed]).spawn(3)
        self._listener = ContinuousListener(
            self._scene, self.source_xyz, self.graph.nodes,
            height_m=self.contract.camera_height_m, hrtf=self._hrtf, rays=self._rays,
            sample_rate_hz=self.contract.sample_rate_hz, rng=reverberation)
        self._convolver = StreamingConvolver(
            dry, crossfade_samples=round(CROSSFADE_S * self.contract.sample_rate_hz),
            phase=int(phase.integers(len(dry))))
        self._way = WayToGoal(self.graph, self.obstacles, self.source_xyz[:2])
        self.pose = start
        self.odometry = Pose2D(0.0, 0.0, 0.0)
        self.time_s = 0.0
        self.travelled_m = 0.0
        self._heard_at: Pose2D | None = None

    def advance(self, linear_mps: float, angular_radps: float, dt_s: float) -> bool:
        """Drive at constant speed for ``dt_s``; tell whether the robot touched something.

        Raises:
            ValueError: a speed or the time is not finite, or the time is negative.
        """
        if not np.isfinite([linear_mps, angular_radps, dt_s]).all() or dt_s < 0:
            raise ValueError('speeds must be finite and dt_s at least 0, got '
                             f'{linear_mps}, {angular_radps}, {dt_s}')
        reached, collided = drive(self.pose, linear_mps * dt_s, angular_radps * dt_s,
                                  obstacles=self.obstacles)
        self._move_to(reached)
        self.time_s += dt_s
        return collided

    def act(self, action: Action) -> bool:
        """Carry out a primitive action ideally within one crossfade; a blocked step stays.

        Returns:
            whether a step forward was blocked.
        """
        turns = {Action.TURN_LEFT: self.contract.turn_rad,
                 Action.TURN_RIGHT: -self.contract.turn_rad}
        step_m = self.contract.forward_step_m if action == Action.MOVE_FORWARD else 0.0
        reached, blocked = drive(self.pose, step_m, turns.get(action, 0.0),
                                 obstacles=self.obstacles)
        if not blocked:
            self._move_to(reached)
        self.listen(round(CROSSFADE_S * self.contract.sample_rate_hz))
        self.time_s += CROSSFADE_S
        return blocked

    def listen(self, count: int) -> np.ndarray:
        """The next ``count`` samples at both ears, the last of them heard now: (2, n) float32."""
        return self._convolver.render(count, self.response())

    def response(self) -> np.ndarray:
        """Impulse response from the source to both ears here, (2, n); the same until it moves."""
        if self.pose != self._heard_at:
            self._response = self._listener.response(self.pose.xy, self.pose.yaw_rad)
            self._heard_at = self.pose
        return self._response

    def view(self) -> tuple[np.ndarray, np.ndarray]:
        """What the camera sees now: rgb (H, W, 3) uint8, depth (H, W) float32 metres."""
        return self._renderer.render(self.pose.xy, self.pose.yaw_rad)

    def observe(self) -> Observation:
        """Stand still for one listening window, then look."""
        audio = self.listen(self.contract.window_samples)
        self.time_s += self.contract.window_s
        rgb, depth = self.view()
        return Observation(rgb=rgb, depth=depth, stamp_s=self.time_s,
                           spectrogram=log_magnitude_spectrogram(audio, self.contract))

    def geodesic_m(self) -> float:
        """Length of the shortest way to the source; see ``WayToGoal.geodesic_m``."""
        return self._way.geodesic_m(self.pose.xy)

    def oracle_action(self) -> Action:
        """First action of a shortest way to the source; STOP at the node nearest to it."""
        return self._way.oracle_action(self.pose, self.contract.turn_rad)

    def _move_to(self, reached: Pose2D) -> None:
        self.travelled_m += float(np.hypot(*(reached.xy - self.pose.xy)))
        self.odometry = measure(self.odometry, reached.relative_to(self.pose), self._noise,
                                self._odometry_rng)
        self.pose = reached

    def _check_graph(self, episode: Episode) -> None:
        nodes = len(self.graph)
        fits = max(episode.start_node, episode.goal_node) < nodes
        if not fits or abs(self.graph.distances_m()[episode.start_node, episode.goal_node]
                           - episode.geodesic_m) > GEODESIC_TOLERANCE_M:
            raise ValueError(f'episode {episode.episode_id!r} was drawn on another graph than '
                             f'this one of {nodes} nodes')


@functools.lru_cache(maxsize=2)
def _kemar(sample_rate_hz: int) -> Hrtf:
    """The default ears; reading them takes longer than an episode's other preparations."""
    return Hrtf.load(sample_rate_hz=sample_rate_hz)
