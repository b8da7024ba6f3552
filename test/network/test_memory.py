# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest
import torch

from asgf_nav_ros.network.memory import EpisodeMemory


@pytest.fixture(scope='module')
def memory():
    torch.manual_seed(0)
    memory = EpisodeMemory(24, hidden_size=16)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return memory


@settings(deadline=None, max_examples=30)
@given(starts=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=9))
def test_a_stretch_equals_single_steps_that_forget_at_starts(memory, starts):
    starts = torch.tensor(starts)
    generator = torch.Generator().manual_seed(len(starts))
    fused = torch.randn(len(starts), 3, 24, generator=generator)
    hidden = before = torch.randn(3, 16, generator=generator)
    expected = []
    for step, start in zip(fused, starts):
        hidden = memory(step, torch.where(start.unsqueeze(-1), 0.0, hidden))
        expected.append(hidden)
    torch.testing.assert_close(memory.unroll(fused, before, starts), torch.stack(expected))


def test_nothing_before_a_start_is_remembered(memory):
    fused, starts = torch.randn(4, 2, 24), torch.zeros(4, 2, dtype=torch.bool)
    starts[2] = True
    states = memory.unroll(fused, torch.randn(2, 16), starts)
    alone = memory.unroll(fused[2:], torch.randn(2, 16), starts[2:])
    assert torch.equal(states[2:], alone)


def test_gradient_does_not_cross_a_start(memory):
    fused = torch.randn(4, 1, 24, requires_grad=True)
    starts = torch.tensor([[False], [False], [True], [False]])
    memory.unroll(fused, torch.zeros(1, 16), starts)[-1].sum().backward()
    assert not fused.grad[:2].any()
    assert fused.grad[2:].abs().sum(-1).min() > 0


def test_hidden_state_keeps_float32_under_autocast(memory):
    fused, hidden = torch.randn(3, 2, 24), torch.randn(2, 16)
    starts = torch.zeros(3, 2, dtype=torch.bool)
    with torch.autocast('cpu', torch.bfloat16):
        assert memory(fused[0], hidden).dtype == torch.float32
        assert memory.unroll(fused, hidden, starts).dtype == torch.float32


def test_starts_orthogonal():
    weight = EpisodeMemory(64, hidden_size=32).gru.weight_hh_l0
    torch.testing.assert_close(weight.T @ weight, torch.eye(32), rtol=0, atol=1e-5)
