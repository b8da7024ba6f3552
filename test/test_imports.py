# SPDX-License-Identifier: Apache-2.0
"""The house rules about who imports whom, checked on the sources and in fresh interpreters."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ('asgf_nav_ros', 'sim_bridge')
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob('*.py'))

# A module may import its own part and parts of lower floors. The half floors: worlds speak
# the robot's formats, the demo draws with what the benchmark measures, and nodes play bags.
FLOORS = {
    'asgf_nav_ros.contract': 1.0, 'asgf_nav_ros.share': 1.0,
    'asgf_nav_ros.published_contracts': 1.5, 'asgf_nav_ros.mapping': 1.5,
    'asgf_nav_ros.sound': 2.0, 'asgf_nav_ros.sight': 2.0, 'asgf_nav_ros.network': 2.0,
    'asgf_nav_ros.inference': 2.0, 'asgf_nav_ros.motion': 2.0, 'sim_bridge': 2.5,
    'asgf_nav_ros.ros_processes': 2.0, 'asgf_nav_ros.faults': 3.0, 'asgf_nav_ros.replay': 2.75,
    'asgf_nav_ros.systems': 3.0, 'asgf_nav_ros.learning': 3.5, 'asgf_nav_ros.nodes': 3.0,
    'asgf_nav_ros.doctor': 3.0,
    'asgf_nav_ros.benchmark': 4.0, 'asgf_nav_ros.demo': 4.5, 'asgf_nav_ros.cli': 5.0}
ROS_PACKAGES = {
    'rclpy', 'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs', 'launch', 'launch_ros',
    'lifecycle_msgs', 'nav_msgs', 'rcl_interfaces', 'rosgraph_msgs', 'sensor_msgs', 'std_msgs',
    'std_srvs', 'tf2_ros', 'visualization_msgs'}
TORCH_PARTS = {
    'asgf_nav_ros.network', 'asgf_nav_ros.learning', 'asgf_nav_ros.systems',
    'asgf_nav_ros.benchmark'}
TORCH_WORLDS = {
    'sim_bridge.bake', 'sim_bridge.bake_pool', 'sim_bridge.batched_spectrogram',
    'sim_bridge.grid_world', 'sim_bridge.resident_houses', 'sim_bridge.resident_world',
    'sim_bridge.soundspaces.convolution', 'sim_bridge.soundspaces.world'}
ROBOT_PARTS = (
    'asgf_nav_ros.contract', 'asgf_nav_ros.sound.spectrogram', 'asgf_nav_ros.cli',
    'asgf_nav_ros.inference.onnx_policy', 'asgf_nav_ros.motion.controller',
    'asgf_nav_ros.nodes.spectrogram', 'asgf_nav_ros.nodes.policy', 'asgf_nav_ros.nodes.motion',
    'asgf_nav_ros.nodes.audio_capture', 'asgf_nav_ros.nodes.camera',
    'asgf_nav_ros.doctor.command')
TRAINING_AND_SIMULATION = (
    'torch', 'numba', 'moderngl', 'librosa', 'skimage', 'matplotlib', 'sim_bridge', 'onnx')


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def part(module):
    """The named floor part that a module belongs to, None for package roots."""
    names = module.split('.')
    return next((name for length in (2, 1) if (name := '.'.join(names[:length])) in FLOORS), None)


def imported_modules(path):
    """Absolute names of everything that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            found.add(node.module)
            found.update(f'{node.module}.{alias.name}' for alias in node.names)
    return found


def ids(path):
    return module_name(path)


@pytest.mark.parametrize('path', SOURCES, ids=ids)
def test_imports_only_floors_below(path):
    own = part(module_name(path))
    for imported in imported_modules(path):
        other = part(imported)
        if other not in (None, own):
            assert own is not None and FLOORS[other] < FLOORS[own], f'imports {imported}'


@pytest.mark.parametrize('path', SOURCES, ids=ids)
def test_only_nodes_import_ros(path):
    roots = {name.partition('.')[0] for name in imported_modules(path)}
    if part(module_name(path)) != 'asgf_nav_ros.nodes':
        assert not roots & ROS_PACKAGES


@pytest.mark.parametrize('path', SOURCES, ids=ids)
def test_torch_stays_where_things_learn(path):
    module = module_name(path)
    if part(module) not in TORCH_PARTS and module not in TORCH_WORLDS:
        assert 'torch' not in {name.partition('.')[0] for name in imported_modules(path)}


@pytest.mark.parametrize('module', ROBOT_PARTS)
def test_robot_parts_load_neither_torch_nor_simulators(module):
    code = (f'import sys, {module}\n'
            f'print(sorted(set({TRAINING_AND_SIMULATION!r}) & set(sys.modules)))')
    loaded = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True,
                            text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.strip() == '[]'


@pytest.mark.parametrize('path', [
    *SOURCES, *sorted((ROOT / 'test').rglob('*.py')), *sorted((ROOT / 'launch').glob('*.py')),
    *sorted((ROOT / 'tools').iterdir()), ROOT / 'setup.py', ROOT / 'Makefile'],
    ids=lambda path: str(path.relative_to(ROOT)))
def test_names_its_licence(path):
    head = path.read_text(encoding='utf-8').splitlines()[:2]
    assert any('SPDX-License-Identifier: Apache-2.0' in line for line in head)


def test_every_module_belongs_to_a_floor():
    roots = {'asgf_nav_ros'}
    assert [path for path in SOURCES if part(module_name(path)) is None
            and module_name(path) not in roots] == []
