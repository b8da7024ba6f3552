# SPDX-License-Identifier: Apache-2.0
"""habitat-sim behind the server, configured as SoundSpaces 2.0 does."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from sim_bridge.habitat import guards
from sim_bridge.habitat.backend import MOVE_FORWARD
from sim_bridge.habitat.backend import Robot
from sim_bridge.habitat.backend import State
from sim_bridge.habitat.backend import STOP
from sim_bridge.habitat.backend import TURN_LEFT
from sim_bridge.habitat.backend import TURN_RIGHT
from sim_bridge.habitat.backend import WorldError
from sim_bridge.habitat.habitat_configuration import AUDIO
from sim_bridge.habitat.habitat_configuration import audio_sensor
from sim_bridge.habitat.habitat_configuration import COLOR
from sim_bridge.habitat.habitat_configuration import configuration
from sim_bridge.habitat.habitat_configuration import DEPTH

_KEYS = {MOVE_FORWARD: 'move_forward', TURN_LEFT: 'turn_left', TURN_RIGHT: 'turn_right'}
_TOUCH_M = 1e-3
_LONGEST_PIECE_M = 0.05


class HabitatBackend:
    """A ``Backend`` with one agent, a color and a depth camera and two ears.

    Differences from ``ContinuousSoundSpacesSim``: episodes begin with a fresh acoustic context,
    so that the response of the last one does not linger; with materials, which a fresh context
    would lose, responses are traced anew at every pose instead.
    """

    def __init__(self, *, scene_dataset: Path | None = None, materials: Path | None = None,
                 gpu: int = 0) -> None:
        """Import habitat-sim and check its build.

        Raises:
            ImportError: there is no habitat-sim in this environment.
            WorldError: its build has no audio, or misplaces sources.
            FileNotFoundError: one of the files is missing; habitat-sim would abort on it later.
        """
        for file in (scene_dataset, materials):
            if file is not None and not file.is_file():
                raise FileNotFoundError(f'{file} is not a file')
        with contextlib.suppress(ImportError):
            import quaternion  # noqa: F401  before habitat_sim, which frees its pointers else
        import habitat_sim
        guards.check_build(habitat_sim)
        self._habitat = habitat_sim
        self._scene_dataset = scene_dataset
        self._materials = materials
        self._gpu = gpu
        self._opened: tuple[str, Robot] | None = None
        self._sim: Any = None

    def describe(self) -> dict[str, str]:
        """Name and version of habitat-sim."""
        return {'name': 'habitat', 'version': str(getattr(self._habitat, '__version__', ''))}

    def open(self, scene: str, robot: Robot) -> None:
        """Load a scene with its navigation mesh, computed where the scene brings none.

        Raises:
            WorldError: a path that is no file, or a scene that nobody can walk in.
        """
        if self._opened == (scene, robot):
            return
        if Path(scene).suffix and not Path(scene).is_file():
            raise WorldError(f'scene {scene} is not a file')
        self.close()
        self._robot = robot
        materials = self._materials is not None
        self._sim = self._habitat.Simulator(configuration(
            self._habitat, scene, robot, scene_dataset=self._scene_dataset, gpu=self._gpu,
            semantic=materials))
        self._sim.add_sensor(audio_sensor(self._habitat, robot, materials=materials))
        if self._materials is not None:
            self._ear_sensor().setAudioMaterialsJSON(str(self._materials))
        if not self._sim.pathfinder.is_loaded:
            self._compute_mesh(robot)
        box = self._sim.get_active_scene_graph().get_root_node().cumulative_bb
        self._box = (np.array(box.min, np.float64), np.array(box.max, np.float64))
        self._opened = (scene, robot)

    def begin(self, start: State, goal: np.ndarray, seed: int) -> None:
        """Place robot and source.

        Raises:
            WorldError: one of them is outside, on a roof or off the mesh, or no way joins them.
        """
        self._sim.seed(seed % 2 ** 31)
        floor = {}
        for name, place in (('start', start.position), ('goal', goal)):
            guards.check_inside(place, name, self._box)
            floor[name] = np.array(self._sim.pathfinder.snap_point(
                place.astype(np.float32)), np.float64)
            guards.check_on_floor(place, floor[name], name)
            guards.check_under_roof(floor[name], name, height_m=self._robot.height_m,
                                    top_m=float(self._box[1][1]))
        self._goal = floor['goal']
        self._place(State(floor['start'], start.yaw_rad))
        guards.check_way(self.geodesic_m(), floor['start'], floor['goal'])
        self._follower = self._sim.make_greedy_follower(
            0, stop_key=STOP, forward_key=MOVE_FORWARD, left_key=TURN_LEFT,
            right_key=TURN_RIGHT)
        sensor = self._ear_sensor()
        if self._materials is None:
            sensor.reset()
        sensor.setAudioSourceTransform(
            np.array(goal + [0.0, self._robot.ear_height_m, 0.0], np.float32))

    def state(self) -> State:
        """Where the agent is."""
        state = self._sim.get_agent(0).get_state()
        rotation = state.rotation
        return State(np.array(state.position, np.float64), 2 * math.atan2(rotation.y, rotation.w))

    def act(self, action: str) -> bool:
        """Let habitat-sim carry out an action; agents slide along walls, as in SoundSpaces."""
        if action == STOP:
            return False
        self._seen = None
        return bool(self._sim.get_agent(0).act(_KEYS[action]))

    def drive(self, forward_m: float, turn_rad: float) -> bool:
        """Follow an arc in short straight pieces, each filtered by the navigation mesh."""
        pieces = max(1, math.ceil(abs(forward_m) / _LONGEST_PIECE_M))
        touched = False
        for _ in range(pieces):
            position, yaw_rad = self.state()
            middle_rad = yaw_rad + turn_rad / (2 * pieces)
            ahead = np.array([-math.sin(middle_rad), 0.0, -math.cos(middle_rad)])
            wanted = position + forward_m / pieces * ahead
            reached = np.array(self._sim.step_filter(
                position.astype(np.float32), wanted.astype(np.float32)), np.float64)
            touched |= bool(np.hypot(*(reached - wanted)[[0, 2]]) > _TOUCH_M)
            self._place(State(reached, yaw_rad + turn_rad / pieces))
        return touched

    def look(self) -> tuple[np.ndarray, np.ndarray]:
        """What the cameras see; depth beyond the contract's range is the range's end."""
        seen = self._observe()
        depth = np.clip(np.asarray(seen[DEPTH], np.float32), 0.0, self._robot.depth_max_m)
        return np.asarray(seen[COLOR], np.uint8)[..., :3], depth

    def response(self) -> np.ndarray:
        """Impulse response where the agent is.

        Raises:
            WorldError: habitat-sim returned something else than two finite channels.
        """
        response = np.asarray(self._observe()[AUDIO], np.float32)
        if response.ndim != 2 or response.shape[0] != 2 or not response.size:
            raise WorldError(f'the impulse response must be (2, n), got {response.shape}')
        if not np.isfinite(response).all():
            raise WorldError('the impulse response must be finite, got NaN or infinity')
        return response

    def geodesic_m(self) -> float:
        """Length of the shortest way on the navigation mesh, infinity without one."""
        path = self._habitat.ShortestPath()
        path.requested_start = self.state().position.astype(np.float32)
        path.requested_end = self._goal.astype(np.float32)
        found = self._sim.pathfinder.find_path(path)
        return float(path.geodesic_distance) if found else math.inf

    def oracle_action(self) -> str:
        """What habitat's greedy follower of the shortest way does next."""
        return self._follower.next_action_along(self._goal.astype(np.float32))

    def close(self) -> None:
        """Free the scene."""
        if self._sim is not None:
            self._sim.close()
        self._sim = self._opened = None

    def _ear_sensor(self) -> Any:
        # Newer Agents call it ``sensors``; the older name works with all.
        return self._sim.get_agent(0)._sensors[AUDIO]

    def _compute_mesh(self, robot: Robot) -> None:
        settings = self._habitat.NavMeshSettings()
        settings.set_defaults()
        settings.agent_height, settings.agent_radius = robot.height_m, robot.radius_m
        pathfinder = self._sim.pathfinder
        if not self._sim.recompute_navmesh(pathfinder, settings) or not pathfinder.is_loaded:
            raise WorldError('the scene has no navigation mesh, and none could be computed: '
                             'nothing in it can be walked on')

    def _place(self, state: State) -> None:
        half_rad = state.yaw_rad / 2
        placed = self._habitat.AgentState()
        placed.position = state.position.astype(np.float32)
        placed.rotation = [0.0, math.sin(half_rad), 0.0, math.cos(half_rad)]  # x, y, z, w
        self._sim.get_agent(0).set_state(placed)
        self._seen = None

    def _observe(self) -> dict[str, Any]:
        """All senses at this pose: habitat-sim renders and traces them together."""
        if self._seen is None:
            self._seen = self._sim.get_sensor_observations()
        return self._seen
