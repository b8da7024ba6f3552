# SPDX-License-Identifier: Apache-2.0
"""The package as others get it: metadata that agrees, and a colcon build that installs it all."""

import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

import asgf_nav_ros

ROOT = Path(__file__).resolve().parent.parent
COPIED = ('asgf_nav_ros', 'sim_bridge', 'config', 'launch', 'models', 'resource', 'package.xml',
          'pyproject.toml', 'setup.py', 'setup.cfg', 'LICENSE')
NODES = ('audio_capture', 'camera', 'composed', 'motion', 'player', 'policy', 'recorder',
         'simulator', 'spectrogram', 'visuals')


@pytest.fixture(scope='module')
def manifest():
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def build(workspace, *options):
    """Build a copy of the sources with colcon and return the prefix."""
    pytest.importorskip('colcon_core')
    sources = workspace / 'src' / 'asgf_nav_ros'
    sources.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, sources / name)
    colcon = [sys.executable, '-m', 'colcon', '--log-base', 'log', 'build', *options]
    environment = {**os.environ, 'COLCON_HOME': str(workspace)}
    done = subprocess.run(colcon, cwd=workspace, env=environment, capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return workspace / 'install' / 'asgf_nav_ros'


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """Prefix of a colcon build."""
    return build(tmp_path_factory.mktemp('workspace'))


def test_version_is_the_same_everywhere(manifest):
    version = asgf_nav_ros.__version__
    assert manifest.findtext('version') == version
    assert f"version='{version}'" in (ROOT / 'setup.py').read_text()
    assert re.search(rf'^## {re.escape(version)}\b', (ROOT / 'CHANGELOG.md').read_text(), re.M)


def test_licence_is_apache(manifest):
    assert manifest.findtext('license') == 'Apache-2.0'
    assert 'Apache License' in (ROOT / 'LICENSE').read_text()


def test_manifest_is_an_ament_python_package_of_format_3(manifest):
    assert manifest.get('format') == '3'
    assert manifest.findtext('export/build_type') == 'ament_python'


def test_manifest_lists_every_ros_package_that_the_nodes_import(manifest):
    listed = {element.text for element in manifest.findall('exec_depend')}
    sources = [*(ROOT / 'asgf_nav_ros' / 'nodes').glob('*.py'), *(ROOT / 'launch').glob('*.py')]
    pattern = re.compile(r'^\s*(?:from|import) (rclpy|launch(?:_ros)?|\w+_(?:msgs|srvs))\b', re.M)
    used = {name for source in sources for name in pattern.findall(source.read_text())}
    assert used - {'builtin_interfaces'} <= listed


def test_requirements_are_pinned_to_one_version():
    for file in (ROOT / 'requirements').glob('*.txt'):
        for line in file.read_text().splitlines():
            assert re.fullmatch(r'[a-z0-9._-]+==[a-z0-9.]+', line), f'{file.name}: {line}'


def test_colcon_puts_executables_where_ros2_run_looks(installed):
    folder = installed / 'lib' / 'asgf_nav_ros'
    for name in (*NODES, 'asgf-nav'):
        assert os.access(folder / name, os.X_OK), name


def test_colcon_can_link_instead_of_copying(tmp_path):
    prefix = build(tmp_path, '--symlink-install')
    assert os.access(prefix / 'lib' / 'asgf_nav_ros' / 'policy', os.X_OK)
    launch = prefix / 'share' / 'asgf_nav_ros' / 'launch' / 'sim.launch.py'
    assert launch.is_symlink() and launch.is_file()


def test_colcon_installs_launch_config_and_models(installed):
    share = installed / 'share'
    assert (share / 'ament_index/resource_index/packages/asgf_nav_ros').is_file()
    for folder in ('config', 'launch', 'models'):
        wanted = {path.name for path in (ROOT / folder).iterdir() if path.is_file()}
        found = {path.name for path in (share / 'asgf_nav_ros' / folder).iterdir()}
        assert wanted <= found


def test_colcon_installs_data_files_of_both_packages(installed):
    packages = next(installed.glob('lib/python*/site-packages'))
    for source in (*ROOT.glob('sim_bridge/**/*.json'), *ROOT.glob('asgf_nav_ros/**/*.html'),
                   *ROOT.glob('asgf_nav_ros/**/*.py')):
        assert (packages / source.relative_to(ROOT)).is_file()
