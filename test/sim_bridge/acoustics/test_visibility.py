# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies
import numpy as np
import pytest

from sim_bridge.acoustics.enclosure import vertical_faces
from sim_bridge.acoustics.visibility import is_clear
from sim_bridge.acoustics.visibility import open_share

# A wall along y = 0 in two pieces that meet at x = 0.
WALL = vertical_faces([[-2, 0, 0, 0], [0, 0, 2, 0]], np.zeros((2, 6)), np.zeros(2),
                      height_m=2.5).geometry


@pytest.mark.parametrize('x, clear', [(0.0, False), (1.9, False), (2.1, True), (-2.1, True)])
def test_a_wall_blocks_up_to_its_ends(x, clear):
    assert is_clear(WALL, x, -1.0, x, 1.0) == clear


@settings(deadline=None, max_examples=50)
@given(strategies.floats(-1.5, 1.5))
def test_nothing_passes_the_joint_of_two_walls(x):
    assert open_share(WALL, np.array([x, -1, 1.2]), np.array([x, 1, 1.2]), 0.2) < 1e-9


def test_the_edge_of_a_shadow_is_soft():
    shares = [open_share(WALL, np.array([x, -1, 1.2]), np.array([x, 1, 1.2]), 0.2)
              for x in np.arange(1.8, 2.2, 0.01)]
    assert shares[0] == 0.0 and shares[-1] == 1.0
    assert np.diff(shares).min() >= 0.0
    assert np.diff(shares).max() < 0.06


def test_sound_passes_under_a_lintel_only():
    lintel = vertical_faces([[-2, 0, 2, 0]], np.zeros((1, 6)), np.zeros(1), height_m=2.5,
                            bottoms_m=[2.0]).geometry
    assert open_share(lintel, np.array([0, -1, 1.2]), np.array([0, 1, 1.2]), 0.2) == 1.0
    assert open_share(lintel, np.array([0, -1, 2.3]), np.array([0, 1, 2.3]), 0.2) == 0.0
