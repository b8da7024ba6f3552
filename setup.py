# SPDX-License-Identifier: Apache-2.0
"""Build of the ament_python package; pip and colcon both come through here."""

from pathlib import Path

from setuptools import find_packages
from setuptools import setup

PACKAGE = 'asgf_nav_ros'
SHARE = f'share/{PACKAGE}'
NODES = ('audio_capture', 'camera', 'composed', 'motion', 'player', 'policy', 'recorder',
         'simulator', 'spectrogram', 'visuals')
FIGURES = ['av', 'matplotlib', 'rosbags']
ORACLES = ['librosa', 'pyroomacoustics', 'scikit-image']  # other people's answers, for comparison
SIMULATION = ['h5py', 'moderngl', 'msgpack', 'numba', 'shapely', 'soundfile', 'soxr',
              'tqdm']


def share_files(folder: str, pattern: str) -> tuple[str, list[str]]:
    """Return one entry of ``data_files``: the files of ``folder``, for the share directory."""
    return f'{SHARE}/{folder}', [str(path) for path in sorted(Path(folder).glob(pattern))]


setup(
    name=PACKAGE,
    version='0.1.0',
    description='Audio-visual navigation for ROS 2: hear a sound, drive to it.',
    license='Apache-2.0',
    maintainer='asgf_nav_ros maintainers',
    maintainer_email='asgf-nav-ros@example.org',
    python_requires='>=3.10',
    packages=find_packages(include=[f'{PACKAGE}*', 'sim_bridge*']),
    package_data={'': ['*.json', '*.html']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (SHARE, ['package.xml']),
        share_files('config', '*.*'),
        share_files('config', '*.xml'),
        share_files('config/benchmarks', '*.yaml'),
        share_files('config/recipes', '*.yaml'),
        share_files('launch', '*.launch.py'),
        share_files('models', '*.*'),
    ],
    install_requires=['PyYAML', 'numpy', 'onnxruntime', 'opencv-python-headless', 'scipy',
                      'sounddevice'],
    extras_require={
        # tinysoundfont renders the General MIDI sounds. It is left out because it drags in
        # PyAudio, which needs PortAudio's headers: pip install --no-deps tinysoundfont
        'sim': SIMULATION,
        'demo': SIMULATION + FIGURES,
        'replay': ['rosbags'],
        'train': SIMULATION + ['onnx', 'onnxscript', 'tensorboard', 'torch>=2.6'],
        'figures': SIMULATION + ['matplotlib', 'onnx', 'scikit-learn', 'torch>=2.6'],
        'bench': SIMULATION + ORACLES + ['torch>=2.6'],
        'cluster': ['ray'],
        'test': ORACLES + FIGURES + ['hypothesis', 'pytest', 'ruff', 'scikit-learn'],
    },
    entry_points={
        'console_scripts': ['asgf-nav = asgf_nav_ros.cli:main'] + [
            f'{node} = asgf_nav_ros.nodes.{node}:main' for node in NODES],
    },
    zip_safe=True,
)
