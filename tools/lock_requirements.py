# SPDX-License-Identifier: Apache-2.0
"""Write requirements/*.txt: the exact versions of this environment, dependencies included.

    .venv/bin/python tools/lock_requirements.py

Each file lists what the files before it do not, so that they are installed one after the other,
without resolving anything. torch comes last and alone: its own dependencies depend on the build.
"""

import argparse
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GROUPS = {
    'robot': ['PyYAML', 'numpy', 'onnxruntime', 'opencv-python-headless', 'scipy',
              'sounddevice'],
    'ros': ['ros-jazzy-rclpy[fastrtps]', 'ros-jazzy-diagnostic-msgs', 'ros-jazzy-geometry-msgs',
            'ros-jazzy-lifecycle-msgs', 'ros-jazzy-nav-msgs', 'ros-jazzy-rosgraph-msgs',
            'ros-jazzy-sensor-msgs', 'ros-jazzy-std-msgs', 'ros-jazzy-std-srvs'],
    'simulation': ['h5py', 'moderngl', 'msgpack', 'numba', 'shapely', 'soundfile', 'soxr',
                   'tinysoundfont', 'tqdm'],
    'demo': ['av', 'matplotlib', 'rosbags'],
    'training': ['filelock', 'fsspec', 'jinja2', 'networkx', 'onnx', 'onnxscript',
                 'scikit-learn', 'sympy', 'tensorboard'],
    'test': ['colcon-core', 'colcon-ros', 'hypothesis', 'librosa', 'pyroomacoustics', 'pytest',
             'pytest-xdist', 'ruff', 'scikit-image', 'setuptools', 'wheel'],
    'cluster': ['ray'],
    'torch': ['torch'],
}
WITHOUT_DEPENDENCIES = {'tinysoundfont', 'torch'}  # PyAudio needs a compiler; see above
SKIPPED = {'pytest-cov', 'pytest-repeat', 'pytest-rerunfailures'}  # colcon can do without


def dependencies(requirement: Requirement) -> list[Requirement]:
    """Return what ``requirement``, with its extras, asks for on this Python and platform."""
    if canonicalize_name(requirement.name) in WITHOUT_DEPENDENCIES:
        return []
    needed = map(Requirement, metadata.requires(requirement.name) or [])
    extras = requirement.extras or {''}
    return [need for need in needed
            if need.marker is None or any(need.marker.evaluate({'extra': e}) for e in extras)]


def closure(names: list[str]) -> set[str]:
    """Return the canonical names of everything that ``names`` need, themselves included."""
    queue, found, seen = [Requirement(name) for name in names], set(), set()
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if str(requirement) in seen or name in SKIPPED:
            continue
        seen.add(str(requirement))
        found.add(name)
        queue += dependencies(requirement)
    return found


def main() -> None:
    """Write one file a group."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=Path('requirements'))
    out = parser.parse_args().out
    listed: set[str] = set()
    for group, names in GROUPS.items():
        new = sorted(closure(names) - listed)
        listed.update(new)
        pins = [f'{name}=={metadata.version(name).partition("+")[0]}' for name in new]
        (out / f'{group}.txt').write_text('\n'.join(pins) + '\n', encoding='utf-8')
        print(f'{group}: {len(pins)} packages')


if __name__ == '__main__':
    main()
