# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.agent import SYSTEMS


@pytest.mark.parametrize(('sample_rate_hz', 'parameters'), [(44100, 4346693), (16000, 4952453)])
def test_depth_only_av_nav_is_as_big_as_the_published_one(sample_rate_hz, parameters):
    contract = PolicyContract(sample_rate_hz=sample_rate_hz)
    agent = NavigationAgent(contract, system='av_nav', sight='depth')
    assert agent.policy_parameters == parameters
    assert sum(each.numel() for each in agent.parameters()) == parameters + 512 * 3 + 3


@pytest.mark.parametrize('channels', [('left', 'right'), TWO_EARS_WITH_INTERAURAL])
@pytest.mark.parametrize('system', SYSTEMS)
def test_outputs_have_their_shapes_and_are_float32(system, channels, build_agent, observe):
    contract = PolicyContract(audio_channels=channels)
    agent = build_agent(system, contract=contract)
    output = agent(*observe(3, of=contract), agent.initial_hidden(3))
    assert [tuple(each.shape) for each in output] == [
        (3, 4), (3,), (3, 512), (3, 1), (3, 2), (3, 13), (3, 512), (3, 3)]
    assert {each.dtype for each in output} == {torch.float32}
    torch.testing.assert_close(output.frame_weights.sum(1), torch.ones(3))
    assert ((output.gate > 0) & (output.gate <= 1)).all()


@pytest.mark.parametrize('system', SYSTEMS)
def test_a_sequence_equals_single_decisions(system, build_agent, observe):
    agent = build_agent(system)
    views = [each.unflatten(0, (4, 2)) for each in observe(8)]
    starts = torch.zeros(4, 2, dtype=torch.bool)
    starts[2, 1] = True
    hidden = before = torch.randn(2, 512)
    steps = []
    for step in range(4):
        hidden = torch.where(starts[step].unsqueeze(-1), 0.0, hidden)
        steps.append(agent(*(each[step] for each in views), hidden))
        hidden = steps[-1].hidden
    got = agent.sequence(*views, before, starts)
    singles = zip(*((each.logits, each.value, each.audio_state, each.sound_direction)
                    for each in steps))
    for ours, single in zip((*got[:4], got.hidden), (*map(torch.stack, singles), hidden)):
        torch.testing.assert_close(ours, single, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('system', SYSTEMS)
def test_every_parameter_learns(system, build_agent, observe):
    agent = build_agent(system)
    views = [each.unflatten(0, (2, 2)) for each in observe(4)]
    got = agent.sequence(*views, agent.initial_hidden(2), torch.zeros(2, 2, dtype=torch.bool))
    loss = got.logits.square().sum() + got.values.sum() + got.sound_direction.square().sum()
    if got.goal is not None:
        loss = loss + got.goal.square().sum()
    loss.backward()
    idle = [name for name, parameter in agent.named_parameters()
            if parameter.grad is None or not parameter.grad.any()]
    assert not idle


@pytest.mark.parametrize('system', SYSTEMS)
def test_bfloat16_training_is_close_to_float32(system, build_agent, observe):
    agent = build_agent(system)
    views = [each.unflatten(0, (2, 2)) for each in observe(4)]
    rest = agent.initial_hidden(2), torch.zeros(2, 2, dtype=torch.bool)
    with torch.autocast('cpu', torch.bfloat16):
        fast = agent.sequence(*views, *rest)
    for ours, exact in zip(fast, agent.sequence(*views, *rest)):
        if ours is exact is None:  # systems without a descriptor
            continue
        assert ours.dtype == torch.float32
        assert (ours - exact).abs().max() < 0.05 * exact.abs().max()


def other_sound(output_of, views, observe):
    """Outputs for the same sight and two sounds."""
    return output_of(views), output_of((*views[:2], observe(len(views[0]), seed=9)[2]))


def test_systems_use_what_their_names_say(build_agent, observe):
    views, found = observe(2), {}
    for system in SYSTEMS:
        agent = build_agent(system)
        found[system] = other_sound(
            lambda views, agent=agent: agent(*views, agent.initial_hidden(2)), views, observe)
    for system, (one, other) in found.items():
        gated = system in ('asgf', 'asgf_plus')
        assert torch.allclose(one.gate, other.gate) != gated, system
        attends = gated or system in ('asgf_without_ase', 'agsa_style')
        assert torch.allclose(one.attention, other.attention) != attends, system
        hears_frames = system in ('asgf', 'asgf_without_asgf', 'asgf_plus')
        assert torch.allclose(one.frame_weights, other.frame_weights) != hears_frames, system
        assert not torch.allclose(one.logits, other.logits), system
        assert not torch.allclose(one.sound_direction, other.sound_direction), system


@pytest.mark.parametrize('system', SYSTEMS)
def test_sight_and_memory_decide_too(system, build_agent, observe):
    agent = build_agent(system)
    rgb, depth, sound = observe(1)
    other_rgb, other_depth, _ = observe(1, seed=1)
    hidden = agent.initial_hidden(1)
    base = agent(rgb, depth, sound, hidden).logits
    assert not torch.allclose(agent(other_rgb, depth, sound, hidden).logits, base)
    assert not torch.allclose(agent(rgb, other_depth, sound, hidden).logits, base)
    assert not torch.allclose(agent(rgb, depth, sound, hidden + 0.5).logits, base)


def test_query_of_without_ase_is_the_same_for_every_sound(build_agent, observe):
    agent = build_agent('asgf_without_ase')
    gate = agent(*observe(5), agent.initial_hidden(5)).gate
    expected = agent.fusion.gate(agent.query.unsqueeze(0)).expand(5, 1)
    torch.testing.assert_close(gate, expected)


def test_fresh_agent_is_undecided(contract, observe):
    agent = NavigationAgent(contract)
    probabilities = torch.softmax(agent(*observe(4), agent.initial_hidden(4)).logits, -1)
    torch.testing.assert_close(probabilities, torch.full((4, 4), 0.25), rtol=0, atol=0.02)
    actor = agent.actor.weight
    torch.testing.assert_close(actor @ actor.T, 1e-4 * torch.eye(4), rtol=0, atol=1e-6)


def test_same_seed_gives_the_same_agent(contract):
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        weights.append(NavigationAgent(contract).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_contract_says_which_system_was_built():
    agent = NavigationAgent(PolicyContract(system='asgf'), system='av_nav')
    assert agent.contract.system == 'av_nav'
    assert NavigationAgent(PolicyContract(system='asgf_without_ase')).system == 'asgf_without_ase'


def test_follows_the_actions_and_memory_of_its_contract(observe):
    contract = PolicyContract(actions=('STOP', 'MOVE_FORWARD'), hidden_size=64)
    agent = NavigationAgent(contract)
    output = agent(*observe(1), agent.initial_hidden(1))
    assert output.logits.shape == (1, 2)
    assert output.hidden.shape == (1, 64)


def test_refuses_an_unknown_system(contract):
    with pytest.raises(ValueError, match="system must be one of .* got 'random'"):
        NavigationAgent(contract, system='random')
