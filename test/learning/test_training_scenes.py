# SPDX-License-Identifier: Apache-2.0
"""Learning by PPO from files of SoundSpaces."""

import dataclasses
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from asgf_nav_ros import cli
from asgf_nav_ros.benchmark.houses_v1 import draw_episodes
from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.training_scenes import TrainingScenes
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.checkpoint import weights_sha256
from sim_bridge.bake import BakeSettings
from sim_bridge.sounds import load_catalogue
from sim_bridge.soundspaces import writer
from sim_bridge.soundspaces.layout import DatasetError
from sim_bridge.soundspaces.layout import Layout

ROOT = Path(__file__).parents[2]
SPLIT = 'train_telephone'
PATIENCE_S = 300
CONTRACT = PolicyContract(image_height=64, image_width=64, system='av_nav')
RECIPE = """
method: ppo
contract: {image_height: 64, image_width: 64}
ppo: {samples: 96, steps: 8, epochs: 1, minibatches: 1}
agents: 4
max_steps: 20
"""


@pytest.fixture(scope='module')
def dataset(tiny_bake, tmp_path_factory):
    """A split of one scene and two sounds, and the episodes that were written."""
    layout = Layout(tmp_path_factory.mktemp('data'), 'replica')
    drawn = draw_episodes([tiny_bake.name], load_catalogue().split('train')[:1], CONTRACT,
                          settings=BakeSettings(sources=2), count=20, seed=1)
    episodes = [dataclasses.replace(each.episode, sound=('hiss', 'rain')[index % 2])
                for index, each in enumerate(drawn)]
    writer.write_scene(tiny_bake, layout, sample_rate_hz=16000)
    rng = np.random.default_rng(0)
    for name in ('hiss', 'rain'):
        writer.write_sound(layout, name, rng.uniform(-1, 1, 16000).astype(np.float32),
                           sample_rate_hz=16000)
    writer.write_episodes(layout, SPLIT, episodes, {tiny_bake.name: tiny_bake})
    return layout, episodes


def test_only_the_episodes_of_the_split_are_drawn(dataset):
    layout, episodes = dataset
    scenes = TrainingScenes(layout, SPLIT, CONTRACT)
    draw = scenes.episodes(np.random.default_rng(0))
    drawn = [draw.draw() for _ in range(300)]
    nodes = scenes.scenes[0].source_nodes
    found = {(each.node, each.heading, int(nodes[each.source])) for each in drawn}
    assert found == {(each.start_node, each.start_heading, each.goal_node) for each in episodes}
    assert len({id(each.dry) for each in drawn}) == 2
    one, other = (draw.drawing_from(np.random.default_rng(7)) for _ in range(2))
    assert one.draw().node == other.draw().node


def command(layout, tmp_path, *options, recipe=RECIPE):
    (tmp_path / 'recipe.yaml').write_text(recipe)
    return ['train', '--recipe', str(tmp_path / 'recipe.yaml'), '--system', 'av_nav',
            '--dataset', 'soundspaces', '--root', str(layout.root), '--out',
            str(tmp_path / 'run'), '--device', 'cpu', *options]


def train(*arguments, **more):
    return cli.main(command(*arguments, **more))


def test_a_policy_is_trained_on_the_dataset(dataset, tmp_path):
    assert train(dataset[0], tmp_path, '--split', SPLIT) == 0
    [file] = (tmp_path / 'run').glob('*.pt')
    agent = load_checkpoint(file).agent
    assert agent.contract.image_height == 64


def test_a_killed_training_goes_on_at_the_step(dataset, tmp_path):
    run = tmp_path / 'run'
    words = command(dataset[0], tmp_path, '--split', SPLIT, '--save-every-s', '0',
                    '--samples', '1000000')
    process = subprocess.Popen([sys.executable, '-m', 'asgf_nav_ros.cli', *words], cwd=ROOT,
                               env={**os.environ, 'OMP_NUM_THREADS': '1'},
                               stdout=subprocess.DEVNULL)
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (run / 'checkpoint.pt').exists():
            assert process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = load_checkpoint(run / 'checkpoint.pt')
    reached = before.training['samples']
    assert reached > 0 and reached % 32 == 0
    options = ('--split', SPLIT, '--samples', str(reached + 64), '--resume')
    assert train(dataset[0], tmp_path, *options) == 0
    history = [json.loads(line)['samples']
               for line in (run / 'history.jsonl').read_text().splitlines()]
    assert history == list(range(32, reached + 65, 32))
    after = load_checkpoint(run / 'checkpoint.pt')
    assert after.training['samples'] == reached + 64
    steps = {int(state['step']) for state in after.training['optimizer']['state'].values()}
    assert steps == {(reached + 64) // 32}
    assert weights_sha256(after.agent) != weights_sha256(before.agent)


@pytest.mark.parametrize('options, recipe, message', [
    ((), RECIPE.replace('ppo\n', 'imitation\n', 1), 'needs a recipe of method ppo'),
    (('--split', 'nowhere'), RECIPE, 'there are the splits train_telephone'),
    (('--dataset-name', 'mp3d'), RECIPE, 'holds no episodes'),
    (('--dataset', 'houses'), RECIPE, '--dataset soundspaces and --root DIR need each other'),
    ((), RECIPE.replace('64, image_width: 64', '64, forward_step_m: 1.0'), 'steps of 0.5 m')])
def test_what_cannot_be_trained_on_is_one_line(dataset, tmp_path, capsys, options, recipe,
                                               message):
    assert train(dataset[0], tmp_path, *options, recipe=recipe) == 1
    error = capsys.readouterr().err
    assert message in error and 'asgf-nav: error' in error


def test_sounds_that_end_are_not_trained_on(dataset, tmp_path, monkeypatch):
    from asgf_nav_ros.learning import training_scenes
    monkeypatch.setattr(training_scenes, 'EVERLASTING', 7)
    with pytest.raises(DatasetError, match='training knows sounds that go on'):
        TrainingScenes(dataset[0], SPLIT, CONTRACT)
