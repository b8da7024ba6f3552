# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from asgf_nav_ros.systems.registry import navigator


def test_random_walk_repeats_with_its_episodes_generator(tmp_path):
    walks = []
    for _ in range(2):
        system = navigator('random', models=tmp_path)
        system.begin(np.array([0, 5]), [np.random.default_rng(seed) for seed in (1, 2)])
        walks.append([system.decide(np.array([0, 5]), None).tolist() for _ in range(40)])
    assert walks[0] == walks[1]
    assert set(np.ravel(walks)) == {0, 1, 2, 3}


@pytest.mark.parametrize('system, message', [
    ('dijkstra', 'system must be one of'),
    ('asgf_without_ase', 'no model of'),
])
def test_unknown_or_unshipped_systems_are_refused(tmp_path, system, message):
    with pytest.raises(ValueError, match=message):
        navigator(system, models=tmp_path)
