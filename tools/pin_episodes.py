# SPDX-License-Identifier: Apache-2.0
"""Draw every standard set of houses-v1 and write their hashes into the benchmark's file.

    .venv/bin/python tools/pin_episodes.py

Run it when houses, lattices or sounds change on purpose: results from before are then of another
benchmark.
"""

import argparse
import itertools
from pathlib import Path

from asgf_nav_ros.benchmark.houses_v1 import Benchmark
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.benchmark.houses_v1 import NAME
from asgf_nav_ros.benchmark.houses_v1 import sha256
from asgf_nav_ros.contract import PolicyContract
from sim_bridge.episodes import SIZES
from sim_bridge.sounds import load_catalogue

PINNED_SPLITS = ('val', 'test')


def main() -> None:
    """Replace the last section of the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--file', type=Path, default=Path('config/benchmarks') / f'{NAME}.yaml')
    file = parser.parse_args().file
    benchmark, catalogue, lines = Benchmark.read(file), load_catalogue(), []
    for size, split in itertools.product(SIZES, PINNED_SPLITS):
        for sounds, chosen in (('heard', (catalogue.heard,)), ('unheard', catalogue.split(split))):
            drawn = draw_episodes(
                benchmark.house_names(size, split), chosen, PolicyContract(),
                settings=benchmark.bake, count=benchmark.episodes, seed=benchmark.seed)
            lines.append(f'  {size}/{split}/{sounds}: {sha256(drawn)}')
            print(lines[-1])
    head = file.read_text(encoding='utf-8').partition('sha256:')[0]
    file.write_text(f'{head}sha256:\n' + '\n'.join(lines) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
