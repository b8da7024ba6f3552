# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest
import torch

from asgf_nav_ros.learning import policy_training
from asgf_nav_ros.learning.dry_sound import SoundVariation
from asgf_nav_ros.learning.episode_draw import EpisodeDraw
from asgf_nav_ros.learning.heard_places import HeardPlaces
from asgf_nav_ros.learning.heard_places import PlaceSettings
from asgf_nav_ros.learning.hearing import azimuth_error_deg
from asgf_nav_ros.learning.hearing import HearingLesson
from asgf_nav_ros.learning.hearing import HearingSettings
from asgf_nav_ros.learning.imitation import ImitationSettings
from asgf_nav_ros.learning.policy_training import build_learner
from asgf_nav_ros.learning.policy_training import train
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.belief_map import place_targets
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.descriptor import AZIMUTH_BINS
from asgf_nav_ros.network.descriptor import DESCRIPTOR_SIZE
from asgf_nav_ros.network.descriptor import undecided_loss
from sim_bridge.grid_world import GridWorld

CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)


@pytest.fixture
def lesson(tiny_bake, tiny_contract):
    def build(system, **settings):
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        contract = dataclasses.replace(tiny_contract, system=system, odometry=True)
        episodes = EpisodeDraw([tiny_bake], [CLIP], sample_rate_hz=16000, rng=rng,
                               variation=SoundVariation(equalizer_db=0.0, mix_probability=0.0),
                               troubles=Troubles(), large_share=None)
        few = {'samples': 2560, 'batch': 32, 'round_batches': 10}
        settings = HearingSettings(**few | settings)
        world = GridWorld([tiny_bake], contract, count=settings.batch)
        places = HeardPlaces(episodes, world, settings=PlaceSettings(), rng=rng)
        agent = NavigationAgent(contract)
        return agent, HearingLesson(agent, places, settings=settings)
    return build


@pytest.mark.parametrize('system', ['asgf_plus', 'av_nav_plus'])
def test_a_lesson_teaches_where_sounds_are_and_nothing_else(lesson, system):
    agent, lesson = lesson(system)
    taught = {id(parameter) for parameter in agent.hearing_parameters()}
    before = {name: parameter.clone() for name, parameter in agent.named_parameters()}
    rounds = []
    lesson.teach(rounds.append)
    assert rounds[-1]['heard'] == 2560
    assert rounds[-1]['hearing_loss'] < rounds[0]['hearing_loss'] - 0.3
    for name, parameter in agent.named_parameters():
        assert id(parameter) in taught or torch.equal(parameter, before[name])


def test_after_the_lesson_the_ears_are_the_same_in_any_company(lesson):
    agent, lesson = lesson('asgf_plus', samples=320)
    lesson.teach(lambda figures: None)
    windows = torch.rand(6, *agent.contract.spectrogram_shape)
    agent.train()
    torch.testing.assert_close(agent.hear(windows)[1][:1], agent.hear(windows[:1])[1],
                               atol=1e-4, rtol=1e-4)
    assert agent.spatial_state.norms[0].running_var.max() != 1


def test_a_system_without_a_descriptor_is_refused(lesson):
    with pytest.raises(ValueError, match='asgf has no sound descriptor'):
        lesson('asgf')


def test_errors_are_medians_around_the_circle():
    logits = torch.zeros(3, DESCRIPTOR_SIZE)
    logits[:, AZIMUTH_BINS - 1] = 1  # 15 degrees to the right
    angles = torch.deg2rad(torch.tensor([-15.0, 5.0, 180.0]))
    direction = torch.stack([angles.cos(), angles.sin(), torch.zeros(3)], -1)
    assert azimuth_error_deg(logits, direction) == pytest.approx(20, abs=0.1)
    assert azimuth_error_deg(logits[:0], direction[:0]) == 180
    assert math.isfinite(azimuth_error_deg(logits, direction))


@pytest.fixture
def recipe(tiny_contract):
    return Recipe(
        contract=dataclasses.replace(tiny_contract, system='asgf_plus', odometry=True), agents=4,
        hearing=HearingSettings(samples=64, batch=16, round_batches=2),
        imitation=ImitationSettings(samples=16, segment_steps=4, replayed_minibatches=1))


@pytest.mark.parametrize('learns', [True, False])
def test_ears_learn_on_or_stay_as_they_were_taught(recipe, tiny_bake, learns):
    settings = dataclasses.replace(recipe.imitation, learn_hearing=learns)
    agent = NavigationAgent(recipe.contract)
    before = {name: parameter.clone() for name, parameter in agent.named_parameters()}
    ears = {id(parameter) for parameter in agent.hearing_parameters()}
    learner = build_learner(dataclasses.replace(recipe, imitation=settings), agent,
                            houses=[tiny_bake], clips=[CLIP])
    learner.round()
    moved = {name for name, parameter in agent.named_parameters()
             if not torch.equal(parameter, before[name])}
    heard = {name for name, parameter in agent.named_parameters() if id(parameter) in ears}
    assert (heard <= moved) if learns else not heard & moved
    assert any(name.startswith('memory') for name in moved)


