# SPDX-License-Identifier: Apache-2.0
import dataclasses

import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.contract import TWO_EARS_WITH_INTERAURAL
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.goal_sound import GoalSound

BEFORE = PolicyContract(image_height=64, image_width=64, odometry=True, system='asgf_plus',
                        audio_channels=TWO_EARS_WITH_INTERAURAL)
CONTRACT = dataclasses.replace(BEFORE, goal_windows=2, hidden_size=512 + 66)


def spectrograms(*shape):
    return torch.log1p(torch.rand(*shape, 65, 26, 5))


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
