# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sim_bridge.acoustics.corners import distinct_ends
from sim_bridge.acoustics.corners import free_ends
from sim_bridge.acoustics.corners import open_direction


def _faces(*segments, bottom_m=-np.inf):
    segments = np.array(segments, np.float64)
    along = segments[:, 2:] - segments[:, :2]
    length_m = np.hypot(*along.T)
    return np.column_stack([segments[:, :2], along / length_m[:, None], length_m,
                            np.full(len(along), bottom_m), np.full(len(along), np.inf)])


def test_a_screen_ends_in_the_open_along_its_own_direction():
    np.testing.assert_allclose(open_direction(np.array([1.0, 0.0]), _faces([0, 0, 1, 0])), [1, 0],
                               atol=1e-9)


def test_a_corner_that_sticks_out_opens_along_its_bisector():
    faces = _faces([0, -1, 0, 0], [0, 0, -1, 0])
    assert open_direction(np.zeros(2), faces) is None  # they reflect on the inner side
    faces = _faces([-1, 0, 0, 0], [0, 0, 0, -1])
    np.testing.assert_allclose(open_direction(np.zeros(2), faces), np.full(2, np.sqrt(0.5)))


@pytest.mark.parametrize('segments', [
    [[-1, 0, 0, 0], [0, 0, 1, 0]],  # a straight joint
    [[-1, 0, 1, 0], [0, 0, 0, 1]],  # a wall that ends on another
    [[-1, 0, 1, 0], [0, -1, 0, 1]]])  # a crossing
def test_a_joint_has_no_corner(segments):
    assert open_direction(np.zeros(2), _faces(*segments)) is None


def test_ends_are_found_once():
    assert len(distinct_ends(_faces([0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 1, 1]))) == 3


def test_a_lintel_ends_where_the_wall_beside_the_door_does():
    walls = _faces([0, 3, 0, 0], [0, 0, 1, 0])  # the second one ends at the door
    lintel = _faces([1, 0, 2, 0], bottom_m=2.0)
    np.testing.assert_array_equal(free_ends(np.concatenate([walls, lintel]))[1:],
                                  [[False, True], [True, False]])
