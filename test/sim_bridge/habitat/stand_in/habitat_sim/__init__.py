# SPDX-License-Identifier: Apache-2.0
"""A stand-in for habitat-sim 0.2.2 with audio, which cannot be installed from a registry.

It has the names that the published bindings have, and no others: objects refuse attributes that
the real ones lack. Where the real library aborts the process, so does this one. The scene is a
room of 6 m by 4 m under a flat roof that is walkable too; scenes are told apart by file name.
"""

import math
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from habitat_sim import sensor

__version__ = '0.2.2'
audio_enabled = True
SPEED_MPS = 343.0
ROOM, ROOF = (0.0, 6.0, -4.0, 0.0, 0.0), (0.0, 6.0, -4.0, 0.0, 3.0)  # x, x, z, z, y


class _Published:
    """An object that has its published attributes only."""

    def __init__(self, **defaults):
        object.__setattr__(self, '_names', set(defaults))
        for name, value in defaults.items():
            setattr(self, name, value)

    def __setattr__(self, name, value):
        if name not in self._names:
            raise AttributeError(f'{type(self).__name__} has no attribute {name}')
        object.__setattr__(self, name, value)


class SensorType:
    COLOR, DEPTH, AUDIO = 'color', 'depth', 'audio'


class SimulatorConfiguration(_Published):
    def __init__(self):
        super().__init__(scene_id='', scene_dataset_config_file='default', gpu_device_id=0,
                         enable_physics=False, allow_sliding=True, load_semantic_mesh=False,
                         requires_textures=True, create_renderer=True, random_seed=0)


class AgentConfiguration(_Published):
    def __init__(self):
        super().__init__(height=1.5, radius=0.1, sensor_specifications=[], action_space={},
                         body_type='cylinder')


class CameraSensorSpec(_Published):
    def __init__(self):
        super().__init__(uuid='', sensor_type=None, sensor_subtype=None, resolution=[128, 128],
                         position=[0.0, 1.5, 0.0], orientation=[0.0, 0.0, 0.0], hfov=90.0,
                         near=0.01, far=1000.0, channels=4, gpu2gpu_transfer=False)


class AudioSensorSpec(_Published):
    def __init__(self):
        acoustics = _Published(
            sampleRate=44100, frequencyBands=4, directSHOrder=3, indirectSHOrder=1,
            threadCount=1, maxIRLength=4.0, unitScale=1.0, globalVolume=0.25,
            indirectRayCount=5000, indirectRayDepth=200, sourceRayCount=200, sourceRayDepth=10,
            maxDiffractionOrder=10, direct=True, indirect=True, diffraction=True,
            transmission=True, meshSimplification=False, temporalCoherence=False)
        super().__init__(uuid='audio', sensor_type=SensorType.AUDIO, position=[0.0, 1.5, 0.0],
                         acousticsConfig=acoustics, enableMaterials=True, outputDirectory='',
                         channelLayout=_Published(type=None, channelCount=2))


class ActuationSpec:
    def __init__(self, amount):
        self.amount = amount


class ActionSpec:
    def __init__(self, name, actuation):
        self.name, self.actuation = name, actuation


class Configuration:
    def __init__(self, sim_cfg, agents):
        self.sim_cfg, self.agents = sim_cfg, agents


class AgentState(_Published):
    def __init__(self):
        super().__init__(position=np.zeros(3), rotation=[0.0, 0.0, 0.0, 1.0], sensor_states={})


class NavMeshSettings(_Published):
    def __init__(self):
        super().__init__(agent_height=1.5, agent_radius=0.1, cell_size=0.05, cell_height=0.2,
                         agent_max_climb=0.2, agent_max_slope=45.0)

    def set_defaults(self):
        pass


class ShortestPath(_Published):
    def __init__(self):
        super().__init__(requested_start=None, requested_end=None, points=[],
                         geodesic_distance=0.0)


class PathFinder:
    def __init__(self, floors):
        self._floors = floors

    @property
    def is_loaded(self):
        return bool(self._floors)

    def snap_point(self, point):
        assert point.dtype == np.float32, 'vectors of the library are float32'
        if not self._floors:
            return np.full(3, np.nan, np.float32)
        near = [np.array([np.clip(point[0], x0, x1), y, np.clip(point[2], z0, z1)])
                for x0, x1, z0, z1, y in self._floors]
        return min(near, key=lambda each: np.linalg.norm(each - point)).astype(np.float32)

    def find_path(self, path):
        ends = [self.snap_point(np.asarray(end, np.float32))
                for end in (path.requested_start, path.requested_end)]
        joined = ends[0][1] == ends[1][1]
        path.geodesic_distance = (
            float(np.linalg.norm(ends[0] - ends[1])) if joined else math.inf)
        return joined


