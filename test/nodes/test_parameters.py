# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path
import re

import pytest
import rclpy
from rclpy.exceptions import ParameterException
from rclpy.parameter import Parameter
import yaml

from asgf_nav_ros.nodes.audio_capture import AudioCaptureParameters
from asgf_nav_ros.nodes.camera import CameraParameters
from asgf_nav_ros.nodes.motion import MotionNode
from asgf_nav_ros.nodes.motion import MotionParameters
from asgf_nav_ros.nodes.player import PlayerParameters
from asgf_nav_ros.nodes.policy import PolicyParameters
from asgf_nav_ros.nodes.recorder import RecorderParameters
from asgf_nav_ros.nodes.simulator_parameters import SimulatorParameters
from asgf_nav_ros.nodes.spectrogram import SpectrogramNode
from asgf_nav_ros.nodes.spectrogram import SpectrogramParameters
from asgf_nav_ros.nodes.visuals import VisualsParameters

CONFIG = Path(__file__).resolve().parents[2] / 'config'
KINDS = {'audio_capture': AudioCaptureParameters, 'camera': CameraParameters,
         'motion': MotionParameters, 'player': PlayerParameters, 'policy': PolicyParameters,
         'recorder': RecorderParameters, 'simulator': SimulatorParameters,
         'spectrogram': SpectrogramParameters, 'visuals': VisualsParameters}


@pytest.mark.parametrize('name', KINDS)
def test_the_file_of_a_node_has_every_parameter_with_its_default(name):
    document = yaml.safe_load((CONFIG / f'{name}.yaml').read_text())
    values = document[f'/**/{name}']['ros__parameters']
    defaults = {field.name: field.default for field in dataclasses.fields(KINDS[name])}
    assert values == defaults
    assert {key: type(value) for key, value in values.items()} == {
        key: type(value) for key, value in defaults.items()}


@pytest.mark.parametrize('name', KINDS)
def test_the_file_of_a_node_describes_each_parameter(name):
    text = re.sub(r'\s*\n\s*# ', ' ', (CONFIG / f'{name}.yaml').read_text())
    for field in dataclasses.fields(KINDS[name]):
        assert field.metadata['description'] in text
        if field.metadata['low'] is not None:
            assert re.search(r'From [-\d.]+ to [\d.]+\.\s+' + field.name + ':', text)


@pytest.mark.parametrize('kind', KINDS.values())
def test_numbers_have_a_range_that_holds_their_default(kind):
    for field in dataclasses.fields(kind):
        number = isinstance(field.default, (int, float)) and not isinstance(field.default, bool)
        assert (field.metadata['low'] is not None) == number
        assert not number or field.metadata['low'] <= field.default <= field.metadata['high']


def test_the_simulation_file_names_known_parameters():
    for section, content in yaml.safe_load((CONFIG / 'sim.yaml').read_text()).items():
        known = {field.name for field in dataclasses.fields(KINDS[section.removeprefix('/**/')])}
        assert set(content['ros__parameters']) <= known | {'use_sim_time'}


def test_motion_waits_for_the_depth_that_the_simulator_sends():
    document = yaml.safe_load((CONFIG / 'sim.yaml').read_text())
    sections = {name: content['ros__parameters'] for name, content in document.items()}
    assert (sections['/**/motion']['depth_wait_s']
            == sections['/**/simulator']['image_period_s'])


def test_those_who_write_and_read_audio_agree_on_its_level():
    assert SimulatorParameters().full_scale == SpectrogramParameters().full_scale


@pytest.mark.parametrize('namespace', ['', '/robot'])
def test_a_file_reaches_its_node_in_any_namespace(tmp_path, namespace):
    own = tmp_path / 'own.yaml'
    own.write_text('/**/motion:\n  ros__parameters:\n    stall_s: 2.5\n')
    rclpy.init(args=['--ros-args', '--params-file', str(CONFIG / 'motion.yaml'),
                     '--params-file', str(own), '-r', f'__ns:={namespace or "/"}'])
    try:
        node = MotionNode()
        assert node.settings == dataclasses.replace(MotionParameters(), stall_s=2.5)
        node.retire()
        node.destroy_node()
    finally:
        rclpy.shutdown()


def test_parameters_are_described_and_ranged_for_tools(ros):
    node = ros.start(SpectrogramNode, autostart=False)
    descriptor = node.describe_parameter('publish_period_s')
    assert descriptor.description and descriptor.floating_point_range[0].to_value == 10.0
    assert node.describe_parameter('sensor_reliability').additional_constraints


@pytest.mark.parametrize('name, value', [
    ('publish_period_s', -1.0), ('publish_period_s', 'often'), ('sensor_reliability', 'maybe')])
def test_a_value_out_of_range_is_refused(ros, name, value):
    with pytest.raises((ParameterException, ValueError), match=name):
        SpectrogramNode(parameter_overrides=[Parameter(name, value=value)])


@pytest.mark.parametrize('fields', [{'cmd_vel_stamped': False}, {'wait_for_graph': False}])
def test_lockstep_refuses_what_it_cannot_work_with(fields):
    with pytest.raises(ValueError, match='lockstep needs'):
        SimulatorParameters(**fields)


def test_own_lattices_need_the_episodes_that_were_drawn_on_them():
    with pytest.raises(ValueError, match='own_lattices needs an episodes_file'):
        SimulatorParameters(own_lattices=True)