def test_training_begins_with_the_lesson(recipe, tiny_bake, tmp_path, capsys):
    train(recipe, tmp_path, houses=[tiny_bake], clips=[CLIP])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ['heard', 'heard', 'samples']
    train(recipe, tmp_path, houses=[tiny_bake], clips=[CLIP], resume=True)
    assert 'heard' not in capsys.readouterr().out


def test_a_run_killed_after_the_lesson_goes_on_without_it(recipe, tiny_bake, tmp_path, capsys,
                                                          monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(policy_training, 'build_learner', killed)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path, houses=[tiny_bake], clips=[CLIP])
    taught = load_checkpoint(tmp_path / 'checkpoint.pt')
    assert taught.training == {'samples': 0, 'heard': 64}
    capsys.readouterr()
    train(recipe, tmp_path, houses=[tiny_bake], clips=[CLIP], resume=True)
    assert 'heard' not in capsys.readouterr().out


def places_with_trouble(bake, contract, *, size=48):
    rng = np.random.default_rng(3)
    always = Troubles(second_sound=1.0, intermittent=1.0, ease_in_fraction=0.0)
    episodes = EpisodeDraw([bake], [CLIP, np.roll(CLIP, 99)[::-1].copy()], sample_rate_hz=16000,
                           variation=SoundVariation(equalizer_db=0.0, mix_probability=0.0),
                           troubles=always, large_share=None, rng=rng)
    contract = dataclasses.replace(contract, goal_windows=3, odometry=True, system='asgf_plus',
                                   hidden_size=578 + contract.belief_cells ** 2)
    world = GridWorld([bake], contract, count=size)
    return contract, HeardPlaces(episodes, world, settings=PlaceSettings(), rng=rng)


def test_what_is_heard_first_stays_while_the_listener_moves_on(tiny_bake, tiny_contract):
    _, places = places_with_trouble(tiny_bake, tiny_contract)
    batches = [places.draw() for _ in range(3)]
    assert batches[0].first_spectrograms.shape == (3, 48, 65, 26, 5)
    same = (batches[1].first_spectrograms == batches[2].first_spectrograms).flatten(2).all(-1)
    assert 0.5 < same.all(0).float().mean() < 1  # the others are fresh or back at their start
    sounding = torch.stack([batch.sounding for batch in batches]).float().mean()
    assert 0.1 < sounding < 0.9


def test_a_lesson_with_pauses_learns_to_be_undecided(tiny_bake, tiny_contract):
    torch.manual_seed(0)
    contract, places = places_with_trouble(tiny_bake, tiny_contract)
    agent = NavigationAgent(contract)
    lesson = HearingLesson(agent, places, settings=HearingSettings(
        samples=2400, batch=48, round_batches=10))
    lesson.take_up()
    lesson.teach(lambda figures: None)
    batch = places.draw()
    silent = ~batch.sounding
    with torch.no_grad():
        _, state, _ = agent.hear(batch.spectrogram,
                                 agent.goal_sound_of(batch.first_spectrograms))
        descriptor = agent.locate(state)[1]
    assert undecided_loss(descriptor[silent]) < undecided_loss(descriptor[~silent])


def test_a_lesson_teaches_which_places_are_likely(tiny_bake, tiny_contract):
    torch.manual_seed(0)
    contract, _ = places_with_trouble(tiny_bake, tiny_contract)
    contract = dataclasses.replace(contract, belief_cells=5, hidden_size=603)
    _, places = places_with_trouble(tiny_bake, contract)
    agent = NavigationAgent(contract)
    lesson = HearingLesson(agent, places, settings=HearingSettings(
        samples=2400, batch=48, round_batches=10))
    lesson.teach(lambda figures: None)
    batch = places.draw()
    with torch.no_grad():
        _, state, _ = agent.hear(batch.spectrogram,
                                 agent.goal_sound_of(batch.first_spectrograms))
        ratios = agent.place(state)
    right = (place_targets(batch.offset_m) * ratios).sum(-1) - ratios.mean(-1)
    assert right[batch.sounding].mean() > 0.2
    assert ratios[~batch.sounding].std(-1).mean() < ratios[batch.sounding].std(-1).mean()


def test_taking_all_bins_for_equal_is_undecided():
    assert undecided_loss(torch.zeros(3, DESCRIPTOR_SIZE)).item() == pytest.approx(0, abs=1e-6)
    assert undecided_loss(torch.eye(DESCRIPTOR_SIZE)[:3]) > 0