class _AudioSensor:
    def __init__(self, spec):
        self.spec, self.source, self.materials = spec, None, None

    def reset(self):
        self.source = None

    def setAudioSourceTransform(self, position):
        self.source = np.asarray(position, np.float64)

    def setAudioMaterialsJSON(self, path):
        self.materials = path


class _Agent:
    def __init__(self, sim, configuration):
        self._sim, self.agent_config, self._sensors = sim, configuration, {}
        self._position, self._yaw = np.zeros(3, np.float32), 0.0

    def get_state(self):
        rotation = SimpleNamespace(w=math.cos(self._yaw / 2), x=0.0, y=math.sin(self._yaw / 2),
                                   z=0.0)
        return SimpleNamespace(position=self._position.copy(), rotation=rotation)

    def set_state(self, state):
        assert np.isfinite(state.position).all()
        x, y, z, w = state.rotation
        assert abs(x * x + y * y + z * z + w * w - 1) < 1e-6
        assert x == z == 0
        self._position, self._yaw = np.asarray(state.position, np.float32), 2 * math.atan2(y, w)

    def act(self, key):
        amount = self.agent_config.action_space[key].actuation.amount
        if key.startswith('turn'):
            self._yaw += math.radians(amount) * (1 if key == 'turn_left' else -1)
            return False
        ahead = np.array([-math.sin(self._yaw), 0.0, -math.cos(self._yaw)])
        wanted = (self._position + amount * ahead).astype(np.float32)
        self._position = self._sim.step_filter(self._position, wanted)
        return bool(np.linalg.norm(self._position - wanted) > 1e-5)


class _Follower:
    def __init__(self, agent, keys):
        self._agent, self._keys = agent, keys

    def next_action_along(self, goal):
        way = np.asarray(goal) - self._agent.get_state().position
        if np.hypot(way[0], way[2]) < 0.2:
            return self._keys['stop_key']
        error = math.atan2(-way[0], -way[2]) - self._agent._yaw
        error = (error + math.pi) % (2 * math.pi) - math.pi
        if abs(error) <= math.radians(5.01):
            return self._keys['forward_key']
        return self._keys['left_key' if error > 0 else 'right_key']


class Simulator:
    def __init__(self, config):
        name = Path(config.sim_cfg.scene_id).stem
        if name == 'crash':
            os.abort()
        self.config = config
        self.pathfinder = PathFinder([] if name in ('void', 'bare') else [ROOM, ROOF])
        self._box = ((0.0, -0.1, -4.0), (6.0, 3.0, 0.0))
        if name == 'lying':
            self._box = ((0.0, -4.0, -3.0), (6.0, 0.1, 0.0))
        self._bare = name == 'bare'
        self._agent = _Agent(self, config.agents[0])
        self.traced = 0

    def add_sensor(self, spec):
        if not audio_enabled:
            os.abort()
        self._agent._sensors[spec.uuid] = _AudioSensor(spec)

    def get_agent(self, agent_id):
        assert agent_id == 0
        return self._agent

    def seed(self, seed):
        assert 0 <= seed < 2 ** 32

    def step_filter(self, start, end):
        assert start.dtype == end.dtype == np.float32
        return self.pathfinder.snap_point(end)

    def recompute_navmesh(self, pathfinder, settings):
        if self._bare:
            pathfinder._floors = [ROOM]
        return self._bare

    def make_greedy_follower(self, agent_id, **keys):
        return _Follower(self._agent, keys)

    def get_active_scene_graph(self):
        box = SimpleNamespace(min=self._box[0], max=self._box[1])
        return SimpleNamespace(get_root_node=lambda: SimpleNamespace(cumulative_bb=box))

    def get_sensor_observations(self):
        self.traced += 1
        seen = {'audio_sensor': self._trace(self._agent._sensors['audio_sensor'])}
        for camera in self._agent.agent_config.sensor_specifications:
            height, width = camera.resolution
            seen[camera.uuid] = (np.full((height, width), 12.5, np.float32)
                                 if camera.sensor_type == SensorType.DEPTH
                                 else np.full((height, width, 4), 77, np.uint8))
        return seen

    def close(self):
        self._agent = None

    def _trace(self, ears):
        if ears.source is None:
            os.abort()
        assert ears.spec.channelLayout.type == sensor.RLRAudioPropagationChannelLayoutType.Binaural
        state = self._agent.get_state()
        way = ears.source - (state.position + np.array(ears.spec.position))
        side = math.sin(math.atan2(-way[0], -way[2]) - self._agent._yaw)  # positive on the left
        delay = round(np.linalg.norm(way) / SPEED_MPS * ears.spec.acousticsConfig.sampleRate)
        response = np.zeros((2, delay + 100))
        response[:, delay] = np.array([1 + side / 2, 1 - side / 2]) / max(np.linalg.norm(way), 1)
        return [list(channel) for channel in response]
