# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import soundfile

from asgf_nav_ros import cli
from sim_bridge.episodes import load_house
from sim_bridge.house.floor_plan import write_floor_plan


@pytest.fixture(scope='module', autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ASGF_NAV_CACHE', str(tmp_path_factory.mktemp('cache')))
        yield


def evaluate(file, *options):
    code = cli.main(['evaluate', '--workers', '1', '--json', str(file), *options])
    return code, json.loads(file.read_text()) if file.exists() else None


def test_the_shipped_policy_finds_unheard_sounds_and_does_not_know_the_reverberation(tmp_path):
    results = []
    for seed in ('0', '1'):  # other rays and late fields at the same places
        code, document = evaluate(
            tmp_path / f'{seed}.json', '--system', 'asgf', '--split', 'val', '--houses', '2',
            '--episodes', '24', '--seed', '5', '--bake-seed', seed)
        assert code == 0
        results.append(document['metrics']['success_rate'])
    assert min(results) >= 0.8
    assert abs(results[0] - results[1]) <= 0.1


def test_the_document_has_every_promised_key(tmp_path):
    _, document = evaluate(tmp_path / 'r.json', '--system', 'random', '--split', 'val',
                           '--houses', '1', '--episodes', '6', '--seed', '2')
    assert {'system', 'split', 'sounds', 'episodes', 'seed', 'metrics', 'strict', 'ci95',
            'steps_per_second', 'model_sha256'} <= set(document)
    names = {'success_rate', 'spl', 'soft_spl', 'sna', 'distance_to_goal_m'}
    assert set(document['metrics']) == set(document['strict']) == names
    assert document['episodes'] == len(document['runs']) == 6


def test_the_same_seed_is_the_same_result(tmp_path):
    options = ('--system', 'random', '--split', 'val', '--houses', '1', '--episodes', '6')
    (_, first), (_, second), (_, other) = (
        evaluate(tmp_path / f'{name}.json', *options, '--seed', seed)
        for name, seed in (('a', '2'), ('b', '2'), ('c', '3')))
    assert first['runs'] == second['runs']
    assert first['runs'] != other['runs']


def test_takes_a_floor_plan_and_recordings_of_ones_own(tmp_path):
    write_floor_plan(load_house('small/train/11'), tmp_path / 'plan.json')
    (tmp_path / 'sounds').mkdir()
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (44100, 2))
    soundfile.write(tmp_path / 'sounds' / 'hiss.wav', noise, 44100)
    code, document = evaluate(
        tmp_path / 'r.json', '--system', 'asgf', '--episodes', '4',
        '--house', str(tmp_path / 'plan.json'), '--sound-folder', str(tmp_path / 'sounds'))
    assert code == 0
    assert {row['sound'] for row in document['runs']} == {'hiss'}


@pytest.mark.parametrize('options, message', [
    (['--episodes', '0'], '--episodes must be positive'),
    (['--sound-folder', '/nowhere'], 'must be a folder'),
    (['--house', '/nowhere.json'], 'nowhere.json'),
    (['--model', '/nowhere.onnx'], 'nowhere.onnx'),
])
def test_bad_options_are_one_line(tmp_path, capsys, options, message):
    code, _ = evaluate(tmp_path / 'r.json', '--system', 'asgf', *options)
    error = capsys.readouterr().err
    assert code == 1
    assert message in error
    assert error.strip().count('\n') == 0
