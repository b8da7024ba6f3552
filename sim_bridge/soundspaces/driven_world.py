# SPDX-License-Identifier: Apache-2.0
"""A robot that drives through scenes of SoundSpaces, from node to node along their edges."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import Observation
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.sound.spectrogram import log_magnitude_spectrogram
from sim_bridge.diff_drive import measure
from sim_bridge.diff_drive import OdometryNoise
from sim_bridge.episodes import Episode
from sim_bridge.house.navigation import HEADINGS
from sim_bridge.simulator import Pose2D
from sim_bridge.simulator import wrap_rad
from sim_bridge.soundspaces.episode_files import draw_episodes
from sim_bridge.soundspaces.episode_files import EVERLASTING
from sim_bridge.soundspaces.episode_files import StoredEpisode
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout
from sim_bridge.soundspaces.moved_view import moved_view
from sim_bridge.soundspaces.rails import Rails
from sim_bridge.soundspaces.recordings import read_recording
from sim_bridge.soundspaces.scene import open_graph
from sim_bridge.soundspaces.scene import place_episode
from sim_bridge.soundspaces.scene import Scene
from sim_bridge.soundspaces.scene_graph import SceneGraph
from sim_bridge.streaming_audio import StreamingConvolver

CROSSFADE_S = 0.05


@dataclasses.dataclass(frozen=True)
class _Search:
    """An episode with what only its file says; ``distractor_node`` is an index."""

    episode: Episode
    stored: StoredEpisode
    distractor_node: int | None


class DrivenWorld:
    """A continuous ``Simulator`` on the files of one split.

    Nothing is known between nodes. So the robot drives along edges, with some play, and collides
    where none leads; it hears what is heard at the nearest node in the nearest of four headings,
    and sees the view from there, moved by as much as it stands beside it. At rest on a node both
    are those of the files.

    Sound streams: the whole seconds of a recording play over and over, whatever the robot does.
    The ``duration`` of semantic episodes is taken in seconds, which are steps in SoundSpaces.

    episodes : those of the split that ``asgf-nav evaluate`` runs with the same count and seed.
    pose, odometry : of the robot on the plan, and the same seen from its start.
    source_xyz : (3,) metres. time_s, travelled_m : since the start of the episode.
    """

    def __init__(self, contract: PolicyContract, layout: Layout, split: str, *, count: int,
                 seed: int = 1, odometry_noise: OdometryNoise | None = None) -> None:
        """Draw the episodes.

        Args:
            contract: rate, step and images must be the dataset's.
            layout: of the dataset.
            split: name of the split.
            count: the most episodes.
            seed: draws them, and the noise.
            odometry_noise: perfect odometry by default.

        Raises:
            DatasetError: a file of the split or a graph is missing or wrong.
        """
        if abs(HEADINGS * contract.turn_rad - 2 * np.pi) > 1e-6:
            raise DatasetError(f'SoundSpaces 1.0 turns by pi/2, got turn_rad={contract.turn_rad}')
        self.contract = contract
        # SoundSpaces counts what ends below this distance, not at it.
        self.success_radius_m = float(np.nextafter(contract.success_radius_m, 0.0))
        self._layout, self._seed = layout, seed
        self._noise = odometry_noise or OdometryNoise()
        stored = draw_episodes(layout, split, count=count, rng=np.random.default_rng([seed, 0]))
        self._searches = self._placed(stored)
        self.episodes = [each.episode for each in self._searches.values()]
        self._scene: Scene | None = None

    def close(self) -> None:
        """Let the files of the scene go."""
        self._scene = None

    def reset(self, episode: Episode) -> None:
        """Start one of ``episodes``.

        Raises:
            ValueError: it is none of them.
            DatasetError: a file of its scene is missing or wrong, or does not fit the contract.
        """
        search = self._searches.get(episode.episode_id)
        if search is None or search.episode != episode:
            raise ValueError(f'episode {episode.episode_id!r} is none of the '
                             f'{len(self.episodes)} that were drawn from the dataset')
        self._enter(episode.house)
        graph = self._scene.graph
        self._rails = Rails(graph, episode.start_node)
        self.pose = self._at(episode.start_node, episode.start_heading)
        self.odometry = Pose2D(0.0, 0.0, 0.0)
        self._odometry_rng = np.random.default_rng([self._seed, episode.seed])
        self.goal_node = episode.goal_node
        self.source_xyz = np.append(graph.nodes[episode.goal_node], self.contract.camera_height_m)
        self._optimal = graph.optimal_actions(episode.goal_node)
        self._lasts_s = np.inf if search.stored.duration == EVERLASTING else search.stored.duration
        self._voices = [self._voice(search.stored.sound, episode.goal_node)]
        if search.distractor_node is not None:
            self._voices.append(self._voice(search.stored.distractor, search.distractor_node))
        self._heard_samples = 0
        self.time_s = self.travelled_m = 0.0

    def advance(self, linear_mps: float, angular_radps: float, dt_s: float) -> bool:
        """Drive at constant speed for ``dt_s``; tell whether no edge led on.

        Raises:
            ValueError: a speed or the time is not finite, or the time is negative.
        """
        if not np.isfinite([linear_mps, angular_radps, dt_s]).all() or dt_s < 0:
            raise ValueError('speeds must be finite and dt_s at least 0, got '
                             f'{linear_mps}, {angular_radps}, {dt_s}')
        reached, blocked = self._rails.drive(self.pose, linear_mps * dt_s, angular_radps * dt_s)
        self._move_to(reached)
        self.time_s += dt_s
        return blocked

    def act(self, action: Action) -> bool:
        """Carry out a primitive action ideally, from node to node, within one crossfade.

        Returns:
            whether no edge led forward.
        """
        node, heading = self.node, self.heading
        ahead = int(self._scene.neighbors[node, heading])
        blocked = action == Action.MOVE_FORWARD and ahead < 0
        if action == Action.MOVE_FORWARD and not blocked:
            self._rails.node = node = ahead
        turns = {Action.TURN_LEFT: 1, Action.TURN_RIGHT: -1}
        self._move_to(self._at(node, heading + turns.get(action, 0)))
        self.listen(round(CROSSFADE_S * self.contract.sample_rate_hz))
        self.time_s += CROSSFADE_S
        return blocked

    def listen(self, count: int) -> np.ndarray:
        """The next ``count`` samples at both ears, the last of them heard now: (2, n) float32."""
        heard = sum(convolver.render(count, self._response(source))
                    for convolver, source in self._voices)
        left = round(min(self._lasts_s * self.contract.sample_rate_hz - self._heard_samples,
                         count))
        self._heard_samples += count
        heard[:, max(left, 0):] = 0.0
        return heard

    def view(self) -> tuple[np.ndarray, np.ndarray]:
        """What the camera sees now: rgb (H, W, 3) uint8, depth (H, W) float32 metres."""
        moved = self.pose.relative_to(self._at(self.node, self.heading))
        return moved_view(*self._scene.view(self.node, self.heading), moved,
                          hfov_rad=self.contract.hfov_rad, depth_max_m=self.contract.depth_max_m)

    def observe(self) -> Observation:
        """Stand still for one listening window, then look."""
        audio = self.listen(self.contract.window_samples)
        self.time_s += self.contract.window_s
        rgb, depth = self.view()
        return Observation(rgb=rgb, depth=depth, stamp_s=self.time_s,
                           spectrogram=log_magnitude_spectrogram(audio, self.contract))

    def geodesic_m(self) -> float:
        """Way along the graph from the nearest node to the goal's, as SoundSpaces counts it."""
        return float(self._scene.distances_m[self.node, self.goal_node])

    def oracle_action(self) -> Action:
        """First action of a shortest way to the source; STOP at its node."""
        return Action(int(self._optimal[self.node, self.heading].argmax()))

    @property
    def node(self) -> int:
        """Index of the nearest node."""
        return self._rails.node

    @property
    def heading(self) -> int:
        """The nearest of the four headings."""
        turned_rad = self.pose.yaw_rad - self._scene.rotation_rad
        return round(turned_rad / self.contract.turn_rad) % HEADINGS

    def _placed(self, stored: Sequence[StoredEpisode]) -> dict[str, _Search]:
        # The seeds are those of an evaluation of these episodes.
        seeds = np.random.default_rng(self._seed).integers(2**31, size=len(stored)).tolist()
        graphs: dict[str, SceneGraph] = {}
        searches = {}
        for each, seed in zip(stored, seeds):
            if each.scene not in graphs:
                graphs = {each.scene: open_graph(self._layout, each.scene)}
            graph = graphs[each.scene]
            episode = place_episode(each, graph, seed=seed, folder=self._layout.graph(each.scene))
            distractor = graph.node_called(each.distractor_node) if each.distractor else None
            searches[episode.episode_id] = _Search(episode, each, distractor)
        return searches

    def _enter(self, name: str) -> None:
        """Open a scene with everything that sounds in its episodes; kept while it stays."""
        if self._scene is not None and self._scene.name == name:
            return
        found = [each for each in self._searches.values() if each.episode.house == name]
        sources = {each.episode.goal_node for each in found} | {
            each.distractor_node for each in found if each.distractor_node is not None}
        self._scene = Scene(self._layout, name, self.contract, sorted(sources))
        self._scene.view(0, 0)  # images of another size are refused now

    def _at(self, node: int, heading: int) -> Pose2D:
        """The pose on a node."""
        yaw_rad = self._scene.graph.yaw_rad(heading % HEADINGS)
        return Pose2D(*self._scene.nodes[node].tolist(), wrap_rad(yaw_rad))

    def _voice(self, sound: tuple[str, str], node: int) -> tuple[StreamingConvolver, int]:
        """A convolver of the whole seconds of a sound, and the index of its source."""
        rate_hz, window = self.contract.sample_rate_hz, self.contract.window_samples
        dry = read_recording(self._layout.sound(*sound), sample_rate_hz=rate_hz)
        source = int(np.flatnonzero(self._scene.source_nodes == node)[0])
        return StreamingConvolver(dry[:len(dry) // window * window],
                                  crossfade_samples=round(CROSSFADE_S * rate_hz)), source

    def _response(self, source: int) -> np.ndarray:
        """Impulse response (2, L); the same array until node or heading change."""
        return self._scene.response(source, self.node, self.heading)

    def _move_to(self, reached: Pose2D) -> None:
        self.travelled_m += float(np.hypot(*(reached.xy - self.pose.xy)))
        self.odometry = measure(self.odometry, reached.relative_to(self.pose), self._noise,
                                self._odometry_rng)
        self.pose = reached
