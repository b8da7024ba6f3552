# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node ``simulator``."""

from __future__ import annotations

import dataclasses

from asgf_nav_ros.nodes.parameters import full_scale
from asgf_nav_ros.nodes.parameters import NodeParameters
from asgf_nav_ros.nodes.parameters import parameter
from sim_bridge.episodes import SIZES
from sim_bridge.sounds import SPLITS
from sim_bridge.soundspaces.layout import DATASETS


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimulatorParameters(NodeParameters):
    """Parameters of ``simulator``."""

    lockstep: bool = parameter(
        True, 'Wait for the graph at each tick, as fast as it goes and bit for bit the same; '
        'false runs by the wall clock.')
    realtime_factor: float = parameter(
        1.0, 'Simulated seconds a second without lockstep.', low=0.05, high=10)
    cmd_vel_stamped: bool = parameter(True, 'Take TwistStamped; lockstep needs it.')
    tick_s: float = parameter(0.02, 'Time between odometry messages.', low=0.005, high=0.1)
    audio_block_s: float = parameter(0.1, 'Length of an audio message.', low=0.01, high=1)
    full_scale: float = full_scale()
    image_period_s: float = parameter(
        0.1, 'Time between images while moving; motion must have it as depth_wait_s in '
        'lockstep.', low=0.02, high=1)
    house: str = parameter(
        '', 'A floor plan (.json) or a name like small/test/7; empty draws one an episode.')
    split: str = parameter('test', 'Split of generated houses and sounds.', choices=SPLITS)
    size: str = parameter('small', 'Size of generated houses.', choices=SIZES)
    sounds: str = parameter(
        'unheard', 'heard: the telephone; unheard: all sounds of the split.',
        choices=('heard', 'unheard'))
    sound_folder: str = parameter('', "Your own recordings, instead of the catalogue's.")
    episodes_file: str = parameter('', 'JSON list of episodes, instead of drawing them.')
    own_lattices: bool = parameter(
        False, 'Each episode of episodes_file has a lattice of its own, drawn from its seed: '
        'robots start anywhere and face anywhere.')
    dataset_root: str = parameter(
        '', 'Folder of a download of SoundSpaces 1.0, whose scenes, sounds and episodes take the '
        'place of houses; seed draws among its episodes.')
    dataset_name: str = parameter(
        'replica', 'Dataset under dataset_root.', choices=tuple(sorted(DATASETS)))
    dataset_split: str = parameter('test_telephone', 'Split of that dataset.')
    episodes: int = parameter(1, 'Episodes to run.', low=1, high=100000)
    seed: int = parameter(1, 'Draws houses, ways and sounds.', low=0, high=2**31)
    max_actions: int = parameter(500, 'An episode ends after so many.', low=1, high=100000)
    episode_time_limit_s: float = parameter(
        1800.0, 'An episode ends after so long.', low=1, high=86400)
    run_time_limit_s: float = parameter(
        0.0, 'No episode begins after so long, of simulated time; 0: only their number ends a '
        'run.', low=0, high=1000000)
    odometry_noise_linear_m_per_sqrt_m: float = parameter(
        0.0, 'Error of the odometry over a metre, as a standard deviation; it grows with the root '
        'of the way.', low=0, high=1)
    odometry_noise_angular_rad_per_sqrt_rad: float = parameter(
        0.0, 'Error of the odometry over a turn of a radian, as a standard deviation; it grows '
        'with the root of the angle.', low=0, high=1)
    handshake_timeout_s: float = parameter(
        20.0, 'Wall time to wait for a message of the graph in lockstep.', low=1, high=600)
    startup_timeout_s: float = parameter(
        60.0, 'Wall time to wait for the other nodes at the start.', low=1, high=3600)
    startup_settle_s: float = parameter(
        0.5, 'Wall time from when all are there to the first tick.', low=0, high=30)
    wait_for_graph: bool = parameter(
        True, 'Begin only when spectrogram, policy and an enabled motion are there.')
    exit_when_done: bool = parameter(True, 'End the process after the last episode.')
    tell_results: bool = parameter(
        False, 'Print each result as a line of JSON, for the process that started this one.')

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lockstep and not self.cmd_vel_stamped:
            raise ValueError('lockstep needs cmd_vel_stamped, got false')
        if self.lockstep and not self.wait_for_graph:
            raise ValueError('lockstep needs wait_for_graph, got false')
        if self.own_lattices and not self.episodes_file:
            raise ValueError('own_lattices needs an episodes_file, got none')
        for name in ('house', 'sound_folder', 'episodes_file'):
            if self.dataset_root and getattr(self, name):
                raise ValueError(f'{name} is not for a dataset_root, whose split names scenes, '
                                 f'sounds and episodes; got {getattr(self, name)}')
