# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import pytest
import torch

from asgf_nav_ros.contract import BELIEF_CELL_M
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.belief_map import BeliefMap
from asgf_nav_ros.network.belief_map import place_targets
from asgf_nav_ros.network.belief_map import PLACES
from asgf_nav_ros.network.descriptor import AZIMUTH_BINS
from asgf_nav_ros.network.descriptor import DISTANCE_BINS

CELLS = 21
BEFORE = PolicyContract(image_height=64, image_width=64, odometry=True, system='asgf_plus',
                        audio_channels=TWO_EARS_WITH_INTERAURAL)
CONTRACT = dataclasses.replace(BEFORE, belief_cells=CELLS, goal_windows=2,
                               hidden_size=512 + 66 + CELLS ** 2)


def motion_at(x_m, y_m, yaw_rad):
    motion = torch.zeros(1, 9)
    motion[0, 4:6] = torch.tensor([x_m, y_m]) / 10
    motion[0, 6:8] = torch.tensor([math.cos(yaw_rad), math.sin(yaw_rad)])
    return motion


def seen_from(goal, x_m, y_m, yaw_rad):
    """Log ratios (1, PLACES) of ears that are sure of the bin of a goal."""
    east, north = goal[0] - x_m, goal[1] - y_m
    offset = torch.tensor([[math.cos(yaw_rad) * east + math.sin(yaw_rad) * north,
                            math.cos(yaw_rad) * north - math.sin(yaw_rad) * east]])
    return 8 * place_targets(offset)


def likeliest(belief_map, state):
    return belief_map.places[state.argmax(-1)].squeeze(0)


@pytest.mark.parametrize('goal', [(4.0, 0.0), (0.0, 4.0), (-3.0, 2.0), (5.0, -6.0)])
def test_evidence_from_several_places_meets_at_the_goal(goal):
    belief_map = BeliefMap(CONTRACT)
    state = torch.zeros(1, belief_map.size)
    for pose in [(0, 0, 0), (0, 0, math.pi / 2), (1.5, -1, math.pi), (-2, 3, 0), (0, 5, 1.0)]:
        state = belief_map.remember(
            belief_map.evidence(seen_from(goal, *pose), motion_at(*pose)), state)
    found = likeliest(belief_map, state)
    assert (found - torch.tensor(goal)).norm() <= 1.5 * BELIEF_CELL_M
    assert state.max() == 0 and state.min() < -4


def test_silence_changes_no_belief():
    belief_map = BeliefMap(CONTRACT)
    state = belief_map.remember(belief_map.evidence(
        seen_from((4.0, 1.0), 0, 0, 0), motion_at(0, 0, 0)), torch.zeros(1, belief_map.size))
    silent = belief_map.evidence(torch.zeros(1, PLACES), motion_at(3, 0, math.pi))
    torch.testing.assert_close(belief_map.remember(silent, state), state)


def test_what_is_read_off_turns_with_the_robot():
    belief_map = BeliefMap(CONTRACT)
    ahead = belief_map.remember(belief_map.evidence(
        seen_from((4.0, 0.0), 0, 0, 0), motion_at(0, 0, 0)), torch.zeros(1, belief_map.size))
    left = belief_map.remember(belief_map.evidence(
        seen_from((0.0, 4.0), 0, 0, 0), motion_at(0, 0, 0)), torch.zeros(1, belief_map.size))
    torch.testing.assert_close(belief_map.look(ahead, motion_at(0, 0, 0)),
                               belief_map.look(left, motion_at(0, 0, math.pi / 2)),
                               atol=1e-3, rtol=1e-3)
    assert (belief_map.look(ahead, motion_at(0, 0, 0))
            - belief_map.look(left, motion_at(0, 0, 0))).abs().max() > 0.05


def test_targets_are_shares_and_a_source_here_has_no_azimuth():
    targets = place_targets(torch.tensor([[3.0, 0.0], [0.0, 0.0], [0.0, -50.0]]))
    assert targets.sum(-1).tolist() == pytest.approx([1, 1, 1])
    here = targets[1].unflatten(0, (AZIMUTH_BINS, DISTANCE_BINS))
    assert here[:, 0].tolist() == pytest.approx([1 / AZIMUTH_BINS] * AZIMUTH_BINS)
    assert targets[2].argmax() == AZIMUTH_BINS * 3 // 4 * DISTANCE_BINS + DISTANCE_BINS - 1


def test_a_map_that_nothing_feeds_is_refused():
    with pytest.raises(ValueError, match='belief_cells need odometry and one of'):
        NavigationAgent(CONTRACT, system='asgf')
