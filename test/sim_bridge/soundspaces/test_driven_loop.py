# SPDX-License-Identifier: Apache-2.0
"""The robot's own motion, with its safety, in the continuous world on files."""

from pathlib import Path

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.motion.causes import Cause
from asgf_nav_ros.motion.causes import MotionState
from asgf_nav_ros.motion.controller import MotionController
from asgf_nav_ros.motion.pose import Pose
from asgf_nav_ros.systems.exported import ExportedPolicy
from asgf_nav_ros.systems.navigator import Views
from sim_bridge.soundspaces.driven_world import DrivenWorld
from sim_bridge.soundspaces.moved_view import STILL_M
from sim_bridge.soundspaces.rails import PLAY_M

MODEL = Path(__file__).parents[3] / 'models' / 'asgf_nav.onnx'
SPLIT = 'test_multiple_unheard'
TICK_S = 0.02
MOST_TICKS = 1000
MOST_ACTIONS = 80


class Robot:
    """A controller that drives a world; images come every fifth tick, as from the simulator."""

    def __init__(self, world):
        self.world, self.now_s, self.causes = world, 10.0, []
        self.controller = MotionController(world.contract)
        self._tick(0)
        self.controller.enable(self.now_s)

    def act(self, action):
        """Carry an action out; whether it reached its goal."""
        assert self.controller.accept(action.name, self.now_s, self.now_s) == Cause.NONE
        ticks = 0
        while ticks == 0 or self.controller.state == MotionState.MOVING:
            self._tick(ticks)
            ticks += 1
            assert ticks < MOST_TICKS
        return self.controller.state == MotionState.IDLE

    def _tick(self, tick):
        self.now_s += TICK_S
        odometry = self.world.odometry
        self.controller.see_odometry(
            Pose(odometry.x_m, odometry.y_m, odometry.yaw_rad), (0.0, 0.0), self.now_s)
        if tick % 5 == 0:
            self.controller.see_depth(self.world.view()[1], self.now_s)
        command = self.controller.step(self.now_s)
        self.causes.append(command.cause)
        self.world.advance(command.linear_mps, command.angular_radps, TICK_S)

    @property
    def off_m(self):
        """Distance to the nearest node."""
        world = self.world
        return float(np.hypot(*(world.pose.xy - world._scene.nodes[world.node])))


@pytest.fixture
def world(written, tiny_contract):
    return DrivenWorld(tiny_contract, written, SPLIT, count=12)


def test_the_shortest_ways_are_driven_without_a_fault(world):
    for episode in world.episodes[:4]:
        world.reset(episode)
        robot, actions = Robot(world), 1
        while (action := world.oracle_action()) != Action.STOP:
            assert robot.act(action) and robot.off_m < STILL_M
            actions += 1
        assert actions == episode.oracle_actions and world.geodesic_m() == 0
        assert set(robot.causes) <= {Cause.NONE, Cause.NOT_ENABLED}
        assert world.travelled_m == pytest.approx(episode.geodesic_m, abs=0.02 * actions)


def collide_and_step(world):
    """Try every wall that comes, turn, step on; how often it was blocked, and got on."""
    robot = Robot(world)
    blocked = stepped = 0
    for _ in range(8):
        ahead = world._scene.neighbors[world.node, world.heading]
        node = world.node
        if ahead < 0:
            assert not robot.act(Action.MOVE_FORWARD)
            assert robot.controller.state == MotionState.BLOCKED and world.node == node
            blocked += 1
        assert robot.act(Action.TURN_LEFT)
        if world._scene.neighbors[world.node, world.heading] >= 0:
            gone = robot.act(Action.MOVE_FORWARD)
            if not gone:  # a little beside the node, it saw what the step would brush against
                assert robot.controller.cause == Cause.OBSTACLE
                break
            assert world.node != node and robot.off_m < 2 * PLAY_M + 0.01  # of a step's tolerance
            stepped += 1
    return blocked, stepped


def test_a_step_without_an_edge_is_a_collision_after_which_it_gets_on(world):
    found = []
    for episode in world.episodes[:4]:
        world.reset(episode)
        found.append(collide_and_step(world))
    blocked, stepped = np.sum(found, axis=0)
    assert blocked >= 4 and stepped >= 4


def test_the_shipped_policy_finds_the_sound(written):
    policy = ExportedPolicy(MODEL, system='asgf_plus')
    world, slots = DrivenWorld(policy.contract, written, SPLIT, count=12), np.array([0])
    found = 0
    for episode in world.episodes[:3]:
        world.reset(episode)
        policy.begin(slots, [np.random.default_rng(episode.seed)])
        robot, moved, action = Robot(world), np.ones(1, bool), None
        for _ in range(MOST_ACTIONS):
            seen = world.observe()
            views = Views(seen.rgb[None], seen.depth[None], seen.spectrogram[None], moved)
            if (action := Action(int(policy.decide(slots, views)[0]))) == Action.STOP:
                break
            moved = np.array([robot.act(action)])
        found += action == Action.STOP and world.geodesic_m() <= world.success_radius_m
        assert Cause.FROZEN_DEPTH not in robot.causes
    assert found >= 2
