# SPDX-License-Identifier: Apache-2.0
import json
import sys

import pytest
import torch

from asgf_nav_ros.contract import PolicyContract
from asgf_nav_ros.learning.recipe import Recipe
from asgf_nav_ros.learning.run_folder import RunFolder
from asgf_nav_ros.network.agent import NavigationAgent

CONTRACT = PolicyContract(image_height=64, image_width=64, system='av_nav')
RECIPE = Recipe(contract=CONTRACT)


@pytest.fixture
def killed(tmp_path):
    """A run that was killed two rounds after its checkpoint, the second time amid a line."""
    folder = RunFolder(tmp_path / 'run')
    assert folder.open(RECIPE, resume=False) is None
    for samples in (10, 20, 30):
        folder.record({'samples': samples, 'loss': 1.0 / samples})
        if samples == 20:
            torch.manual_seed(0)
            folder.save(NavigationAgent(CONTRACT), {'samples': samples})
    folder.close()
    with (tmp_path / 'run' / 'history.jsonl').open('a') as file:
        file.write('{"samples": 4')
    return tmp_path / 'run'


def rounds(run):
    history = (run / 'history.jsonl').read_text()
    return [json.loads(line)['samples'] for line in history.splitlines()]


def test_a_resumed_run_drops_what_came_after_the_checkpoint(killed):
    folder = RunFolder(killed)
    checkpoint = folder.open(RECIPE, resume=True)
    assert checkpoint.training == {'samples': 20}
    assert rounds(killed) == [10, 20]
    folder.record({'samples': 30, 'loss': 0.0})
    folder.close()
    assert rounds(killed) == [10, 20, 30]


def test_a_run_is_not_overwritten(killed):
    with pytest.raises(ValueError, match='already holds a run: continue it with --resume'):
        RunFolder(killed).open(RECIPE, resume=False)
    assert (killed / 'checkpoint.pt').exists()


def test_resuming_without_a_checkpoint_begins_the_run(tmp_path):
    folder = RunFolder(tmp_path / 'new')
    assert folder.open(RECIPE, resume=True) is None
    folder.close()
    recipe = json.loads((tmp_path / 'new' / 'recipe.json').read_text())
    assert recipe['contract']['system'] == 'av_nav'


def test_curves_are_tensorboard_events(killed):
    accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator')
    folder = RunFolder(killed)
    folder.open(RECIPE, resume=True)
    folder.record({'samples': 30, 'loss': 0.5})
    folder.close()
    events = accumulator.EventAccumulator(str(killed / 'curves'))
    events.Reload()
    assert events.Tags()['scalars'] == ['loss']
    assert [(event.step, event.value) for event in events.Scalars('loss')] == [
        (10, pytest.approx(0.1)), (20, pytest.approx(0.05)), (30, 0.5)]


def test_without_tensorboard_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    folder = RunFolder(tmp_path / 'run')
    folder.open(RECIPE, resume=False)
    folder.record({'samples': 10, 'loss': 0.1})
    folder.close()
    assert rounds(tmp_path / 'run') == [10]
    shown = capsys.readouterr().out
    assert 'pip install tensorboard' in shown and shown.count('\n') == 1
