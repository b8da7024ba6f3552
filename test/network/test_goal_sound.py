# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.network.export import verify_onnx
from asgf_nav_ros.network.exported_weights import agent_of_export
from asgf_nav_ros.network.goal_sound import GoalSound
from asgf_nav_ros.network.initial_weights import begin_with

BEFORE = PolicyContract(image_height=64, image_width=64, odometry=True, system='asgf_plus',
                        audio_channels=TWO_EARS_WITH_INTERAURAL)
CONTRACT = dataclasses.replace(BEFORE, goal_windows=2, hidden_size=512 + 66)


def spectrograms(*shape):
    return torch.log1p(torch.rand(*shape, 65, 26, 5))


def views(*shape):
    return (torch.randint(0, 256, (*shape, 64, 64, 3), dtype=torch.uint8),
            10 * torch.rand(*shape, 64, 64), spectrograms(*shape))


@pytest.mark.parametrize('system', ['asgf', 'av_nav', 'asgf_plus', 'av_nav_plus'])
def test_a_sequence_remembers_the_first_windows_of_each_episode(system):
    torch.manual_seed(0)
    agent = NavigationAgent(CONTRACT, system=system)
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
    first = agent.goal_sound_of(sound[:2])
    torch.testing.assert_close(hidden[0, -66:], first[0])  # steps 0 and 1
    torch.testing.assert_close(hidden[1, -66:], agent.goal_sound_of(sound[3:])[1])


def test_goal_sound_tells_spectra_and_not_levels():
    sound = GoalSound(CONTRACT)
    window = torch.zeros(1, 65, 26, 5)
    window[:, 10] = 1.0
    planes = []
    for gain in (1.0, 0.01):
        state = sound.remember(gain * sound.spectrum(window), torch.zeros(1, sound.size))
        planes.append(sound.beside(window, state)[..., -1])
    torch.testing.assert_close(*planes)
    assert planes[0].argmax(1).unique().item() == 10
    assert planes[0].max() > planes[0].median() + 2


def test_silence_at_the_start_is_heard_beside_too():
    sound = GoalSound(CONTRACT)
    window = torch.zeros(1, 65, 26, 5)
    state = sound.remember(sound.spectrum(window), torch.zeros(1, sound.size))
    assert sound.beside(window, state).isfinite().all()


def test_exported_policy_remembers_as_well(tmp_path):
    torch.manual_seed(0)
    agent = NavigationAgent(CONTRACT)
    export_onnx(agent, tmp_path / 'agent.onnx', provenance={})
    assert verify_onnx(agent, tmp_path / 'agent.onnx', steps=6) < 1e-4
    verify_onnx(agent_of_export(tmp_path / 'agent.onnx'), tmp_path / 'agent.onnx')


def test_weights_from_before_ignore_the_goals_sound_at_first():
    torch.manual_seed(0)
    taught, agent = NavigationAgent(BEFORE), NavigationAgent(CONTRACT)
    begin_with(agent, taught)
    rgb, depth, sound = views(3)
    motion = torch.rand(3, 9)
    before = taught(rgb, depth, sound, taught.initial_hidden(3), motion)
    after = agent(rgb, depth, sound, agent.initial_hidden(3), motion)
    torch.testing.assert_close(after.logits, before.logits, rtol=1e-5, atol=1e-6)


def test_weights_of_another_contract_are_refused():
    other = dataclasses.replace(BEFORE, audio_channels=('left', 'right'))
    with pytest.raises(ValueError, match='must have the contract of the recipe'):
        begin_with(NavigationAgent(CONTRACT), NavigationAgent(other))


def test_memory_must_hold_more_than_the_goals_sound():
    with pytest.raises(ValueError, match='hidden_size must be over the 66 numbers'):
        GoalSound(dataclasses.replace(CONTRACT, hidden_size=66))


def test_restated_norms_hear_the_same_and_go_on_alike_in_whole_batches():
    torch.manual_seed(0)
    agent = NavigationAgent(CONTRACT)
    windows = [(spectrograms(16), agent.goal_sound_of(spectrograms(2, 16))) for _ in range(4)]
    with torch.no_grad():
        before = agent.hear(*windows[0])[1]
        agent.restate_norms(windows)
        torch.testing.assert_close(agent.hear(*windows[0])[1], before, rtol=1e-3, atol=1e-3)
        agent.learn_statistics(True)
        learning = agent.hear(*windows[0])[1]
    assert (learning - before).abs().mean() < 0.1 * before.abs().mean()


def test_match_tells_the_goal_from_another_sound_at_any_level():
    sound = GoalSound(CONTRACT)
    torch.manual_seed(1)
    goal, other = (torch.rand(1, 65, 1, 1) ** 4 * torch.ones(1, 65, 26, 5) for _ in range(2))
    state = sound.remember(sound.spectrum(torch.log1p(goal)), torch.zeros(1, sound.size))
    near, far, elsewhere = (sound.match(torch.log1p(window), state)
                            for window in (3 * goal, 0.1 * goal, other))
    assert near[0, :2].min() > 0.98 and far[0, :2].min() > 0.98
    assert elsewhere[0, :2].max() < 0.7 and elsewhere[0, 2:].max() < 0.1
    assert near[0, 2:].min() > 0.9
    assert sound.match(torch.zeros(1, 65, 26, 5), state).abs().max() < 0.01  # silence
