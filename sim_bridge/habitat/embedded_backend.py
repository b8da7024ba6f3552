# SPDX-License-Identifier: Apache-2.0
"""The embedded world behind the habitat server: the whole bridge runs where habitat does not."""

from __future__ import annotations

import numpy as np

from asgf_nav_ros.contract import Action
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.embedded import EmbeddedWorld
from sim_bridge.episodes import load_house
from sim_bridge.habitat.backend import Robot
from sim_bridge.habitat.backend import State
from sim_bridge.habitat.coordinates import pose_of
from sim_bridge.habitat.coordinates import position_of

_SILENCE = np.zeros(1)  # the client convolves; the server only hears responses


class EmbeddedBackend:
    """A ``Backend`` over ``EmbeddedWorld``: scenes are names or floor plans of houses."""

    def __init__(self) -> None:
        self._opened: tuple[str, Robot] | None = None
        self._world: EmbeddedWorld | None = None

    def describe(self) -> dict[str, str]:
        """Name of the world."""
        return {'name': 'embedded', 'version': ''}

    def open(self, scene: str, robot: Robot) -> None:
        """Build the house of a name for ``load_house``."""
        if self._opened == (scene, robot):
            return
        self.close()
        contract = PolicyContract(
            sample_rate_hz=robot.sample_rate_hz, image_height=robot.image_height,
            image_width=robot.image_width, hfov_rad=robot.hfov_rad,
            depth_max_m=robot.depth_max_m, camera_height_m=robot.camera_height_m,
            forward_step_m=robot.forward_step_m, turn_rad=robot.turn_rad)
        self._world = EmbeddedWorld(contract)
        self._world.enter(load_house(scene), name=scene)
        self._opened = (scene, robot)

    def begin(self, start: State, goal: np.ndarray, seed: int) -> None:
        """Place the robot, and the source at the height of its ears."""
        height_m = self._world.contract.camera_height_m  # where this world has its ears
        self._world.begin(start=pose_of(*start), dry=_SILENCE, seed=seed,
                          source_xyz=(*pose_of(goal, 0.0).xy, height_m))

    def state(self) -> State:
        """Where the robot is, on the floor at height 0."""
        return State(position_of(self._world.pose), self._world.pose.yaw_rad)

    def act(self, action: str) -> bool:
        """Carry out a primitive action ideally."""
        return self._world.act(Action[action])

    def drive(self, forward_m: float, turn_rad: float) -> bool:
        """Follow an arc; the world's clock is the client's."""
        return self._world.advance(forward_m, turn_rad, 1.0)

    def look(self) -> tuple[np.ndarray, np.ndarray]:
        """What the camera sees."""
        return self._world.view()

    def response(self) -> np.ndarray:
        """Impulse response where the robot is."""
        return self._world.response()

    def geodesic_m(self) -> float:
        """Length of the shortest way to the source."""
        return self._world.geodesic_m()

    def oracle_action(self) -> str:
        """First action of a shortest way to the source."""
        return self._world.oracle_action().name

    def close(self) -> None:
        """Free the renderer."""
        if self._world is not None:
            self._world.close()
        self._world = self._opened = None
