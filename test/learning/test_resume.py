# SPDX-License-Identifier: Apache-2.0
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
from asgf_nav_ros.learning import policy_training
from asgf_nav_ros.learning.imitation import ImitationSettings
from asgf_nav_ros.learning.ppo import PpoSettings
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.run_folder import RunFolder
from asgf_nav_ros.learning.troubles import Troubles
from asgf_nav_ros.network.checkpoint import load_checkpoint
from asgf_nav_ros.network.checkpoint import weights_sha256
from asgf_nav_ros.network.export import export_onnx

ROOT = Path(__file__).parents[2]
CLIP = np.random.default_rng(5).uniform(-1, 1, 16000).astype(np.float32)
TIMES = ('collect_s', 'learn_s', 'elapsed_s')


@pytest.fixture
def recipe(tiny_contract):
    def build(method):
        return Recipe(
            contract=tiny_contract, method=method, agents=3, max_steps=4,
            troubles=Troubles(noise=0.5, slip=0.5),
            ppo=PpoSettings(samples=48, steps=4, epochs=2, minibatches=2, bfloat16=False),
            imitation=ImitationSettings(samples=48, segment_steps=4, minibatch_segments=2,
                                        replayed_minibatches=1, bfloat16=False),
        ).with_system('av_nav')
    return build


@pytest.fixture
def train(tiny_bake):
    def start(recipe, out, **options):
        policy_training.train(recipe, out, houses=[tiny_bake], clips=[CLIP], **options)
    return start


@pytest.fixture
def killed_after(monkeypatch):
    """Make the next run die in the middle of recording a round."""
    def arrange(rounds):
        record, seen = RunFolder.record, []

        def die(folder, figures):
            record(folder, figures)
            seen.append(figures)
            if len(seen) > rounds:
                monkeypatch.setattr(RunFolder, 'record', record)
                raise KeyboardInterrupt
        monkeypatch.setattr(RunFolder, 'record', die)
    return arrange


def rounds(run):
    return [{name: value for name, value in json.loads(line).items() if name not in TIMES}
            for line in (run / 'history.jsonl').read_text().splitlines()]


def test_ppo_goes_on_to_the_very_figures_of_a_run_without_a_break(
        recipe, train, killed_after, tmp_path):
    train(recipe('ppo'), tmp_path / 'whole')
    killed_after(2)
    with pytest.raises(KeyboardInterrupt):
        train(recipe('ppo'), tmp_path / 'broken', save_every_s=0.0)
    train(recipe('ppo'), tmp_path / 'broken', resume=True)
    assert [figures['samples'] for figures in rounds(tmp_path / 'whole')] == [12, 24, 36, 48]
    assert rounds(tmp_path / 'broken') == rounds(tmp_path / 'whole')
    whole, broken = (load_checkpoint(tmp_path / name / 'checkpoint.pt').agent
                     for name in ('whole', 'broken'))
    assert weights_sha256(broken) == weights_sha256(whole)


def test_imitation_goes_on_where_it_was(recipe, train, killed_after, tmp_path):
    killed_after(2)
    with pytest.raises(KeyboardInterrupt):
        train(recipe('imitation'), tmp_path, save_every_s=0.0)
    weights = load_checkpoint(tmp_path / 'checkpoint.pt')
    assert weights.training['samples'] == 24
    train(recipe('imitation'), tmp_path, resume=True)
    assert [figures['samples'] for figures in rounds(tmp_path)] == [12, 24, 36, 48]
    training = load_checkpoint(tmp_path / 'checkpoint.pt').training
    steps = {int(state['step']) for state in training['optimizer']['state'].values()}
    assert max(steps) == 4 * 3


def test_other_numbers_of_processes_go_on_in_new_episodes(recipe, train, tmp_path, monkeypatch):
    train(recipe('ppo'), tmp_path)
    checkpoint = load_checkpoint(tmp_path / 'checkpoint.pt')
    training = checkpoint.training | {'processes': checkpoint.training['processes'] * 2}
    RunFolder(tmp_path).save(checkpoint.agent, training)
    train(recipe('ppo').with_samples(60), tmp_path, resume=True)
    assert rounds(tmp_path)[-1]['samples'] == 60


def test_ppo_begins_with_the_weights_of_imitation(recipe, train, tmp_path):
    train(recipe('imitation'), tmp_path / 'taught')
    initial = tmp_path / 'taught' / 'checkpoint.pt'
    begun = policy_training._agent(recipe('ppo'), None, initial)
    assert weights_sha256(begun) == weights_sha256(load_checkpoint(initial).agent)
    shipped = tmp_path / 'shipped.onnx'
    export_onnx(begun, shipped, provenance={})
    again = policy_training._agent(recipe('ppo'), None, shipped)
    assert weights_sha256(again) == weights_sha256(begun)
    with pytest.raises(ValueError, match='must have the contract of the recipe'):
        train(recipe('ppo').with_system('asgf'), tmp_path / 'new', initial=initial)


RECIPE = """
method: ppo
contract: {image_height: 64, image_width: 64}
bake: {sources: 1, rays: 500, response_s: 0.1}
ppo: {samples: 1000000, steps: 3, epochs: 1}
houses: {small: 1}
agents: 2
"""


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.setenv('ASGF_NAV_CACHE', str(tmp_path / 'cache'))
    (tmp_path / 'recipe.yaml').write_text(RECIPE)
    return ['train', '--recipe', str(tmp_path / 'recipe.yaml'), '--system', 'av_nav', '--out',
            str(tmp_path / 'run'), '--device', 'cpu', '--workers', '1', '--save-every-s', '0']


def test_a_killed_process_is_resumed_to_the_step(command, tmp_path):
    run = tmp_path / 'run'
    process = subprocess.Popen([sys.executable, '-m', 'asgf_nav_ros.cli', *command], cwd=ROOT,
                               env={**os.environ, 'OMP_NUM_THREADS': '1'},
                               stdout=subprocess.DEVNULL)
    try:
        deadline_s = time.monotonic() + 120
        while not (run / 'checkpoint.pt').exists():
            assert process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    reached = load_checkpoint(run / 'checkpoint.pt').training['samples']
    assert cli.main([*command, '--samples', str(reached + 12), '--resume']) == 0
    history = [figures['samples'] for figures in rounds(run)]
    assert history == list(range(6, reached + 13, 6))


def test_a_run_is_not_begun_twice(command, capsys):
    assert cli.main([*command, '--samples', '6']) == 0
    assert cli.main([*command, '--samples', '12']) == 1
    assert 'continue it with --resume' in capsys.readouterr().err
