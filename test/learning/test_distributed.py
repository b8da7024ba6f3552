# SPDX-License-Identifier: Apache-2.0
import json
import os
from pathlib import Path
import runpy
import subprocess
import sys

import pytest
import torch

from asgf_nav_ros.learning.distributed import Processes
from asgf_nav_ros.network.checkpoint import load_checkpoint

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name('gradient_process.py')
TWO = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2']
# The loopback by name: what a machine calls itself need not lead back to it.
LOOPBACK = {'GLOO_SOCKET_IFNAME': 'lo'}


def run_two(arguments, **environment):
    """Run two processes to the end; return what they printed."""
    done = subprocess.run(
        [*TWO, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT), **LOOPBACK,
             **environment})
    assert done.returncode == 0, done.stderr[-30_000:]
    return done.stdout


@pytest.fixture(scope='module')
def alone_and_together(tiny_bake, tiny_contract, tmp_path_factory):
    """Losses and gradients of one process and of two on halves of the same batch."""
    folder = tmp_path_factory.mktemp('gradients')
    (folder / 'contract.json').write_text(tiny_contract.to_json())
    run_two([str(SCRIPT), str(tiny_bake.path), str(folder / 'two.pt')])
    alone = runpy.run_path(str(SCRIPT))['losses_and_gradients'](
        tiny_bake, tiny_contract, Processes())
    return alone, torch.load(folder / 'two.pt', weights_only=True)


@pytest.mark.parametrize('method', ['imitation', 'ppo'])
def test_two_processes_have_the_losses_of_one_on_the_same_batch(alone_and_together, method):
    alone, together = (found[method]['figures'] for found in alone_and_together)
    assert together == pytest.approx(alone, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize('method', ['imitation', 'ppo'])
def test_two_processes_have_the_gradients_of_one_on_the_same_batch(alone_and_together, method):
    alone, together = (found[method]['gradients'] for found in alone_and_together)
    used = {name for name, gradient in alone.items() if gradient.abs().sum() > 0}
    assert used <= set(together)
    assert any(name.startswith('spatial_state') for name in used)
    for name in used:
        torch.testing.assert_close(together[name], alone[name], rtol=1e-3, atol=1e-6)


def test_one_process_is_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    processes = Processes.join('cpu')
    assert processes == Processes(rank=0, size=1, local_rank=0)
    assert processes.leads and processes.device('cuda') == 'cuda'
    assert processes.gather({'a': 1}) == [{'a': 1}]
    assert processes.share('a') == 'a'
    assert processes.agree(True) and not processes.agree(False)
    assert processes.one_after_the_other(lambda: 3) == 3
    assert processes.mean_figures({'loss': 2.0}) == {'loss': 2.0}


def test_each_process_has_a_gpu_of_its_own():
    assert Processes(rank=5, size=8, local_rank=1).device('cuda') == 'cuda:1'
    assert Processes(rank=5, size=8, local_rank=1).device('cpu') == 'cpu'


RECIPE = """
method: ppo
contract: {image_height: 64, image_width: 64}
bake: {sources: 1, rays: 500, response_s: 0.1}
ppo: {samples: 24, steps: 3, epochs: 1}
houses: {small: 1}
agents: 2
"""


def test_two_processes_train_one_agent_from_the_command_line(tmp_path):
    (tmp_path / 'recipe.yaml').write_text(RECIPE)
    run = tmp_path / 'run'
    shown = run_two(['-m', 'asgf_nav_ros.cli', 'train', '--recipe', str(tmp_path / 'recipe.yaml'),
                     '--system', 'av_nav', '--out', str(run), '--device', 'cpu', '--workers', '1'],
                    ASGF_NAV_CACHE=str(tmp_path / 'cache'))
    assert shown.count(' samples ') == 2
    rounds = [json.loads(line) for line in (run / 'history.jsonl').read_text().splitlines()]
    assert [figures['samples'] for figures in rounds] == [12, 24]
    training = load_checkpoint(run / 'checkpoint.pt').training
    generators = [own['learner']['generator']['state']['state'] for own in training['processes']]
    assert len(set(generators)) == 2
