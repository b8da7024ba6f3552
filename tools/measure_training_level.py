# SPDX-License-Identifier: Apache-2.0
"""Print how loud sounds are 1 m away in the houses that policies are trained in.

    .venv/bin/python tools/measure_training_level.py

The median is ``TRAINING_RMS_DB`` of asgf_nav_ros/doctor/calibration.py.
"""

import argparse

import numpy as np

from asgf_nav_ros.contract import PolicyContract
from sim_bridge.embedded import EmbeddedWorld
from sim_bridge.episodes import load_house
from sim_bridge.simulator import Pose2D
from sim_bridge.sounds import load_catalogue
from sim_bridge.sounds import load_sound

SOURCE_DISTANCE_M = 1.0
LISTENED_S = 4


def loudest_rms_db(world: EmbeddedWorld, dry: np.ndarray, rng: np.random.Generator) -> float:
    """RMS over both ears of the loudest second, at a random place in the house, facing it."""
    nodes = world.graph.nodes
    apart_m = np.linalg.norm(nodes[:, None] - nodes[None], axis=-1)
    pairs = np.argwhere(np.abs(apart_m - SOURCE_DISTANCE_M) < 0.05)
    ear, source = nodes[pairs[rng.integers(len(pairs))]]
    yaw_rad = float(np.arctan2(*(source - ear)[::-1]))
    height_m = world.contract.camera_height_m
    world.begin(start=Pose2D(*ear, yaw_rad), source_xyz=(*source, height_m), dry=dry,
                seed=int(rng.integers(2 ** 31)))
    rate_hz = world.contract.sample_rate_hz
    seconds = world.listen(LISTENED_S * rate_hz).reshape(2, LISTENED_S, rate_hz)
    return float(10 * np.log10((seconds ** 2).mean(axis=(0, 2)).max()))


def main() -> None:
    """Measure and print percentiles."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--houses', type=int, default=8)
    parser.add_argument('--sounds', type=int, default=12, help='in each house')
    arguments = parser.parse_args()
    contract, rng = PolicyContract(), np.random.default_rng(0)
    sounds = load_catalogue().split('train')
    levels = []
    with EmbeddedWorld(contract, rays=3000) as world:
        for index in range(arguments.houses):
            world.enter(load_house(f'small/train/{index}'))
            for sound in rng.choice(len(sounds), arguments.sounds, replace=False):
                dry = load_sound(sounds[sound], contract.sample_rate_hz)
                levels.append(loudest_rms_db(world, dry, rng))
    low, median, high = np.percentile(levels, (10, 50, 90))
    print(f'{len(levels)} sounds at {SOURCE_DISTANCE_M:g} m: median {median:.1f} dB, '
          f'10 to 90 %: {low:.1f} to {high:.1f} dB')


if __name__ == '__main__':
    main()
