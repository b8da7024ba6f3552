# SPDX-License-Identifier: Apache-2.0
import numpy as np

from sim_bridge.acoustics.cell_grid import build_cell_grid
from sim_bridge.acoustics.cell_grid import CELL_M


def test_every_point_of_a_box_lies_in_a_cell_that_lists_it():
    rng = np.random.default_rng(0)
    low_m = rng.uniform(-5, 5, (20, 2))
    high_m = low_m + rng.uniform(0, 2, (20, 2))
    grid = build_cell_grid(low_m, high_m)
    for index in range(20):
        for x, y in rng.uniform(low_m[index], high_m[index], (20, 2)):
            row = int((y - grid.origin_y) // CELL_M)
            column = int((x - grid.origin_x) // CELL_M)
            assert index in grid.cells[row, column]
