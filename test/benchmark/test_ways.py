# SPDX-License-Identifier: Apache-2.0
import collections

import numpy as np
import pytest

from asgf_nav_ros.benchmark.ways import Difficulty
from asgf_nav_ros.benchmark.ways import FEWEST_ACTIONS
from asgf_nav_ros.benchmark.ways import Ways
from sim_bridge.episodes import SHORTEST_GEODESIC_M
from sim_bridge.house.navigation import build_navigation_graph
from sim_bridge.house.plan import Door
from sim_bridge.house.plan import House
from sim_bridge.house.plan import Room

# Three rooms of 4 m x 3 m in a row; the doors stand at opposite ends of their walls.
ROW = House(
    'row', tuple(Room(f'room {k}', np.array([[4 * k, 0], [4 * k + 4, 0], [4 * k + 4, 3],
                                             [4 * k, 3]])) for k in range(3)),
    doors=(Door(np.array([4.0, 0.1]), np.array([4.0, 1.1])),
           Door(np.array([8.0, 1.9]), np.array([8.0, 2.9]))))
GRAPH = build_navigation_graph(ROW, offset_m=(0.25, 0.25))
GOAL = GRAPH.nearest((0.75, 0.75))


@pytest.fixture(scope='module')
def ways():
    return Ways.of(ROW, GRAPH, [GOAL])


def at(ways, x_m, y_m):
    return GRAPH.nearest((x_m, y_m))


def test_rooms_are_counted_along_the_way(ways):
    rooms = ways.rooms_away[0]
    assert rooms.tolist() == ROW.rooms_at(GRAPH.nodes).tolist()  # the goal is in room 0


def test_a_way_around_a_wall_is_longer_than_the_straight_line(ways):
    behind = at(ways, 8.25, 0.75)  # the second door is at the other end
    assert ways.geodesic_m[0, behind] == pytest.approx(GRAPH.distances_m()[behind, GOAL])
    assert ways.ratio[0, behind] > 1.25
    assert ways.ratio[0, at(ways, 3.25, 0.75)] == pytest.approx(1.0)
    assert ways.ratio[0, GOAL] == 1.0


def test_draws_are_far_enough_and_spread_over_difficulty(ways):
    drawn = ways.draw(300, np.random.default_rng(0))
    for source, node, heading in drawn:
        assert ways.geodesic_m[source, node] >= SHORTEST_GEODESIC_M
        assert ways.actions[source, node, heading] >= FEWEST_ACTIONS
    counts = collections.Counter(int(ways.rooms_away[source, node]) for source, node, _ in drawn)
    assert set(counts) == {0, 1, 2} and min(counts.values()) > 70
    assert {heading for *_, heading in drawn} == {0, 1, 2, 3}


def test_the_generator_decides(ways):
    first, again, other = (ways.draw(20, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again and first != other


def test_a_house_without_a_long_way_is_refused():
    closet = House('closet', (Room('it', np.array([[0, 0], [1, 0], [1, 1], [0, 1]])),))
    graph = build_navigation_graph(closet, offset_m=(0.25, 0.25))
    with pytest.raises(ValueError, match='a start 1.5 m and 4 actions away'):
        Ways.of(closet, graph, [0]).draw(1, np.random.default_rng(0))


@pytest.mark.parametrize('difficulty, ratio_bin, rooms_bin', [
    (Difficulty(1.0, 0), '1.00-1.25', '0'), (Difficulty(1.25, 3), '1.25-1.50', '3'),
    (Difficulty(1.999, 5), '1.50-2.00', '4-5'), (Difficulty(7.0, 12), '2.00 and more',
                                                 '6 and more')])
def test_bins_begin_at_their_number(difficulty, ratio_bin, rooms_bin):
    assert (difficulty.ratio_bin, difficulty.rooms_bin) == (ratio_bin, rooms_bin)
