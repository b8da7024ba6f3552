# SPDX-License-Identifier: Apache-2.0
"""The configuration of habitat-sim for a robot: actions, cameras, ears, as in SoundSpaces 2.0."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from sim_bridge.habitat.backend import Robot

# habitat-sim (branch RLRAudioPropagationUpdate) reads every audio sensor under this name.
AUDIO, COLOR, DEPTH = 'audio_sensor', 'color_sensor', 'depth_sensor'
_COHERENT_RAYS = 500  # SoundSpaces 2.0; without coherence between steps, ten times as many
_RAYS = 5000


def configuration(habitat_sim: Any, scene: str, robot: Robot, *, scene_dataset: Path | None,
                  gpu: int, semantic: bool) -> Any:
    """A ``habitat_sim.Configuration`` with one agent that has both cameras."""
    simulator = habitat_sim.SimulatorConfiguration()
    simulator.scene_id = scene
    if scene_dataset is not None:
        simulator.scene_dataset_config_file = str(scene_dataset)
    simulator.gpu_device_id = gpu
    simulator.enable_physics = False
    simulator.allow_sliding = True
    simulator.load_semantic_mesh = semantic
    agent = habitat_sim.AgentConfiguration()
    agent.height, agent.radius = robot.height_m, robot.radius_m
    agent.sensor_specifications = [
        _camera(habitat_sim, COLOR, habitat_sim.SensorType.COLOR, robot),
        _camera(habitat_sim, DEPTH, habitat_sim.SensorType.DEPTH, robot)]
    turn_deg = math.degrees(robot.turn_rad)
    agent.action_space = {
        key: habitat_sim.ActionSpec(key, habitat_sim.ActuationSpec(amount=amount))
        for key, amount in (('move_forward', robot.forward_step_m),
                            ('turn_left', turn_deg), ('turn_right', turn_deg))}
    return habitat_sim.Configuration(simulator, [agent])


def audio_sensor(habitat_sim: Any, robot: Robot, *, materials: bool) -> Any:
    """A binaural ``AudioSensorSpec``.

    Without ``materials``, responses are coherent from pose to pose, which saves rays; names that
    differ between the builds of habitat-sim are told apart by what the build has.
    """
    ears = habitat_sim.AudioSensorSpec()
    ears.uuid = AUDIO
    ears.position = [0.0, robot.ear_height_m, 0.0]
    binaural = habitat_sim.sensor.RLRAudioPropagationChannelLayoutType.Binaural
    kind = 'type' if hasattr(ears.channelLayout, 'type') else 'channelType'
    setattr(ears.channelLayout, kind, binaural)
    ears.channelLayout.channelCount = 2
    acoustics = ears.acousticsConfig
    acoustics.sampleRate = robot.sample_rate_hz
    acoustics.threadCount = 1
    acoustics.transmission = True
    acoustics.temporalCoherence = not materials
    acoustics.indirectRayCount = _RAYS if materials else _COHERENT_RAYS
    holder = ears if hasattr(ears, 'enableMaterials') else acoustics
    holder.enableMaterials = materials
    return ears


def _camera(habitat_sim: Any, uuid: str, kind: Any, robot: Robot) -> Any:
    camera = habitat_sim.CameraSensorSpec()
    camera.uuid = uuid
    camera.sensor_type = kind
    camera.resolution = [robot.image_height, robot.image_width]
    camera.position = [0.0, robot.camera_height_m, 0.0]
    camera.hfov = math.degrees(robot.hfov_rad)
    return camera
