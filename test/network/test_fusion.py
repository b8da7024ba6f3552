# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from asgf_nav_ros.network.fusion import ConcatenatedFusion
from asgf_nav_ros.network.fusion import GuidedFusion


@pytest.fixture
def fusion():
    fusion = GuidedFusion()
    with torch.no_grad():
        for parameter in fusion.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return fusion


@pytest.fixture
def features():
    return tuple(torch.randn(6, 512) for _ in range(3))  # d, a, e


def plain_fusion(fusion, visual, audio, state):
    """Equations 4 to 10 for one row, in float64."""
    weights = {name: tensor.double().numpy() for name, tensor in fusion.state_dict().items()}

    def norm(name, x):
        x = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
        return weights[f'normalize_{name}.weight'] * x + weights[f'normalize_{name}.bias']

    def project(name, x):
        return weights[f'project_{name}.weight'] @ x

    tokens = [project('visual', norm('visual', visual)), project('audio', norm('audio', audio))]
    keys = [project('key', token) for token in tokens]
    values = [project('value', token) for token in tokens]
    query = project('query', norm('query', state))
    context, attention = np.zeros(512), np.zeros(2)
    for head in range(8):
        part = slice(64 * head, 64 * (head + 1))
        scores = np.array([query[part] @ key[part] / 512 for key in keys])
        weigh = np.exp(scores) / np.exp(scores).sum()
        context[part] = weigh[0] * values[0][part] + weigh[1] * values[1][part]
        attention += weigh / 8
    guided = context + state
    hidden = weights['gate_hidden.weight'] @ norm('gate', state) + weights['gate_hidden.bias']
    logit = weights['gate_out.weight'] @ np.maximum(hidden, 0) + weights['gate_out.bias']
    gate = 1 / (1 + np.exp(-logit))
    return norm('out', gate * guided + (1 - gate) * state), gate, attention


def test_follows_the_equations_of_the_paper(fusion, features):
    got = fusion(*features)
    for row in range(6):
        each = [feature[row].double().numpy() for feature in features]
        for ours, expected in zip(got, plain_fusion(fusion, *each)):
            np.testing.assert_allclose(ours[row].detach().numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(('bias', 'guided'), [(60.0, True), (-60.0, False)])
def test_gate_chooses_between_guided_and_plain_state(fusion, features, bias, guided):
    torch.nn.init.constant_(fusion.gate_out.bias, bias)
    visual, audio, state = features
    context, _ = fusion.attend(visual, audio, state)
    expected = fusion.normalize_out(context + state if guided else state)
    got = fusion(visual, audio, state)
    torch.testing.assert_close(got.fused, expected)
    torch.testing.assert_close(got.gate, torch.full((6, 1), float(guided)))


def test_closed_gate_shuts_sight_and_sound_out(fusion, features):
    torch.nn.init.constant_(fusion.gate_out.bias, -60.0)
    visual, audio, state = features
    torch.testing.assert_close(fusion(visual, audio, state).fused,
                               fusion(audio, visual, state).fused)


def test_attention_weighs_two_tokens(fusion, features):
    attention = fusion(*features).attention
    torch.testing.assert_close(attention.sum(1), torch.ones(6))
    assert (attention > 0).all()
    assert attention.std(0).min() > 1e-4  # depends on the row


def test_first_steps_of_adam_shut_neither_sight_nor_sound_out():
    fusion, target = GuidedFusion(), torch.randn(512)
    visual, audio, state = (torch.randn(512) + 0.3 * torch.randn(64, 512) for _ in range(3))
    optimizer = torch.optim.Adam(fusion.parameters(), lr=5e-4)
    for _ in range(5):
        optimizer.zero_grad()
        attended = fusion(visual, audio, state)
        (attended.fused @ target).mean().backward()
        optimizer.step()
    assert attended.attention.min() > 0.1


def test_refuses_a_width_that_heads_do_not_divide():
    with pytest.raises(ValueError, match='features must be a multiple of 8 heads, got 100'):
        GuidedFusion(features=100)


def test_gate_depends_on_the_state_alone(fusion, features):
    visual, audio, state = features
    assert torch.equal(fusion(visual, audio, state).gate, fusion(audio, visual, state).gate)
    assert fusion(visual, audio, state).gate.std() > 1e-3


def test_gate_and_attention_keep_float32_under_autocast(fusion, features):
    with torch.autocast('cpu', torch.bfloat16):
        got = fusion(*features)
    assert {each.dtype for each in got} == {torch.float32}
    assert torch.equal(got.gate, fusion(*features).gate)
    torch.testing.assert_close(got.fused, fusion(*features).fused, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(('with_state', 'width'), [(False, 1024), (True, 1536)])
def test_concatenation_joins_features_untouched(features, with_state, width):
    fusion = ConcatenatedFusion(with_state=with_state)
    visual, audio, state = features
    got = fusion(visual, audio, state)
    expected = [state, visual, audio] if with_state else [visual, audio]
    assert torch.equal(got.fused, torch.cat(expected, 1))
    assert fusion.width == width
    assert (got.gate == 1).all()
    assert (got.attention == 0.5).all()
