# SPDX-License-Identifier: Apache-2.0
"""What agents carry on beside their GRU's state: the goal's sound, with or without a map."""

import dataclasses

import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.export import verify_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.network.initial_weights import begin_with

CELLS = 21
BEFORE = PolicyContract(image_height=64, image_width=64, odometry=True, system='asgf_plus',
                        audio_channels=TWO_EARS_WITH_INTERAURAL)
SOUND = dataclasses.replace(BEFORE, goal_windows=2, hidden_size=512 + 66)
MAP = dataclasses.replace(SOUND, belief_cells=CELLS, hidden_size=512 + 66 + CELLS ** 2)
BOTH = pytest.mark.parametrize('contract', [SOUND, MAP], ids=['sound', 'map'])


def views(*shape):
    return (torch.randint(0, 256, (*shape, 64, 64, 3), dtype=torch.uint8),
            10 * torch.rand(*shape, 64, 64), torch.log1p(torch.rand(*shape, 65, 26, 5)))


def an_agent(contract, system='asgf_plus'):
    torch.manual_seed(0)
    agent = NavigationAgent(contract, system=system)
    if agent.believes:
        torch.nn.init.normal_(agent.place_head.weight, std=0.1)
    return agent


@pytest.mark.parametrize('contract, system', [
    (SOUND, 'asgf'), (SOUND, 'av_nav'), (SOUND, 'asgf_plus'), (SOUND, 'av_nav_plus'),
    (MAP, 'asgf_plus'), (MAP, 'av_nav_plus')])
def test_a_sequence_remembers_what_its_steps_remember(contract, system):
    agent = an_agent(contract, system)
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
    remembered = hidden[:, contract.recurrent_size:][:, :contract.goal_sound_size]
    torch.testing.assert_close(remembered[0], agent.goal_sound_of(sound[:2])[0])
    torch.testing.assert_close(remembered[1], agent.goal_sound_of(sound[3:])[1])


@BOTH
def test_exported_policy_remembers_as_well(contract, tmp_path):
    agent = an_agent(contract)
    export_onnx(agent, tmp_path / 'agent.onnx', provenance={})
    assert verify_onnx(agent, tmp_path / 'agent.onnx', steps=6) < 1e-4
    verify_onnx(agent_of_export(tmp_path / 'agent.onnx'), tmp_path / 'agent.onnx')


@BOTH
def test_weights_from_before_ignore_what_is_remembered_at_first(contract):
    torch.manual_seed(0)
    taught, agent = NavigationAgent(BEFORE), NavigationAgent(contract)
    begin_with(agent, taught)
    rgb, depth, sound = views(3)
    motion = torch.rand(3, 9)
    before = taught(rgb, depth, sound, taught.initial_hidden(3), motion)
    after = agent(rgb, depth, sound, agent.initial_hidden(3), motion)
    torch.testing.assert_close(after.logits, before.logits, rtol=1e-5, atol=1e-6)


def test_weights_of_another_contract_are_refused():
    other = dataclasses.replace(BEFORE, audio_channels=('left', 'right'))
    with pytest.raises(ValueError, match='must have the contract of the recipe'):
        begin_with(NavigationAgent(SOUND), NavigationAgent(other))


@pytest.mark.parametrize('contract, taken', [(SOUND, 66), (MAP, 507)])
def test_the_memory_must_hold_more_than_the_goals_sound_and_place(contract, taken):
    with pytest.raises(ValueError, match=f'hidden_size must be over the {taken} numbers'):
        dataclasses.replace(contract, hidden_size=taken)


def test_a_map_has_a_middle():
    with pytest.raises(ValueError, match='belief_cells must be odd or 0, got 4'):
        dataclasses.replace(MAP, belief_cells=4)
