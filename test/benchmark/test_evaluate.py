# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

import numpy as np
import pytest
import soundfile

from asgf_nav_ros import cli
from asgf_nav_ros.benchmark.houses_v1 import Benchmark
from sim_bridge.conditions import CONDITIONS
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
            tmp_path / f'{seed}.json', '--system', 'asgf_plus', '--split', 'val', '--houses', '2',
            '--episodes', '24', '--seed', '5', '--bake-seed', seed)
        assert code == 0
        results.append(document['metrics']['success_rate'])
    assert min(results) >= 0.8
    assert abs(results[0] - results[1]) <= 0.1


@pytest.fixture(scope='module')
def flat(tmp_path_factory):
    """A floor plan of two rooms, which bakes fast."""
    path = tmp_path_factory.mktemp('plan') / 'flat.json'
    write_floor_plan(load_house('small/train/23'), path)
    return str(path)


def test_the_document_has_every_promised_key(flat, tmp_path):
    _, document = evaluate(tmp_path / 'r.json', '--system', 'random', '--split', 'val',
                           '--house', flat, '--episodes', '6', '--seed', '2')
    assert {'benchmark', 'system', 'model', 'split', 'size', 'sounds', 'protocol', 'condition',
            'severity', 'episodes', 'seed', 'episodes_sha256', 'pinned', 'metrics', 'strict',
            'ci95', 'difficulty', 'steps_per_second', 'model_sha256', 'through_ros',
            'runs'} <= set(document)
    names = {'success_rate', 'spl', 'soft_spl', 'sna', 'distance_to_goal_m'}
    assert set(document['metrics']) == set(document['strict']) == names
    assert document['episodes'] == len(document['runs']) == 6
    assert (document['condition'], document['severity'], document['protocol']) == (
        'clean', None, 'unheard')
    assert document['pinned'] is False and len(document['episodes_sha256']) == 64
    for rows in document['difficulty'].values():
        assert sum(row['episodes'] for row in rows.values()) == 6
        assert all(set(row['metrics']) == names for row in rows.values())
    assert 'trajectory' not in document['runs'][0]


def test_trajectories_are_kept_on_request(flat, tmp_path):
    _, document = evaluate(tmp_path / 'r.json', '--system', 'random', '--house', flat,
                           '--episodes', '2', '--trajectories')
    for row in document['runs']:
        assert len(row['trajectory']) == row['actions'] and len(row['source_xy']) == 2


def test_the_same_seed_is_the_same_result(flat, tmp_path):
    options = ('--system', 'random', '--split', 'val', '--house', flat, '--episodes', '6')
    (_, first), (_, second), (_, other) = (
        evaluate(tmp_path / f'{name}.json', *options, '--seed', seed)
        for name, seed in (('a', '2'), ('b', '2'), ('c', '3')))
    assert first['runs'] == second['runs']
    assert first['episodes_sha256'] == second['episodes_sha256'] != other['episodes_sha256']
    assert first['runs'] != other['runs']


def test_a_condition_has_its_middle_severity_unless_told(flat, tmp_path):
    options = ('--system', 'random', '--house', flat, '--episodes', '2', '--condition', 'noise')
    _, middle = evaluate(tmp_path / 'm.json', *options)
    _, told = evaluate(tmp_path / 't.json', *options, '--severity', '-5')
    assert middle['severity'] == CONDITIONS['noise'].middle
    assert (told['condition'], told['severity']) == ('noise', -5.0)
    assert middle['episodes_sha256'] == told['episodes_sha256']


def test_other_episodes_than_the_pinned_ones_are_refused(monkeypatch, tmp_path, capsys):
    benchmark = Benchmark.read()
    houses = {**benchmark.houses, 'val': 1}
    monkeypatch.setattr(Benchmark, 'read', lambda: dataclasses.replace(
        benchmark, houses=houses, episodes=3))
    options = ('--system', 'random', '--split', 'val', '--episodes', '3')
    assert evaluate(tmp_path / 'r.json', *options)[0] == 1
    error = capsys.readouterr().err
    assert 'must have sha256 ' + benchmark.sha256['small/val/unheard'][:12] in error
    assert error.strip().count('\n') == 0


def test_takes_a_floor_plan_and_recordings_of_ones_own(flat, tmp_path):
    (tmp_path / 'sounds').mkdir()
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (44100, 2))
    soundfile.write(tmp_path / 'sounds' / 'hiss.wav', noise, 44100)
    code, document = evaluate(
        tmp_path / 'r.json', '--system', 'asgf', '--episodes', '4',
        '--house', flat, '--sound-folder', str(tmp_path / 'sounds'))
    assert code == 0
    assert document['size'] is None and document['houses'] == [flat]
    assert {row['sound'] for row in document['runs']} == {'hiss'}


@pytest.mark.parametrize('options, message', [
    (['--episodes', '0'], '--episodes must be positive'),
    (['--sound-folder', '/nowhere'], 'must be a folder'),
    (['--house', '/nowhere.json'], 'nowhere.json'),
    (['--model', '/nowhere.onnx'], 'nowhere.onnx'),
    (['--houses', '0'], '--houses must be positive'),
    (['--severity', '3'], '--severity needs a --condition'),
    (['--protocol', 'one_sound', '--sounds', 'heard'], 'one_sound is not tested on heard'),
    (['--through-ros', '--condition', 'noise'], 'leave --cluster, --condition and --house out'),
    (['--cluster', 'auto'], 'give one of them'),
])
def test_bad_options_are_one_line(tmp_path, capsys, options, message):
    code, _ = evaluate(tmp_path / 'r.json', '--system', 'asgf', *options)
    error = capsys.readouterr().err
    assert code == 1
    assert message in error
    assert error.strip().count('\n') == 0
