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
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.export import verify_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.network.initial_weights import begin_with

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


def views(*shape):
    return (torch.randint(0, 256, (*shape, 64, 64, 3), dtype=torch.uint8),
            10 * torch.rand(*shape, 64, 64), torch.log1p(torch.rand(*shape, 65, 26, 5)))


def believing_agent(system='asgf_plus'):
    torch.manual_seed(0)
    agent = NavigationAgent(CONTRACT, system=system)
    torch.nn.init.normal_(agent.place_head.weight, std=0.1)
    return agent


@pytest.mark.parametrize('system', ['asgf_plus', 'av_nav_plus'])
def test_a_sequence_believes_what_its_steps_believe(system):
    agent = believing_agent(system)
    rgb, depth, sound = views(5, 2)
    motion = torch.rand(5, 2, 9)
    starts = torch.zeros(5, 2, dtype=torch.bool)
    starts[3, 1] = True
    hidden, logits = agent.initial_hidden(2), []
    for step in range(5):
        hidden = torch.where(starts[step].unsqueeze(-1), 0.0, hidden)
        output = agent(rgb[step], depth[step], sound[step], hidden, motion[step])
        hidden = output.hidden
        logits.append(output.logits)
    got = agent.sequence(rgb, depth, sound, agent.initial_hidden(2), starts, motion)
    torch.testing.assert_close(got.logits, torch.stack(logits), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got.hidden, hidden, rtol=1e-4, atol=1e-4)


def test_exported_policy_believes_as_well(tmp_path):
    agent = believing_agent()
    export_onnx(agent, tmp_path / 'agent.onnx', provenance={})
    assert verify_onnx(agent, tmp_path / 'agent.onnx', steps=6) < 1e-4
    verify_onnx(agent_of_export(tmp_path / 'agent.onnx'), tmp_path / 'agent.onnx')


def test_weights_from_before_ignore_the_map_at_first():
    torch.manual_seed(0)
    taught, agent = NavigationAgent(BEFORE), NavigationAgent(CONTRACT)
    begin_with(agent, taught)
    rgb, depth, sound = views(3)
    motion = torch.rand(3, 9)
    before = taught(rgb, depth, sound, taught.initial_hidden(3), motion)
    after = agent(rgb, depth, sound, agent.initial_hidden(3), motion)
    torch.testing.assert_close(after.logits, before.logits, rtol=1e-5, atol=1e-6)


def test_a_map_that_nothing_feeds_is_refused():
    with pytest.raises(ValueError, match='belief_cells need odometry and one of'):
        NavigationAgent(CONTRACT, system='asgf')
    with pytest.raises(ValueError, match='hidden_size must be over the 507 numbers'):
        NavigationAgent(dataclasses.replace(CONTRACT, hidden_size=507))
    with pytest.raises(ValueError, match='belief_cells must be odd or 0, got 4'):
        dataclasses.replace(CONTRACT, belief_cells=4)
