# SPDX-License-Identifier: Apache-2.0
"""The habitat backend against a stand-in with habitat-sim's published names and ways to abort."""

import dataclasses
import math
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from asgf_nav_ros.contract import Action
from asgf_nav_ros.published_contracts import PUBLISHED
from sim_bridge.habitat.backend import Robot
from sim_bridge.habitat.backend import State
from sim_bridge.habitat.backend import WorldError
from sim_bridge.habitat.connection import Refused
from sim_bridge.habitat.episode import HabitatEpisode
from sim_bridge.habitat.habitat_backend import HabitatBackend
from sim_bridge.habitat.server_process import OwnServer
from sim_bridge.habitat.world import HabitatDied
from sim_bridge.habitat.world import HabitatWorld
from sim_bridge.simulator import Pose2D

STAND_IN = Path(__file__).parent / 'stand_in'
ROBOT = Robot(sample_rate_hz=16000, image_height=8, image_width=16, hfov_rad=math.pi / 2,
              depth_max_m=10.0, camera_height_m=1.25, forward_step_m=0.25,
              turn_rad=math.radians(10))
START, GOAL = State(np.array([1.0, 0.0, -1.0]), 0.0), np.array([4.0, 0.1, -3.0])


@pytest.fixture
def habitat_sim(monkeypatch):
    monkeypatch.syspath_prepend(str(STAND_IN))
    for name in ('habitat_sim', 'habitat_sim.sensor'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import habitat_sim
    yield habitat_sim
    for name in ('habitat_sim', 'habitat_sim.sensor'):
        sys.modules.pop(name, None)


@pytest.fixture
def backend(habitat_sim, scenes):
    backend = HabitatBackend()
    backend.open(str(scenes / 'room.glb'), ROBOT)
    backend.begin(START, GOAL, 3)
    yield backend
    backend.close()


def test_robot_of_the_contract_is_configured(backend, habitat_sim):
    agent = backend._sim.config.agents[0]
    amounts = {key: spec.actuation.amount for key, spec in agent.action_space.items()}
    assert amounts == pytest.approx({'move_forward': 0.25, 'turn_left': 10, 'turn_right': 10})
    color, depth = agent.sensor_specifications
    assert (color.sensor_type, depth.sensor_type) == ('color', 'depth')
    assert color.resolution == [8, 16]
    assert color.position == [0.0, 1.25, 0.0]
    assert color.hfov == pytest.approx(90.0)
    ears = backend._ear_sensor().spec
    assert ears.acousticsConfig.sampleRate == 16000
    assert ears.acousticsConfig.indirectRayCount == 500
    assert ears.acousticsConfig.temporalCoherence is True
    assert ears.enableMaterials is False


def test_moves_as_habitat_moves(backend):
    assert backend.act('MOVE_FORWARD') is False
    np.testing.assert_allclose(backend.state().position, [1.0, 0.0, -1.25], atol=1e-6)
    backend.act('TURN_LEFT')
    assert backend.state().yaw_rad == pytest.approx(math.radians(10))
    backend.act('MOVE_FORWARD')
    assert backend.state().position[0] < 1.0  # left of -z is -x
    assert backend.act('STOP') is False


def test_walls_stop_and_are_told(backend):
    assert backend.drive(20.0, 0.0) is True
    np.testing.assert_allclose(backend.state().position, [1.0, 0.0, -4.0], atol=1e-5)
    assert backend.act('MOVE_FORWARD') is True
    assert backend.drive(-1.0, 0.0) is False


def test_drives_arcs(backend):
    backend.drive(math.pi / 2 * 0.5, -math.pi / 2)  # a quarter circle of 0.5 m to the right
    position, yaw_rad = backend.state()
    np.testing.assert_allclose(position, [1.5, 0.0, -1.5], atol=0.01)
    assert yaw_rad == pytest.approx(-math.pi / 2)


def test_sees_color_without_alpha_and_depth_within_its_range(backend):
    rgb, depth = backend.look()
    assert (rgb.shape, rgb.dtype) == ((8, 16, 3), np.uint8)
    assert (depth.shape, depth.dtype) == ((8, 16), np.float32)
    assert depth.max() == 10.0


def test_hears_the_source_where_it_stands(backend):
    response = backend.response()
    distance = np.linalg.norm(GOAL - START.position)
    assert response.argmax(1).tolist() == [round(distance / 343 * 16000)] * 2
    assert response[1].max() > response[0].max()  # to the right of the robot
    assert backend.geodesic_m() == pytest.approx(math.hypot(3, 2))


def test_traces_once_a_pose(backend):
    backend.look(), backend.response(), backend.response()
    before = backend._sim.traced
    backend.act('STOP')
    backend.response()
    assert backend._sim.traced == before
    backend.act('TURN_LEFT')
    backend.look(), backend.response()
    assert backend._sim.traced == before + 1


def test_follows_the_way_to_the_goal(backend):
    for _ in range(60):
        action = backend.oracle_action()
        if action == 'STOP':
            break
        backend.act(action)
    assert action == 'STOP'
    assert backend.geodesic_m() < 0.25


def test_materials_are_traced_anew_at_every_pose(habitat_sim, scenes):
    (scenes / 'materials.json').write_text('{}')
    backend = HabitatBackend(materials=scenes / 'materials.json')
    backend.open(str(scenes / 'room.glb'), ROBOT)
    backend.begin(START, GOAL, 3)
    ears = backend._ear_sensor()
    assert ears.materials == str(scenes / 'materials.json')
    assert ears.spec.enableMaterials is True
    assert ears.spec.acousticsConfig.temporalCoherence is False
    assert backend._sim.config.sim_cfg.load_semantic_mesh is True


def test_scene_is_kept_while_it_is_the_same(backend, scenes):
    sim = backend._sim
    backend.open(str(scenes / 'room.glb'), ROBOT)
    assert backend._sim is sim
    backend.open(str(scenes / 'room.glb'), dataclasses.replace(ROBOT, forward_step_m=1.0))
    assert backend._sim is not sim


def test_missing_navigation_mesh_is_computed_or_refused(habitat_sim, scenes):
    backend = HabitatBackend()
    backend.open(str(scenes / 'bare.glb'), ROBOT)
    backend.begin(START, GOAL, 3)
    assert backend.geodesic_m() > 3
    with pytest.raises(WorldError, match='nothing in it can be walked on'):
        backend.open(str(scenes / 'void.glb'), ROBOT)


def test_build_without_audio_is_refused_before_it_aborts(habitat_sim, monkeypatch):
    monkeypatch.setattr(habitat_sim, 'audio_enabled', False)
    with pytest.raises(WorldError, match='built without audio, .*RLRAudioPropagationUpdate'):
        HabitatBackend()


@pytest.mark.parametrize('version, right', [
    ('0.2.2', True), ('0.3.0', True), ('0.3.1', False), ('0.3.3.dev1', False), ('0.3.5', True)])
def test_builds_that_misplace_sources_are_refused(habitat_sim, monkeypatch, version, right):
    monkeypatch.setattr(habitat_sim, '__version__', version)
    if right:
        assert HabitatBackend().describe() == {'name': 'habitat', 'version': version}
    else:
        with pytest.raises(WorldError, match=f'{version} puts sound sources at wrong'):
            HabitatBackend()


@pytest.mark.parametrize('start, goal, message', [
    ((1, 0, -1), (4, 3, -3), r'goal \(4.00, 3.00, -3.00\) lies on a roof'),
    ((1, 3, -1), (4, 0, -3), 'start .* lies on a roof'),
    ((1, 0, -1), (4, 1, -3), 'goal .* is not on the navigation mesh, the nearest'),
    ((40, 0, -1), (4, 0, -3), r'start .* is outside the scene, .*up axis y\?'),
])
def test_places_that_nobody_can_stand_on_are_refused(backend, start, goal, message):
    with pytest.raises(WorldError, match=message) as error:
        backend.begin(State(np.array(start, float), 0.0), np.array(goal, float), 1)
    assert '\n' not in str(error.value)


def test_way_between_islands_is_refused(backend, monkeypatch):
    monkeypatch.setattr('sim_bridge.habitat.guards.check_under_roof', lambda *_, **__: None)
    with pytest.raises(WorldError, match='no way leads from .* different islands'):
        backend.begin(START, np.array([4.0, 3.0, -3.0]), 1)


def test_scene_on_its_side_is_told_by_its_box(habitat_sim, scenes):
    backend = HabitatBackend()
    backend.open(str(scenes / 'lying.glb'), ROBOT)
    with pytest.raises(WorldError, match='A bare .glb is taken as z up'):
        backend.begin(State(np.array([1.0, 0.0, -3.9]), 0.0), GOAL, 1)


def test_missing_files_are_refused_before_they_abort(habitat_sim, scenes):
    with pytest.raises(FileNotFoundError, match='none.json is not a file'):
        HabitatBackend(materials=scenes / 'none.json')
    with pytest.raises(WorldError, match='none.glb is not a file'):
        HabitatBackend().open(str(scenes / 'none.glb'), ROBOT)


def test_whole_bridge_with_the_published_contract(habitat_python, scenes):
    contract = PUBLISHED['soundspaces2']
    dry = np.zeros(16000, np.float32)
    dry[::1600] = 1.0
    episode = HabitatEpisode.from_soundspaces({
        'episode_id': '7', 'scene_id': 'room.glb', 'start_position': [1.0, 0.0, -1.0],
        'start_rotation': [0.0, math.sin(math.pi / 4), 0.0, math.cos(math.pi / 4)],
        'goals': [{'position': [4.0, 0.0, -3.0], 'radius': 1e-5}],
        'info': {'geodesic_distance': 5.0, 'num_action': 9, 'sound': 'telephone'}},
        scenes=str(scenes), seed=1)
    with HabitatWorld(contract, OwnServer(habitat_python), sounds=lambda name: dry) as world:
        world.reset(episode)
        assert world.pose.xy.tolist() == [1.0, -1.0]  # ahead is -z, left is -x
        assert world.pose.yaw_rad == pytest.approx(math.pi / 2)
        assert world.source_xyz.tolist() == pytest.approx([3.0, -4.0, 1.6])
        for _ in range(80):
            observation = world.observe()
            observation.check(contract)
            action = world.oracle_action()
            if action == Action.STOP:
                break
            world.act(action)
        assert action == Action.STOP
        assert world.geodesic_m() < 0.25
        assert world.odometry.x_m == pytest.approx(
            world.pose.relative_to(Pose2D(1.0, -1.0, math.pi / 2)).x_m, abs=1e-5)
        with pytest.raises(Refused, match='begin: goal .* lies on a roof'):
            world.reset(dataclasses.replace(episode, goal=(4.0, 3.0, -3.0)))
        with pytest.raises(HabitatDied, match=r'died of SIGABRT.*\(during open'):
            world.reset(dataclasses.replace(episode, scene=str(scenes / 'crash.glb')))
        world.reset(episode)
        assert world.act(Action.MOVE_FORWARD) is False


def test_command_names_a_build_without_habitat():
    done = subprocess.run([sys.executable, '-m', 'sim_bridge.habitat.server', '--port', '0'],
                          cwd=Path(__file__).parents[3], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 1
    assert done.stderr.strip() == "habitat server: error: No module named 'habitat_sim'"
