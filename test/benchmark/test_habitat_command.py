# SPDX-License-Identifier: Apache-2.0
"""``asgf-nav habitat`` on files in SoundSpaces' layout, habitat-sim replaced by its stand-in."""

import gzip
import json
import math
from pathlib import Path
import sys

import numpy as np
import pytest
import soundfile
import torch

from asgf_nav_ros.cli import main
from asgf_nav_ros.network.agent import NavigationAgent
from asgf_nav_ros.network.export import export_onnx
from asgf_nav_ros.published_contracts import PUBLISHED

STAND_IN = Path(__file__).parents[1] / 'sim_bridge' / 'habitat' / 'stand_in'


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('model') / 'av_nav.onnx'
    agent = NavigationAgent(PUBLISHED['soundspaces2'])
    with torch.no_grad():
        agent.actor.bias.copy_(torch.tensor([2.0, 0.0, 0.0, 0.0]))  # it soon stops
    export_onnx(agent, path, provenance={})
    return path


@pytest.fixture
def python(tmp_path):
    """An interpreter that has the stand-in installed."""
    script = tmp_path / 'python'
    script.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{STAND_IN}" exec {sys.executable} '
                      '"$@"\n')
    script.chmod(0o755)
    return str(script)


def episode(number, scene, start=(1.0, 0.0, -1.0), goal=(4.0, 0.0, -3.0)):
    half = math.pi * (number % 4) / 4
    return {'episode_id': str(number), 'scene_id': f'{scene}/{scene}.glb',
            'start_position': start, 'start_rotation': [0, math.sin(half), 0, math.cos(half)],
            'goals': [{'position': goal, 'radius': 1e-5}],
            'info': {'geodesic_distance': 5.0, 'num_action': 9, 'sound': 'telephone'}}


@pytest.fixture
def dataset(tmp_path):
    """Writer of a split of scenes to lists of episodes; returns the root."""
    root = tmp_path / 'data'

    def write(scenes):
        content = root / 'datasets' / 'audionav' / 'mp3d' / 'v1' / 'test_telephone' / 'content'
        content.mkdir(parents=True)
        for scene, episodes in scenes.items():
            with gzip.open(content / f'{scene}.json.gz', 'wt') as file:
                json.dump({'episodes': episodes}, file)
            folder = root / 'scene_datasets' / 'mp3d' / scene
            folder.mkdir(parents=True)
            (folder / f'{scene}.glb').touch()
        sounds = root / 'sounds' / '1s_all'
        sounds.mkdir(parents=True)
        noise = np.random.default_rng(0).uniform(-0.1, 0.1, 16000)
        soundfile.write(sounds / 'telephone.wav', noise, 16000, subtype='FLOAT')
        return root
    return write


def evaluate(python, model, root, out, *others):
    return main(['habitat', '--python', python, '--model', str(model), '--root', str(root),
                 '--json', str(out), *others])


def test_evaluates_and_lists_what_it_had_to_skip(python, model, dataset, tmp_path, capsys):
    root = dataset({'room': [*(episode(number, 'room') for number in range(4)),
                             episode(4, 'room', goal=(4.0, 3.0, -3.0))],
                    'crash': [episode(5, 'crash')]})
    out = tmp_path / 'result.json'
    assert evaluate(python, model, root, out, '--seed', '3') == 0
    result = json.loads(out.read_text())
    assert (result['benchmark'], result['system']) == ('soundspaces2/mp3d', 'av_nav')
    assert result['episodes'] == 4
    reasons = {each['episode']: each['reason'] for each in result['skipped']}
    assert set(reasons) == {'4', '5'}
    assert 'lies on a roof' in reasons['4']
    assert 'died of SIGABRT' in reasons['5']
    for row in result['runs']:
        assert row['geodesic_m'] == pytest.approx(math.hypot(3, 2), abs=1e-4)
        assert row['oracle_actions'] >= 15  # 3.6 m in steps of 0.25 m, and STOP
        assert row['stopped'] is True
        assert row['path_m'] <= 0.25 * row['actions']
    assert [row['episode'] for row in result['runs']] == ['0', '1', '2', '3']
    assert '4 episodes, 2 skipped' in capsys.readouterr().out
    again = tmp_path / 'again.json'
    assert evaluate(python, model, root, again, '--seed', '3') == 0
    assert json.loads(again.read_text())['runs'] == result['runs']


def test_draws_as_many_as_wanted_in_the_order_of_the_files(python, model, dataset, tmp_path):
    root = dataset({'room': [episode(number, 'room') for number in range(40)]})
    out = tmp_path / 'result.json'
    assert evaluate(python, model, root, out, '--episodes', '3') == 0
    drawn = [int(row['episode']) for row in json.loads(out.read_text())['runs']]
    assert len(set(drawn)) == 3
    assert drawn == sorted(drawn)
    assert drawn != [0, 1, 2]


def test_environment_without_habitat_fails_with_its_reason(model, dataset, tmp_path, capsys):
    root = dataset({'room': [episode(number, 'room') for number in range(5)]})
    assert evaluate(sys.executable, model, root, tmp_path / 'x.json') == 1
    error = capsys.readouterr().err
    assert 'died 3 times in a row' in error
    assert "No module named 'habitat_sim'" in error


@pytest.mark.parametrize('change, message', [
    ({'scene_id': '../../etc/passwd'}, 'scene_id must stay within'),
    ({'start_rotation': [0.7, 0, 0, 0.7]}, 'about the y axis'),
    ({'start_position': [float('nan'), 0, 0]}, 'three finite numbers'),
    ({'goals': []}, 'an episode needs'),
])
def test_hostile_episodes_are_refused_in_one_line(python, model, dataset, tmp_path, capsys,
                                                  change, message):
    root = dataset({'room': [{**episode(0, 'room'), **change}]})
    assert evaluate(python, model, root, tmp_path / 'x.json') == 1
    error = capsys.readouterr().err
    assert message in error
    assert 'room.json.gz' in error


def test_missing_sound_is_an_error_not_silence(python, model, dataset, tmp_path, capsys):
    root = dataset({'room': [episode(0, 'room')]})
    (root / 'sounds' / '1s_all' / 'telephone.wav').unlink()
    assert evaluate(python, model, root, tmp_path / 'x.json') == 1
    assert 'telephone.wav: is missing' in capsys.readouterr().err
